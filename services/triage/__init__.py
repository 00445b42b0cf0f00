"""Triage with what a company taught: decisions, training examples, topics."""
