"""Checks of a model's reply before it is sent: links, numbers, requests for secrets, promises."""
