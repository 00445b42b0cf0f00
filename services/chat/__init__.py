"""Conversations: customers write, the AI answers from articles, and a person takes over when that is not enough."""
