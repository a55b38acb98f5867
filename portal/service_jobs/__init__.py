"""Repair jobs at the stations, from intake to closing."""
