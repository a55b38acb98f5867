"""Devices in the field: serial, owner, warranty."""
