"""Tests of powerapps."""
