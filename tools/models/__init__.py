"""Development only: makes and measures the data of triage."""
