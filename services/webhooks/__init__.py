"""Webhooks: a company's events, sent to the addresses that it names. Signed, at least once, in order for each ticket."""
