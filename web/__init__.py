"""The pages for people, which speak only to /api."""
