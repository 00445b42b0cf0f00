"""Tickets in and out as files, and demo data."""
