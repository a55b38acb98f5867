"""End customers as one, and the matching of their names."""
