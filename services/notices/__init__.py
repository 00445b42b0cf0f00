"""Notices: how a company words them, who ended which kind, and the digest of what is urgent."""
