"""Distributors, resellers and repair stations."""
