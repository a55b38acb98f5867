"""Files in and out: one framework for every kind of row."""
