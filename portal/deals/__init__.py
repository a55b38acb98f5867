"""Deal registration: who was first, and until when that protects."""
