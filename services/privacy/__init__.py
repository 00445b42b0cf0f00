"""Erasing customers, and retention."""
