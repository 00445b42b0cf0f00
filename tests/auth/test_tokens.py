"""Tokens that are read again: their signature is computed once, everything else is looked at each time."""

from auth.tokens import ACCESS_SECONDS, Tokens
from core import timestamps

NOW = "2026-03-01T12:00:00.000Z"


def test_a_token_that_was_read_before_is_refused_once_it_is_over():
    tokens = Tokens("x" * 48)
    token = tokens.access("user", "session", now=NOW)
    assert tokens.read_access(token, now=NOW)
    assert tokens.read_access(token, now=timestamps.later(NOW, seconds=ACCESS_SECONDS)) is None
    assert tokens.read_guest(token, now=NOW) is None, "it stands for nothing else"
    assert Tokens("y" * 48).read_access(token, now=NOW) is None


def test_what_one_caller_does_with_the_claims_does_not_reach_the_next():
    tokens = Tokens("x" * 48)
    token = tokens.access("user", "session", now=NOW)
    claims = tokens.read_access(token, now=NOW)
    assert claims
    claims["sub"] = "somebody else"
    again = tokens.read_access(token, now=NOW)
    assert again
    assert again["sub"] == "user"
