"""Tests of the connections to external systems."""
