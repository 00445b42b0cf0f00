"""Triage of a text: rules, word lists, classifiers and scoring. No rows are read or written here."""
