"""The ledger of points: transfers, lots, purchases, redemptions."""
