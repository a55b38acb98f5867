"""Pages of accounts: `base` has the blueprint and what holds for every request."""
