"""Canned replies: an opening by sentiment, first steps by category, a closing by priority.

Every combination must read as one short letter. It must promise only what the server does by itself.
"""

import re
from collections.abc import Mapping
from typing import Any

OPENINGS = {
    "positive": "Thank you for getting in touch; it is good to hear from you.",
    "neutral": "Thank you for writing to us.",
    "negative": "We are sorry about the trouble you are having, and thank you for telling us about it.",
}
SUBJECTS = {
    "billing": "your billing question",
    "technical": "your technical problem",
    "sales": "your question about our products",
    "account": "your account question",
    "general": "your message",
}
STEPS = {
    "billing": (
        "To make this quick to check, please reply with the invoice number, the date and the amount you see. A pending "
        "card authorisation can look like a second charge and often disappears by itself after a few days. Please "
        "leave out full card numbers."
    ),
    "technical": (
        "These steps solve many problems: sign out and in again, install the latest version, and try a private browser "
        "window or another device. If it still happens, please reply with the exact error message and what you were "
        "doing just before."
    ),
    "sales": (
        "To point you to the right option, it helps to know how many people will use it, which features matter most to "
        "you, and any date you are working towards. If you are a customer already, please mention your current plan."
    ),
    "account": (
        "If you cannot sign in, please try the password reset on the sign-in page, check your spam folder, and make "
        "sure you use the address you registered with. If a detail needs changing, reply with what it should be, but "
        "leave out your password."
    ),
    "general": (
        "A few details help us to give you a useful answer: what you would like to do, what you have tried so far, and "
        "any order or reference number that belongs to it. Simply reply to this message with what you have."
    ),
}
AFTER_QUOTE = "If it does not, reply to this message: a person will read it."
CLOSINGS = {
    "low": "Your ticket is in our queue, and you can add to it at any time by replying.",
    "medium": "Your ticket is in our queue. Reply at any time to add details, or to tell us that it is solved.",
    "high": (
        "Your ticket is marked as high priority, ahead of everyday requests in our queue. If anything changes, please "
        "reply so that it is on record."
    ),
    "urgent": (
        "Your ticket is marked as urgent and stands among the first in our queue. If the situation gets worse, please "
        "reply with what has changed."
    ),
}

# Letters of any script and the signs of a name. The name comes from the customer and may be a link or a sentence.
_NAME = re.compile(r"[^\W\d_]+(?:(?:[ '’-]|\. ?)[^\W\d_]+){0,4}\.?")
_MAX_NAME = 40


def reply(ticket: Mapping[str, Any]) -> str:
    """The reply to a ticket. Missing or unknown fields get the text of an ordinary ticket."""
    category = ticket.get("category")
    return _letter(ticket, STEPS[category if category in STEPS else "general"])


def quote(ticket: Mapping[str, Any], title: str, passage: str) -> str:
    """The reply that quotes an article instead of the first steps. It says that a person reads further questions."""
    return _letter(ticket, f"This may answer it, from our article “{title}”:\n\n{passage}\n\n{AFTER_QUOTE}")


def _letter(ticket: Mapping[str, Any], content: str) -> str:
    category, name = ticket.get("category"), ticket.get("customer_name")
    category = category if category in STEPS else "general"
    number = ticket.get("number")
    receipt = f"We have recorded {SUBJECTS[category]}" + (f" as ticket #{number}." if number else ".")
    opening = OPENINGS.get(str(ticket.get("sentiment")), OPENINGS["neutral"])
    closing = CLOSINGS.get(str(ticket.get("priority")), CLOSINGS["medium"])
    return "\n\n".join([greeting(str(name or "")), f"{opening} {receipt}", content, closing])


def greeting(name: str) -> str:
    """`Hello Ada,`, or without a name that can stand there, `Hello,`."""
    name = " ".join(name.split())
    usable = len(name) <= _MAX_NAME and _NAME.fullmatch(name) and not re.search(r"\.\w", name)
    return f"Hello {name}," if usable else "Hello,"
