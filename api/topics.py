"""Topics over HTTP: a company's own labels, trained by examples."""

from typing import Any

from flask import g
from marshmallow import Schema, ValidationError, validates_schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Text, Things, Topic, Yes
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.models import LIMITS
from core.permissions import Permission
from services.triage import topics, training_examples
from storage import Row, UnitOfWork

blp = Resource("topics", __name__, description="Your own labels, learnt from examples.")


class OneExample(Schema):
    """A text and its topic."""

    text = Text(LIMITS["description"], lines=True, required=True, about="What a customer might write.")
    topic = Topic(required=True, about="What it is about, in your own words.")


class Examples(Schema):
    """One example, or several."""

    text = Text(LIMITS["description"], lines=True, about="What a customer might write.")
    topic = Topic(about="What it is about, in your own words.")
    examples = Things(
        OneExample,
        training_examples.MOST,
        least=1,
        about=f"Several examples at once, at most {training_examples.MOST:,}; so many of the newest count.",
    )

    @validates_schema(skip_on_field_errors=True)
    def _one_or_several(self, fields: Row, **_: Any) -> None:
        if ("text" in fields) != ("topic" in fields):
            raise ValidationError("Give text and topic together.", "topic" if "text" in fields else "text")


class NewExamples(Examples):
    """Examples to add."""

    @validates_schema(skip_on_field_errors=True)
    def _something(self, fields: Row, **_: Any) -> None:
        if not fields:
            raise ValidationError("Give text and topic, or examples.", "text")


class OldExamples(Examples):
    """Examples to remove, or all."""

    all = Yes(about="true removes every example; then name none.")

    @validates_schema(skip_on_field_errors=True)
    def _some_or_all(self, fields: Row, **_: Any) -> None:
        all_examples, given_examples = fields.get("all", False), "text" in fields or "examples" in fields
        if all_examples == given_examples:
            raise ValidationError("Give text and topic, or examples; or all: true to forget every example.", "all")


class Told(Schema):
    """How many examples it was about."""

    examples = schemas.integer("How many examples were added or removed.")


class TopicOut(Schema):
    """A topic."""

    topic = schemas.text("The topic.")
    examples = schemas.integer("How many examples it has.")


class TopicText(Schema):
    """A text to tell the topic of."""

    text = Text(LIMITS["description"], lines=True, required=True, about="What the customer wrote.")


class Predicted(Schema):
    """What a text is about."""

    topic = schemas.text("The likeliest topic, or empty when none was taught.")
    confidence = schemas.decimal("How sure that is, from 0 to 1.")
    sure = schemas.flag("Whether decisions as sure as this were right 95 times of 100 on your own examples.")


@blp.get("/api/topics", "ListTopics", permission=Permission.TICKETS_WORK, response=TopicOut, many=True)
def list_topics(uow: UnitOfWork) -> Answer:
    """List the topics.

    Every topic with how many examples it has.
    """
    rows = topics.list_topics(uow)
    return Answer(rows, how_many(len(rows), "topic"), page=(len(rows), len(rows), 0))


@blp.post(
    "/api/topics/examples",
    "TeachTopics",
    permission=Permission.TICKETS_WORK,
    body=NewExamples,
    response=Told,
    status=201,
)
def teach_topics(uow: UnitOfWork, body: Row) -> Answer:
    """Teach topics.

    Adds examples of your own topics; an example that is known already is not added again.
    """
    count = topics.teach(uow, _pairs(body))
    return Answer({"examples": count}, how_many(count, "new example"), status=201)


@blp.delete(
    "/api/topics/examples", "ForgetTopics", permission=Permission.SETTINGS_WRITE, body=OldExamples, response=Told
)
def forget_topics(uow: UnitOfWork, body: Row) -> Answer:
    """Forget examples.

    Removes the named examples, or every example with all: true.
    """
    count = topics.forget_all(uow) if body.get("all") else topics.forget(uow, _pairs(body))
    return Answer({"examples": count}, f"Removed: {how_many(count, 'example')}")


@blp.post(
    "/api/topics/predict",
    "PredictTopic",
    permission=Permission.TICKETS_WORK,
    body=TopicText,
    response=Predicted,
    manages_transactions=True,
)
def predict_topic(body: Row) -> Answer:
    """Tell the topic.

    Says what a text is about, by your examples; nothing is stored.
    """
    runtime, actor = current_runtime(), g.actor
    topic = topics.predict(lambda: runtime.storage.unit_of_work(actor), runtime.trained_models, body["text"])
    message = f"This is about {topic.name}." if topic.name else "No topic was taught yet."
    return Answer({"topic": topic.name, "confidence": topic.confidence, "sure": topic.sure}, message[:200])


def _pairs(body: Row) -> list[tuple[str, str]]:
    examples = [*body.get("examples", []), *([body] if "text" in body else [])]
    return [(one["text"], one["topic"]) for one in examples]
