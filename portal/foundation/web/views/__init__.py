"""Pages of the foundation itself: search, and saved views of lists."""
