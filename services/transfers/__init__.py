"""Transfers: everything of a company as one file, for a move to another server or help desk."""
