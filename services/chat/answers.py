"""Composes the AI's answer to a chat message: the model grounded in articles, else the best article, else the offer of a person.

A handover is a result with a reason; no text is read to find out about it. Nothing is stored here.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ai import chat_reply
from ai.chat_sentences import (
    ENGLISH,
    Language,
    agrees,
    asks_for_a_person,
    courtesy,
    declines_a_person,
    is_angry,
    language_of,
    names_harm,
    offers_a_person,
    refuses,
)
from ai.model_call import Completes, NotUsable
from ai.retrieval.index import TELLING_SCORE, Hit
from ai.triage.rules import Triage
from core import timestamps
from core.models import Escalation
from database.tables import companies
from services import ai_usage, settings
from services.knowledge.search import MOST_PASSAGES, MOST_QUESTION, Knowledge, good_enough
from services.model_access import BUSY, ModelAccess, wait_slot
from services.sla import targets as sla
from services.tickets import similar
from services.triage import decide
from storage import Row, UnitOfWork

SURE_ASKED = 0.5  # least probability, by triage, that the customer asks for a person
LOST_TWICE = 0.8  # least escalation score of two unanswered messages in a row that brings in a person
LEAST_CONFIDENCE = 0.4  # of the model in its own answer; below it a person answers
MOST_UNGROUNDED = 200  # characters of a courtesy or a question that the model may write without an article
SURE_AGAIN = 0.6  # the score from which an article is quoted twice in a row
MOST_TRIAGED = 5  # earlier messages that the triage of a whole conversation reads
DANGERS = ("self-harm", "safety")
FOLLOW_UP_WORDS = 6  # a shorter message is also searched together with the one before

_HOW_TO = re.compile(r"\W*(?:how|where|what|which|can|do|does|is|are|when|who)\b")

log = logging.getLogger("foyer.chat")


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that is not stored yet. With a `reason` the conversation is handed over instead.

    `is_answer` is False for a question and for the offer of a person. `failure` says why the model gave no usable answer; "" if
    it gave one or was not asked. `triage` is that of all the customer's words. With `danger` somebody may come to harm.
    `language` is None for a language without sentences of ours.
    """

    text: str = ""
    source: str = "canned"
    confidence: float | None = None
    citations: list[str] = field(default_factory=list)
    is_answer: bool = True
    reason: Escalation | None = None
    failure: str = ""
    triage: Triage | None = None
    danger: bool = False
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known about a message before it is answered."""

    message: str
    language: Language | None
    earlier: Sequence[Row]
    hits: list[Hit]
    triages: list[Triage]  # of the message, and of the customer's message before, if any
    refusal: str  # why the model must not be asked, "" when it may
    tone: str
    hours: str
    company: str
    others: list[str]


def compose(
    access: ModelAccess, ticket: Row, message: str, earlier: Sequence[Row], *, wants_person: bool = False
) -> Draft:
    """The answer to a message after the `earlier` public turns, oldest first. Never raises for the model."""
    customer_texts = [turn["body"] for turn in earlier if turn["author_role"] == "customer"]
    language = language_of(message, " ".join(customer_texts))
    with access.open_uow() as uow:
        context = _read(uow, access, ticket, message, earlier, customer_texts, language)
        whole = triage_of(uow, access, ticket, "\n".join([*customer_texts[-MOST_TRIAGED:], message]))
    draft = Draft(reason="asked") if wants_person else _answer(access, ticket, context)
    return replace(draft, language=language, triage=whole, danger=is_danger(context.triages[0], message))


def triage_of(uow: UnitOfWork, access: ModelAccess, ticket: Row, text: str) -> Triage:
    """The triage of a customer's words in the chat."""
    return decide.decide(uow, access.trained_models, "", text, tier=ticket["customer_tier"])


def is_danger(triage: Triage, message: str) -> bool:
    """Whether the customer must be told to call for help."""
    return triage.risk in DANGERS or names_harm(message)


def _read(
    uow: UnitOfWork,
    access: ModelAccess,
    ticket: Row,
    message: str,
    earlier: Sequence[Row],
    customer_texts: Sequence[str],
    language: Language | None,
) -> _Context:
    company = uow.get(companies, uow.actor.company_id) or {"name": ""}
    texts, current = [message, *customer_texts[-1:]], settings.current(uow)
    opens = sla.opens_again(current, timestamps.moment(uow.real_now))
    return _Context(
        message,
        language,
        earlier,
        _passages(uow, access.knowledge, message, customer_texts[-1:]),
        [triage_of(uow, access, ticket, text) for text in texts],
        ai_usage.refusal(uow),
        current["ai_tone"],
        f"closed until {opens}" if opens else "open now",
        company["name"],
        similar.find_similar(uow, access.trained_models, ticket).others if access.model else [],
    )


