"""Retrieval: the passages of articles that answer a question. No rows are read or written here."""
