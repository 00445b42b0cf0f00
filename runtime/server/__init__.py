"""The gunicorn worker of Foyer: slow clients hold no thread, and refusals are the envelope of the API."""
