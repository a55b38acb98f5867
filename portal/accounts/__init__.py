"""Users, roles, sessions, second factor, invitations, API tokens."""
