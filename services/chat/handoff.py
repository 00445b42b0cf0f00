"""Handing a conversation to people: state, note for the agent, assignment, alert, and what the customer is told."""

from collections.abc import Sequence

from ai.chat_sentences import ENGLISH, Language, language_of
from ai.triage.rules import Triage
from core import timestamps
from core.models import Escalation
from services import history, settings
from services.chat import conversations
from services.routing import agents
from services.sla import targets as sla
from services.tickets import changes, notifications, replies, triage_fields
from storage import Row, UnitOfWork

# Each completes the sentence: Handed over because …
REASONS: dict[Escalation | None, str] = {
    "asked": "the customer asked for a person",
    "angry": "the customer is upset",
    "unanswered": "two messages in a row found no answer",
    "low_confidence": "the model was not sure of its answer",
    "risk": "the customer named a risk",
    "turn_limit": "the AI has written as many answers as it may",
    "ai_failed": "the model failed",
    None: "your settings say that people answer first",
}
LAST_TURNS = 10  # whose language is taken
MOST_QUOTED = 500  # characters of a message in the note


def hand_over(
    uow: UnitOfWork,
    ticket: Row,
    reason: Escalation | None,
    *,
    language: Language,
    turns: Sequence[Row],
    triage: Triage | None = None,
    danger: bool = False,
    mails: bool = False,
) -> tuple[Row, str]:
    """Hands the conversation to people; returns the ticket and the sentences for the customer.

    `turns` are its public turns, oldest first, and `triage` is that of the customer's words in them. With `danger` the
    customer is told to call for help. `mails` says whether this server sends mail. The unit of work must see the whole company.
    """
    values: Row = changes.move_fields(ticket, "handoff")
    if triage is not None and ticket["triage_source"] in ("rules", "learned"):
        values |= triage_again(uow, ticket, triage)
    agent = ticket["assigned_to"] or agents.find_free(uow, {**ticket, **values}["assigned_team"])
    if agent and not ticket["assigned_to"]:
        values |= {"assigned_to": agent, "assigned_at": uow.now}
        agents.note_assigned(uow, agent)
    risk = triage.risk if triage else ""
    values["next_action"] = f"Answer in the chat: {REASONS[reason]}{f' ({risk})' if risk else ''}."
    after = changes.write(uow, ticket, values, "handed_over", by_ai=True)
    history.record(
        uow, ticket["id"], [history.Change("handed_over", "escalation_reason", "", reason or "")], actor=history.AI
    )
    conversations.hand_over(uow, conversations.get(uow, ticket), reason)
    opens = sla.opens_again(settings.current(uow), timestamps.moment(uow.real_now))
    mails = mails and bool(ticket["customer_email"])
    text = _announcement(language, agent=agent, danger=danger, mails=mails, opens=opens)
    replies.add_turn(uow, after, "system", text)
    replies.add_turn(uow, after, "ai", _note(reason, turns, risk), internal=True)
    _tell(uow, ticket, after)
    return after, text


def handover_sentence(uow: UnitOfWork, ticket_id: str) -> str:
    """Tells the customer that a person will answer, in the language of the conversation's last turns."""
    turns = replies.recent_public(uow, ticket_id, most=LAST_TURNS)
    *earlier, last = [turn["body"] for turn in turns if turn["author_role"] == "customer"] or [""]
    language = language_of(last, " ".join(earlier)) or ENGLISH
    return language.handed_over if changes.get(uow, ticket_id)["assigned_to"] else language.nobody_free


def triage_again(uow: UnitOfWork, ticket: Row, triage: Triage) -> Row:
    """The fields of a new triage of a ticket, whose priority never falls."""
    values = triage_fields.routed(uow, ticket, triage)
    if values["priority_rank"] < ticket["priority_rank"]:
        values |= {name: ticket[name] for name in ("priority", "priority_rank", "priority_score", "urgency")}
    return values


def _tell(uow: UnitOfWork, before: Row, after: Row) -> None:
    notifications.notify_handoff(uow, after)
    if after["assigned_to"] and not before["assigned_to"]:
        notifications.notify_assigned(uow, after)
    if after["priority"] == "urgent" and before["priority"] != "urgent":
        notifications.notify_urgent(uow, after)


def _announcement(language: Language, *, agent: str, danger: bool, mails: bool, opens: str) -> str:
    """The sentences for the customer: emergency help first, then who answers, when the desk opens, and that mail comes."""
    parts = [language.danger if danger else ""]
    parts += [language.handed_over if agent and not opens else language.nobody_free]
    parts += [language.closed_now.format(when=opens) if opens else ""]
    parts += [language.mailed if mails and (opens or not agent) else ""]
    return " ".join(filter(None, parts))


def _note(reason: Escalation | None, turns: Sequence[Row], risk: str) -> str:
    """The note for the agent: the reason, and the customer's first and last message."""
    customer_texts = [turn["body"] for turn in turns if turn["author_role"] == "customer"]
    answers = sum(turn["author_role"] == "ai" for turn in turns)
    lines = [f"Handed over because {REASONS[reason]}{f' ({risk})' if risk else ''}."]
    if customer_texts:
        lines.append(f"The customer wants: {_cut(customer_texts[0])}")
    if len(customer_texts) > 1:
        lines.append(f"Last message: {_cut(customer_texts[-1])}")
    if answers:
        lines.append(f"The AI has answered {answers} {'time' if answers == 1 else 'times'}.")
    return "\n".join(lines)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 1] + "…"
