"""Every change of points: the ledger's writer, awards, purchases, redemptions, sweeps."""
