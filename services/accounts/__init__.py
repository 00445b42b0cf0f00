"""Companies, users, API keys and sign-in."""
