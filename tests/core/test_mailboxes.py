"""Mailboxes as they stand in settings."""

import pytest

from core.mailboxes import Mailbox, parse_mailbox, parse_mailboxes

ONE = {
    "a@example.com": ("", "a@example.com"),
    " a@example.com\n": ("", "a@example.com"),
    "Help <help@acme.example>": ("Help", "help@acme.example"),
    "Acme, Inc. <support@acme.example>": ("Acme, Inc.", "support@acme.example"),
    '"Acme, \\"Inc.\\"" <support@acme.example>': ('Acme, "Inc."', "support@acme.example"),
    "<a@example.com>": ("", "a@example.com"),
    "Grüße <a@bücher.example>": ("Grüße", "a@xn--bcher-kva.example"),
    "a@localhost": ("", "a@localhost"),
}
MANY = {
    "": [],
    "a@x.example": ["a@x.example"],
    "a@x.example, b@x.example": ["a@x.example", "b@x.example"],
    "a@x.example;b@x.example;": ["a@x.example", "b@x.example"],
    "a@x.example\r\nb@x.example\n": ["a@x.example", "b@x.example"],
    "Acme, Inc. <a@x.example>, Help <b@x.example>": ["a@x.example", "b@x.example"],
    '"Acme; Inc." <a@x.example>; b@x.example': ["a@x.example", "b@x.example"],
    "a@x.example, A@X.example": ["a@x.example"],
}
REFUSED = [
    "nobody",
    "a@x.example b@x.example",
    "a@",
    "<>",
    "Help",
    "ü@x.example",
    "a@x.example\0",
    "b@y.example <a@x.example>",
]


@pytest.mark.parametrize(("text", "box"), ONE.items())
def test_one_mailbox_has_a_name_and_an_address(text, box):
    assert parse_mailbox(text) == Mailbox(*box)
    assert parse_mailbox(str(parse_mailbox(text))).address == box[1]


@pytest.mark.parametrize(("text", "addresses"), MANY.items())
def test_several_mailboxes_are_read_with_any_sign_between(text, addresses):
    assert [box.address for box in parse_mailboxes(text)] == addresses


@pytest.mark.parametrize("text", REFUSED)
def test_other_texts_are_refused(text):
    for parse in (parse_mailbox, parse_mailboxes):
        with pytest.raises(ValueError, match="must be"):
            parse(text)


def test_two_mailboxes_are_not_one():
    with pytest.raises(ValueError, match="must be one"):
        parse_mailbox("a@x.example, b@x.example")
