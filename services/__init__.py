"""The rules of the desk. No HTTP, no model client, no mail client, no environment."""
