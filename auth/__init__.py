"""Mechanisms of sign-in: tokens, passwords, OpenID Connect. No rows are read or written here."""
