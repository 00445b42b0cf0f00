"""The words of notices: each kind's own subject and text, the variables they may hold, and what a company writes instead.

A company shapes the subject and the opening. What a notice must always hold is added by channels/notices.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from channels.notice_text import one_line, plain
from core import text_variables

MOST_SUBJECT, MOST_TEXT = 200, 4_000  # characters of a company's own words
TO_CUSTOMERS, TO_STAFF = "customers", "staff"
_NUMBER = ("ticket_number", "company_name")  # nothing that a sender wrote
_WORDS = (*_NUMBER, "customer_name", "ticket_title")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice: its own words with variables, whom it goes to, and what is always in it beside the words."""

    about: str
    subject: str
    text: str
    variables: tuple[str, ...]
    always: str
    audience: str = TO_CUSTOMERS
    german: tuple[str, str] = ("", "")  # subject and text, of the mails that help to sign in


@dataclass(frozen=True, slots=True)
class Words:
    """A company's own subject and text of a kind; "" is the kind's own."""

    subject: str = ""
    text: str = ""


_ENTRY = "the number of the ticket"
_LINK = f"{_ENTRY}, and the link to it"
KINDS: dict[str, Kind] = {
    "ticket_received": Kind(
        "A new ticket, to its customer.",
        "We have received your request",
        "Your request has the number #{{ticket_number}}: please name it when you ask again{{way_out}}.",
        (*_NUMBER, "way_out"),
        _ENTRY,
    ),
    "ai_answer": Kind(
        "The AI's answer, to the customer.",
        "An answer to your request",
        "Here is an answer to your request #{{ticket_number}}. It was written automatically.",
        _WORDS,
        f"{_ENTRY}, the answer, that it was written automatically, and how to reach a person",
    ),
    "public_reply": Kind(
        "An agent's reply, to the customer.",
        "{{ticket_title}}",
        "{{agent_name}} has answered your request #{{ticket_number}}:",
        (*_WORDS, "agent_name"),
        f"{_ENTRY}, and the reply",
    ),
    "resolved": Kind(
        "The resolution, to the customer.",
        "Resolved: {{ticket_title}}",
        "Your request #{{ticket_number}} has been resolved.",
        _WORDS,
        f"{_ENTRY}, the resolution, how to ask again, and the link to rate it where there is one",
    ),
    "customer_replied": Kind(
        "A customer's reply, to the agent or the support address.",
        "The customer has replied",
        "The customer has replied on ticket #{{ticket_number}}.",
        _NUMBER,
        _LINK,
        TO_STAFF,
    ),
    "assigned": Kind(
        "A ticket was assigned, to the agent.",
        "Assigned to you",
        "Ticket #{{ticket_number}} has been assigned to you.",
        _NUMBER,
        _LINK,
        TO_STAFF,
    ),
    "urgent_alert": Kind(
        "An urgent ticket, to the support address.",
        "Urgent: {{ticket_title}}",
        "Ticket #{{ticket_number}} is urgent.",
        _WORDS,
        f"{_LINK}, its title, category, urgency and next action",
        TO_STAFF,
    ),
    "handoff_alert": Kind(
        "A chat needs a person, to the support address.",
        "A person is needed: {{ticket_title}}",
        "A customer in the chat needs a person: conversation #{{ticket_number}}.",
        _WORDS,
        f"{_LINK}, its title and next action",
        TO_STAFF,
    ),
    "sla_alert": Kind(
        "An agreed time is at risk or over, to the support address.",
        "{{headline}}: {{ticket_title}}",
        "{{sentence}}",
        (*_WORDS, "headline", "sentence"),
        f"{_LINK}, and its title",
        TO_STAFF,
    ),
    "sla_reminder": Kind(
        "An agreed time is at risk or over, to the agent.",
        "{{headline}}",
        "{{sentence}}",
        (*_NUMBER, "headline", "sentence"),
        _LINK,
        TO_STAFF,
    ),
    "watched": Kind(
        "A reply or the resolution, to whoever watches the ticket.",
        "{{headline}}",
        "{{headline}} on ticket #{{ticket_number}}, which you watch.",
        (*_NUMBER, "headline"),
        f"{_LINK}, and for people of the company what was written",
        TO_STAFF,
    ),
    "mail_alert": Kind(
        "Mail on a ticket was kept as a note, to the agent or the support address.",
        "Mail kept as a note",
        "A mail on ticket #{{ticket_number}} is kept as a note: {{reason}}.",
        (*_NUMBER, "reason"),
        _LINK,
        TO_STAFF,
    ),
    "urgent_digest": Kind(
        "What is urgent and assigned to nobody, to every agent and admin.",
        "Urgent tickets that nobody has: {{count}}",
        "These tickets are urgent and assigned to nobody:",
        ("company_name", "count"),
        "the numbers and titles of the tickets, and their links",
        TO_STAFF,
    ),
    "invitation": Kind(
        "An invitation, to whoever an admin invited.",
        "You are invited to {{company_name}}",
        "You are invited to {{company_name}}. Choose a password to come in:",
        ("company_name",),
        "the link to accept it, and how long that works",
        german=(
            "Einladung zu {{company_name}}",
            "Sie sind zu {{company_name}} eingeladen. Wählen Sie ein Passwort, um hereinzukommen:",
        ),
    ),
    "password_reset": Kind(
        "A link to a new password, to whoever asked for it.",
        "Choose a new password",
        "Somebody asked for a new password of your account at {{company_name}}. Choose it here:",
        ("company_name",),
        "the link, how long it works, and what to do if it was somebody else",
        german=(
            "Neues Passwort wählen",
            "Jemand hat ein neues Passwort für Ihr Konto bei {{company_name}} angefordert. Wählen Sie es hier:",
        ),
    ),
    "sign_in_code": Kind(
        "A code to sign in or to confirm an address, to whoever asked for it.",
        "Your code to sign in",
        "Here is your code to sign in at {{company_name}}:",
        ("company_name",),
        "the code, a link that enters it, how long it works, and what to do if it was somebody else",
        german=("Ihr Code zum Anmelden", "Hier ist Ihr Code, um sich bei {{company_name}} anzumelden:"),
    ),
}
SIGN_IN_KINDS = ("invitation", "password_reset", "sign_in_code")  # about no ticket
STAFF_KINDS = tuple(name for name, kind in KINDS.items() if kind.audience == TO_STAFF)


def fault(kind: str, words: Words) -> dict[str, str]:
    """What is wrong with a company's own words of a kind, by field."""
    faults = {
        field: text_variables.fault(text, KINDS[kind].variables, field=field)
        for field, text in (("subject", words.subject), ("text", words.text))
    }
    return {field: message for field, message in faults.items() if message}


def written(
    kind: str, words: Words | None, values: Mapping[str, object], *, in_german: bool = False
) -> tuple[str, str]:
    """The subject and the text with their variables filled in. The kind's own take the place of those without a word."""
    own, standard = words or Words(), Words(KINDS[kind].subject, KINDS[kind].text)
    if in_german and KINDS[kind].german[0]:
        standard = Words(*KINDS[kind].german)
    in_line = {name: one_line(value) for name, value in values.items()}
    in_text = {name: plain(value) for name, value in values.items()}
    subject = one_line(text_variables.fill(own.subject, in_line)) or text_variables.fill(standard.subject, in_line)
    subject = subject.strip().removesuffix(":")  # of a notice about no single ticket
    text = plain(text_variables.fill(own.text, in_text)).strip() or text_variables.fill(standard.text, in_line)
    return subject, text
