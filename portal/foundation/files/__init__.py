"""Stored files: uploads that were checked, and documents that Guildhall made."""
