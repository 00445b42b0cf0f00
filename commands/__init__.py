"""The flask commands a user types."""
