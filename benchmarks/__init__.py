"""Measurements, as ratios in one run. Nothing here is imported by the app or the tests of behaviour."""
