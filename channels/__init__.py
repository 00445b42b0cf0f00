"""Doors to other systems besides mail and the model."""
