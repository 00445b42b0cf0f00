"""What the AI says to a message in a chat: the model grounded in articles, else the best article, else an offer of a person.

Whether a person is needed is a decision with a reason, never a word in a text. Nothing is stored here.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Semaphore

from ai import chat_reply
from ai.chat_sentences import (
    ENGLISH,
    Language,
    agrees,
    asks_for_a_person,
    declines_a_person,
    is_angry,
    is_courtesy,
    language_of,
    offers_a_person,
)
from ai.model_call import Completes, NotUsable
from ai.retrieval.index import ANSWER_SCORE, TELLING_SCORE, Hit
from ai.triage.rules import Triage
from core.models import Escalation
from database.tables import companies
from services import ai_usage, settings
from services.knowledge.search import MOST_PASSAGES, MOST_QUESTION, Knowledge, good_enough
from services.tickets import similar
from services.triage import decide
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork

SURE_ASKED = 0.5  # the probabilities of triage from which on a person is brought in: asked for one
LOST_TWICE = 0.8  # that the customer is lost, after two messages in a row that no article answers
LEAST_CONFIDENCE = 0.4  # of the model in its own answer
FOLLOW_UP_WORDS = 6  # a shorter message is also searched together with the one before
OpenUnitOfWork = Callable[..., AbstractContextManager[UnitOfWork]]

log = logging.getLogger("foyer.chat")


@dataclass(frozen=True, slots=True)
class Helpers:
    """What a turn needs of the running server. `open_uow` opens units of work that see the whole company.

    `places` limits how many callers wait for the model at once.
    """

    open_uow: OpenUnitOfWork
    model: Completes | None
    trained_models: TrainedModels
    knowledge: Knowledge
    places: Semaphore


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that is not stored yet. With a `reason` the conversation is handed over instead.

    `found`: it answers, asks back or greets; without, it only offers a person. `failure` says why the model gave no usable
    answer, "" when it was not asked or did. `risk` and `priority` are the triage of the message. `language` is None when it
    is none that we have sentences in.
    """

    text: str = ""
    source: str = "canned"
    confidence: float | None = None
    citations: list[str] = field(default_factory=list)
    found: bool = True
    reason: Escalation | None = None
    failure: str = ""
    risk: str = ""
    priority: str = ""
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known about a message before it is answered."""

    hits: list[Hit]
    triage: Triage
    earlier: list[Triage]  # of the customer's message before, if any
    refusal: str  # why the model must not be asked, "" when it may
    tone: str
    company: str
    others: list[str]


def compose(helpers: Helpers, ticket: Row, message: str, earlier: Sequence[Row]) -> Draft:
    """The answer to a message after the `earlier` public turns, oldest first. Never raises for the model."""
    context = _read(helpers, ticket, message, earlier)
    language = language_of(message)
    reason = _needs_a_person(context, message, earlier)
    if reason is not None:
        return Draft(reason=reason, risk=context.triage.risk, priority=context.triage.priority, language=language)
    failure = ""
    if helpers.model is not None and not context.refusal:
        try:
            return _by_model(helpers, helpers.model, ticket, message, earlier, context, language)
        except NotUsable as error:
            failure = "" if error.busy else str(error)
            if not error.busy and not error.of_endpoint:
                log.warning("chat reply not used: ticket=%s %s", ticket["id"], failure)
    return _without_model(message, context, language, failure)


def _read(helpers: Helpers, ticket: Row, message: str, earlier: Sequence[Row]) -> _Context:
    written = [turn["body"] for turn in earlier if turn["author_role"] == "customer"][-1:]
    asks_model = helpers.model is not None
    with helpers.open_uow() as uow:
        company = uow.get(companies, uow.actor.company_id) or {"name": ""}
        return _Context(
            _passages(uow, helpers.knowledge, message, written),
            _triage(uow, helpers, ticket, message),
            [_triage(uow, helpers, ticket, text) for text in written],
            ai_usage.refusal(uow),
            settings.current(uow)["ai_tone"],
            company["name"],
            similar.find_similar(uow, helpers.trained_models, ticket).others if asks_model else [],
        )


def _triage(uow: UnitOfWork, helpers: Helpers, ticket: Row, message: str) -> Triage:
    return decide.decide(uow, helpers.trained_models, "", message, tier=ticket["customer_tier"])


def _passages(uow: UnitOfWork, knowledge: Knowledge, message: str, written: Sequence[str]) -> list[Hit]:
    """The passages for a message; for a short one also those for it together with the message before."""
    hits = knowledge.search(uow, message[:MOST_QUESTION], MOST_PASSAGES, wait=False)
    if written and len(message.split()) < FOLLOW_UP_WORDS and (not hits or hits[0].score < ANSWER_SCORE):
        both = knowledge.search(uow, f"{written[0]} {message}"[:MOST_QUESTION], MOST_PASSAGES, wait=False)
        best = {hit.article_id: hit for hit in sorted([*hits, *both], key=lambda hit: hit.score)}
        hits = sorted(best.values(), key=lambda hit: -hit.score)[:MOST_PASSAGES]
    return [hit for hit in hits if hit.passage]


def _needs_a_person(context: _Context, message: str, earlier: Sequence[Row]) -> Escalation | None:
    """The reason why a person must answer whatever the articles say, None without one."""
    offered = bool(earlier) and offers_a_person(earlier[-1]["body"])
    asked = context.triage.wants_human_score >= SURE_ASKED and not declines_a_person(message)
    if context.triage.risk:
        return "risk"
    if asked or asks_for_a_person(message) or (offered and agrees(message)):
        return "asked"
    lost = not good_enough(context.hits) and min(map(_anger, [context.triage, *context.earlier])) >= LOST_TWICE
    return "angry" if is_angry(message) or (lost and context.earlier) else None


def _anger(triage: Triage) -> float:
    return triage.escalation_score if triage.sentiment == "negative" else 0.0


def _by_model(
    helpers: Helpers,
    model: Completes,
    ticket: Row,
    message: str,
    earlier: Sequence[Row],
    context: _Context,
    language: Language | None,
) -> Draft:
    """The model's answer. Raises NotUsable, at once when too many wait for the model already."""
    told = chat_reply.Conversation(
        ticket,
        message,
        earlier,
        [hit for hit in context.hits if hit.score >= TELLING_SCORE],
        context.company,
        context.tone,
        context.others,
    )
    started = time.monotonic()
    if not helpers.places.acquire(blocking=False):
        raise NotUsable("the model was busy with other conversations", busy=True)
    try:
        left = model.timeout_seconds - (time.monotonic() - started)
        reply = chat_reply.write(told, model, deadline_seconds=left)
    finally:
        helpers.places.release()
    if reply.wants_person:
        return Draft(reason="asked", language=language)
    if reply.kind == "answer" and reply.confidence < LEAST_CONFIDENCE:
        return Draft(reason="low_confidence", language=language)
    found = reply.kind != "none"
    return Draft(reply.text, "model", reply.confidence, reply.citations, found, language=language)


def _without_model(message: str, context: _Context, language: Language | None, failure: str) -> Draft:
    """The best article, quoted; else a word of courtesy, or the offer of a person."""
    if best := good_enough(context.hits):
        sentences = language or ENGLISH
        text = sentences.quote.format(title=best.title, passage=best.passage)
        return Draft(text, "knowledge", best.score, [best.article_id], failure=failure, language=language)
    if language is not None and is_courtesy(message):
        return Draft(language.welcome, failure=failure, language=language)
    if failure:
        return Draft(reason="ai_failed", failure=failure, language=language)
    if language is None:
        return Draft(reason="unanswered", language=None)
    return Draft(language.unanswered, found=False, language=language)
