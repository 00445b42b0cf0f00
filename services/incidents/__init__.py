"""Incidents: found among new tickets, answered and resolved together."""
