"""The steps that bring older data to the newest shape."""
