"""Import and export of tickets, and demo data."""
