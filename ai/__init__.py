"""The language model and what is decided about texts without one. No rows are read or written here."""
