"""Bodies for Teams and Slack: the form that each takes, and words of customers that make no link and no mention."""

import jsonschema
import orjson
import pytest

from core.models import EVENTS, Actor
from services.events import samples
from services.webhooks import bodies

NASTY = "Click [here](https://evil.example) <!channel> <https://evil.example|bank> **now** @here & <at>all</at>\n# big"
STAFF = Actor("default", "admin", "admin")
TEXT_RUN = {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "TextRun"}}}
BLOCK = {
    "type": "object",
    "required": ["type", "inlines"],
    "properties": {"type": {"const": "RichTextBlock"}, "inlines": {"type": "array", "items": TEXT_RUN, "minItems": 1}},
}
# What the Workflows template takes: a message whose attachments are Adaptive Cards.
TEAMS = {
    "type": "object",
    "required": ["type", "attachments"],
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "content": {
                        "required": ["$schema", "type", "version", "body"],
                        "properties": {
                            "type": {"const": "AdaptiveCard"},
                            "version": {"const": "1.4"},
                            "body": {"type": "array", "items": BLOCK, "minItems": 1},
                        },
                    },
                },
            },
        },
    },
}
PLAIN = {
    "required": ["type", "text"],
    "properties": {"type": {"const": "plain_text"}, "text": {"minLength": 1, "maxLength": 3000}},
}
SLACK = {
    "type": "object",
    "required": ["text", "blocks"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "blocks": {
            "maxItems": 50,
            "items": {
                "required": ["type", "text"],
                "properties": {"type": {"enum": ["header", "section"]}, "text": PLAIN},
            },
        },
    },
}


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_the_form_that_teams_and_slack_take(event):
    sample = samples.sample(event, STAFF)
    jsonschema.validate(orjson.loads(bodies.render(sample, "teams")), TEAMS)
    jsonschema.validate(orjson.loads(bodies.render(sample, "slack")), SLACK)
    assert orjson.loads(bodies.render(sample, "json")) == sample


def nasty_event():
    event = samples.sample("ticket.replied", STAFF)
    event["ticket"] |= {"title": NASTY * 30, "customer_name": NASTY}
    event["reply"] |= {"body": NASTY * 100, "author_name": NASTY}
    return event


def test_words_of_customers_are_plain_text_runs_in_teams():
    card = orjson.loads(bodies.render(nasty_event(), "teams"))
    jsonschema.validate(card, TEAMS)
    assert "[here](https://evil.example)" in str(card)  # shown as it is: a text run knows no markup


def test_words_of_customers_make_no_link_and_no_mention_in_slack():
    message = orjson.loads(bodies.render(nasty_event(), "slack"))
    jsonschema.validate(message, SLACK)
    text = str(message)
    assert "<" not in text
    assert "&lt;!channel&gt;" in text
    long = samples.sample("ticket.replied", STAFF)
    long["reply"]["body"] = long["ticket"]["title"] = long["ticket"]["customer_name"] = "<" * 1000
    section = orjson.loads(bodies.render(long, "slack"))["blocks"][1]["text"]["text"]
    assert len(section) <= 3000
    assert "&" not in section.replace("&lt;", ""), "no entity is cut in two"
