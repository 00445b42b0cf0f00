"""Copilot: work done ahead for agents. It reads tickets and changes none."""
