"""Tickets: create, change, answer, list. Only this folder writes the tickets table."""
