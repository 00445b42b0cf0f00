"""Models, permissions, errors and text helpers that every folder may import; it imports nothing of the app."""
