"""Shared by all routes: gate, headers, rate limits, envelope, parsing and field types."""
