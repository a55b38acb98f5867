"""Newsletters: blocks, preview, PDF, sending, unsubscribing."""
