"""Clubs, their members and their programme documents."""
