"""The rules of the server. No HTTP, no model client, no mail client, no environment."""
