"""Every read of the ledger, of purchases and of redemptions."""
