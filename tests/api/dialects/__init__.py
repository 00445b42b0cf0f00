"""Tests of api/dialects/."""
