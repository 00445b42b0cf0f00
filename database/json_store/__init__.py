"""The JSON file engine: document, journal, lock and the private SQLite file that answers queries."""
