"""What the vendor sells: products and their families."""
