"""Connections to external systems, other than mail and the model."""