def _passages(uow: UnitOfWork, knowledge: Knowledge, message: str, before: Sequence[str]) -> list[Hit]:
    """The passages for a message; for a short one also those for it together with the message before."""
    hits = knowledge.search(uow, message[:MOST_QUESTION], MOST_PASSAGES, wait=False)
    if before and len(message.split()) < FOLLOW_UP_WORDS and not good_enough(hits):
        both = knowledge.search(uow, f"{before[0]} {message}"[:MOST_QUESTION], MOST_PASSAGES, wait=False)
        best = {hit.article_id: hit for hit in sorted([*hits, *both], key=lambda hit: hit.score)}
        hits = sorted(best.values(), key=lambda hit: -hit.score)[:MOST_PASSAGES]
    return [hit for hit in hits if hit.passage]


def _answer(access: ModelAccess, ticket: Row, context: _Context) -> Draft:
    """The ladder: words that decide by themselves, the model, the best article, the offer of a person."""
    offered = bool(context.earlier) and offers_a_person(context.earlier[-1]["body"])
    if (reason := _needs_a_person(context, offered=offered)) is not None:
        return Draft(reason=reason)
    if context.language is not None:
        if offered and refuses(context.message):
            return Draft(context.language.declined)
        if text := courtesy(context.message, context.language):
            return Draft(text)
    failure = ""
    if access.model is not None and not context.refusal:
        try:
            return _by_model(access, access.model, ticket, context)
        except NotUsable as error:
            failure = "" if error.busy else str(error)
            if not error.busy and not error.of_endpoint:
                log.warning("chat reply not used: ticket=%s %s", ticket["id"], failure)
    return _without_model(context, failure)


def _needs_a_person(context: _Context, *, offered: bool) -> Escalation | None:
    """The reason why a person must answer, whatever the articles say; None without one. `offered`: we offered one last."""
    triage, message = context.triages[0], context.message
    answered = good_enough(context.hits) is not None
    if is_danger(triage, message) or (triage.risk and not (answered and _HOW_TO.match(message.lower()))):
        return "risk"
    asked = triage.wants_human_score >= SURE_ASKED and not declines_a_person(message)
    if asked or asks_for_a_person(message) or (offered and agrees(message)):
        return "asked"
    lost = not answered and len(context.triages) > 1 and min(map(_anger, context.triages)) >= LOST_TWICE
    return "angry" if is_angry(message) or lost else None


def _anger(triage: Triage) -> float:
    return triage.escalation_score if triage.sentiment == "negative" else 0.0


def _by_model(access: ModelAccess, model: Completes, ticket: Row, context: _Context) -> Draft:
    """The model's answer. Raises NotUsable, at once when too many wait for the model already.

    Without an article only a short courtesy or question is sent.
    """
    conversation = chat_reply.Conversation(
        ticket,
        context.message,
        context.earlier,
        [hit for hit in context.hits if hit.score >= TELLING_SCORE],
        context.company,
        context.tone,
        context.hours,
        context.others,
    )
    with wait_slot(access.wait_slots) as is_free:
        if not is_free:
            raise NotUsable(BUSY, busy=True)
        reply = chat_reply.write(conversation, model, deadline_seconds=model.timeout_seconds)
    if reply.wants_person:
        return Draft(reason="asked")
    if reply.kind == "answer" and reply.confidence < LEAST_CONFIDENCE:
        return Draft(reason="low_confidence")
    if reply.kind == "answer" or (reply.kind != "none" and len(reply.text) <= MOST_UNGROUNDED):
        return Draft(reply.text, "model", reply.confidence, reply.citations, reply.kind != "question")
    return _nothing_found(context.language)


def _without_model(context: _Context, failure: str) -> Draft:
    """The best article, quoted; else a person where the model failed, or the offer of one."""
    best = good_enough(context.hits)
    if best and not _was_just_quoted(best, context):
        sentences = context.language or ENGLISH
        text = sentences.quote.format(title=best.title, passage=best.passage)
        return Draft(text, "knowledge", best.score, [best.article_id], failure=failure)
    if failure:
        return Draft(reason="ai_failed", failure=failure)
    return _nothing_found(context.language)


def _was_just_quoted(best: Hit, context: _Context) -> bool:
    """Whether the last turn quoted the same article, which did not help, unless this message asks for it clearly."""
    last = context.earlier[-1] if context.earlier else {"citations": []}
    return best.article_id in last["citations"] and best.score < SURE_AGAIN


def _nothing_found(language: Language | None) -> Draft:
    """The offer of a person; at once a person for a language without sentences of ours."""
    return Draft(language.unanswered, is_answer=False) if language else Draft(reason="unanswered")
