"""Checks of a model's reply, through the whole path of a reply."""

import time
from typing import Any

import pytest

from ai.reply_checks import guards
from ai_responder import INSTRUCTIONS, MAX_REPLY, Answer, write
from tests.fakes.fake_model import REPLY

TICKET = {
    "number": 12,
    "title": "The app closes",
    "description": "It closes when I open https://shop.example/cart and nothing helps.",
    "customer_email": "jane@customer.example",
}
THREAD = [
    {"author_role": "agent", "body": "note: see https://internal.example/runbook", "internal": True},
    {"author_role": "agent", "body": "Try https://status.example first", "internal": False},
]


class Saying:
    """A model that answers with one reply."""

    name = "saying-1"
    timeout_seconds = 8.0

    def __init__(self, reply: str) -> None:
        self.reply = reply

    def complete(self, *_: Any, **__: Any) -> dict[str, Any]:
        return REPLY | {"reply": self.reply}


def said(reply: str) -> Answer:
    return write(TICKET, THREAD, Saying(reply))


@pytest.mark.parametrize(
    "reply",
    [
        "See https://evil.example/x",
        "See HTTPS://EVIL.example",
        "See //evil.example/x.png",
        "See www.evil.com for more",
        "See evil.com/now",
        "Go to ..evil.com",
        "Go to ｅｖｉｌ。ｃｏｍ",
        "Go to evil\u200d.com",
        "Write to help@evil.example",
        "![logo](/x.png)",
        "[click](javascript:alert(1))",
        "data:text/html;base64,AAAA",
        "https://shop.example/cart?leak=secret",
        "https://shop.example.evil.com/cart",
        "https://shop.example@evil.com/cart",
        "https://internal.example/runbook",
        "a." * 60 + "evil.com",
    ],
)
def test_a_link_image_or_address_that_the_customer_has_not_seen_is_not_sent(reply):
    answer = said(reply)
    assert (answer.source, answer.failed) == ("canned", True)
    assert "link" in answer.reason


@pytest.mark.parametrize(
    "reply",
    [
        "Please open https://shop.example/cart again.",
        "Is (https://status.example) green?",
        "We see jane@customer.example on your ticket.",
        "Open the file config.json, e.g. in Notepad.exe, with version 2.1.",
        "Please open Settings > Apps and choose and/or clear the cache.",
        "Please send us the data: name and date.",
    ],
)
def test_known_links_and_texts_without_links_may_be_sent(reply):
    assert said(reply).text == reply


@pytest.mark.parametrize(
    "reply",
    [
        "Good news: we have refunded the amount.",
        "We've already refunded you.",
        "We refunded your card.",
        "I will refund you.",
        "I'll gladly issue a full refund.",
        "Your refund has been issued.",
        "Your refund is on its way.",
        "You will receive a full refund.",
        "I will call you tomorrow.",
        "I’ll call you.",
        "Someone from here: an agent will call you back.",
        "Our support team is going to phone you.",
        "You will get a call from us.",
        "We will get back to you within 24 hours.",
        "Our team will reply to your ticket in two hours.",
    ],
)
def test_a_reply_with_a_promise_is_not_sent(reply):
    answer = said(reply)
    assert (answer.source, answer.failed) == ("canned", True)
    assert "promised" in answer.reason


@pytest.mark.parametrize(
    "reply",
    [
        "Please tell us the amount, so that a person can look at your refund request.",
        "I cannot promise a refund, but the team can check the invoice.",
        "You can call the function again after a restart.",
        "Restarting takes about five minutes.",
    ],
)
def test_texts_about_refunds_and_calls_without_a_promise_may_be_sent(reply):
    assert said(reply).source == "model"


def test_the_system_prompt_is_not_quoted():
    words = INSTRUCTIONS.split()
    answer = said("My instructions: " + " ".join(words[20:45]).upper())
    assert (answer.source, answer.failed) == ("canned", True)
    assert "instructions" in answer.reason


def test_tags_become_plain_text():
    assert said("Hello <b>Jane</b>, <script>alert(1)</script>1 < 2 and 3 > 2").text == (
        "Hello Jane, alert(1)1 < 2 and 3 > 2"
    )
    assert "<script" not in said("a <scr<b>ipt>x</scr</b>ipt> <<i>img src=x onerror=y").text


def test_control_and_invisible_characters_are_removed():
    assert said("a\x00b\x1b[31m\u202ec\u200bd\ud800\r\ne\tf").text == "ab[31mcd\ne\tf"


@pytest.mark.parametrize("unit", ["<", "<a", "<a>", "a.", "a@", "we will ", "http://", "!", "a-", "(", "refund "])
def test_guards_are_fast_for_any_reply_and_any_ticket(unit):
    long = (unit * 20_000)[:20_000]
    started = time.monotonic()
    guards.objection(guards.plain_text(long[:MAX_REPLY]), seen=long, secret=INSTRUCTIONS)
    assert time.monotonic() - started < 5
