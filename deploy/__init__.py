"""Foyer on hosts that need code of their own. Nothing else imports this folder."""
