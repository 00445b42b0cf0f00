"""Drafts of replies without a model: an article quoted, what solved a similar ticket, or the first steps of the category.

An agent reads them before they are sent. They promise nothing.
"""

from collections.abc import Mapping
from typing import Any

from ai.canned_replies import STEPS, greeting

ARTICLE = "This may answer your question, from our article “{title}”:"
RESOLUTION = "This solved a similar problem:"
CLOSING = "Please reply to this message to tell us whether it helps."


def from_article(ticket: Mapping[str, Any], title: str, passage: str) -> str:
    """A draft that quotes the passage of an article."""
    return _letter(ticket, ARTICLE.format(title=title), passage, CLOSING)


def from_resolution(ticket: Mapping[str, Any], resolution: str) -> str:
    """A draft that says how a similar ticket was resolved; `resolution` names nobody."""
    return _letter(ticket, RESOLUTION, resolution, CLOSING)


def from_category(ticket: Mapping[str, Any]) -> str:
    """A draft with the first steps for the ticket's category."""
    return _letter(ticket, STEPS.get(str(ticket.get("category")), STEPS["general"]))


def _letter(ticket: Mapping[str, Any], *paragraphs: str) -> str:
    return "\n\n".join([greeting(str(ticket.get("customer_name") or "")), *paragraphs])
