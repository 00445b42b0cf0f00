"""Settings of a company: defaults, descriptions, reading and changing them."""

from dataclasses import dataclass
from typing import Any

from uuid_utils import uuid7

from core import timestamps
from core.errors import FieldError, invalid, invalid_field, not_found
from core.models import DEFAULT_COMPANY
from core.origins import is_origin
from database.tables import companies
from services.clearing import pop_cleared
from services.history import differences, record
from services.inbound import addresses
from services.routing import teams
from services.sla import recomputing, targets
from storage import Row, UnitOfWork


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its default and description."""

    default: Any
    about: str


# Pictures, sound, film, text, documents and archives.
DEFAULT_TYPES = (
    "image/* audio/* video/* text/* font/* message/rfc822 application/pdf application/rtf application/json application/yaml "
    "application/msword application/vnd.ms-excel application/vnd.ms-powerpoint application/vnd.ms-outlook "
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document "
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
    "application/vnd.openxmlformats-officedocument.presentationml.presentation "
    "application/vnd.oasis.opendocument.text application/vnd.oasis.opendocument.spreadsheet "
    "application/vnd.oasis.opendocument.presentation application/zip application/x-7z-compressed application/vnd.rar "
    "application/gzip application/x-gzip"
).split()
SETTINGS: dict[str, Setting] = {
    "ai_enabled": Setting(True, "Whether the language model may be asked; without it replies are canned."),
    "ai_triage": Setting(
        "always",
        "What the model's triage counts: off, uncertain (only where our own is not sure of the category) or always.",
    ),
    "ai_tone": Setting("", "How the model should sound in a chat, such as: brief and warm, first names."),
    "human_first": Setting(
        False, "Whether people answer chats first; the AI answers a chat after a person gives it back."
    ),
    "chat_idle_minutes": Setting(
        30,
        "Minutes without a word of the customer after which a chat closes itself, with a warning 5 minutes before; 0 never.",
    ),
    "chat_origins": Setting(
        [],
        "Sites whose pages may show the chat in a frame, such as https://shop.example.com; without one no other site may.",
    ),
    "ai_input_price": Setting(0.0, "What the model costs in USD per million tokens that are sent to it."),
    "ai_output_price": Setting(0.0, "What the model costs in USD per million tokens that it writes."),
    "ai_daily_budget_usd": Setting(
        0.0, "What the model may cost in a day (UTC); beyond it answers come without the model. 0 is no limit."
    ),
    "chat_guests": Setting(
        True, "Whether anybody may chat and search as a guest, without signing in; false ends the guests who are there."
    ),
    "registration": Setting(
        False, "Whether customers may register themselves, with an e-mail address that a code confirms."
    ),
    "topic_teams": Setting(
        [],
        "Which team tickets of a topic go to by themselves, where topics as sure as this were right 95 times of 100.",
    ),
    "sla": Setting(
        targets.DEFAULT_SLA,
        "The agreed times: minutes to the first response and to the resolution for each priority, and for a tier where it has "
        "its own. What no row names has none; an empty list switches them off.",
    ),
    "hours": Setting(
        targets.DEFAULT_HOURS,
        "When you are open: time zone, opening hours, holidays, and whether the agreed times count only these hours.",
    ),
    "tag_topics": Setting(
        False,
        "Whether a ticket gets its topic as a tag, where the topic is sure. Customers see the tags of their tickets.",
    ),
    "escalate_after_minutes": Setting(
        0,
        "Minutes of your open hours after which a ticket that no agent has is told to the support address, once; 0 never.",
    ),
    "auto_close_days": Setting(7, "Days after which a resolved ticket closes by itself; 0 never."),
    "reopen_days": Setting(
        14, "Days in which a customer's reply reopens a resolved or closed ticket; a later one opens a new ticket."
    ),
    "incidents_enabled": Setting(
        True, "Whether tickets of several customers who write what is alike within 30 minutes become an incident."
    ),
    "incident_customers": Setting(5, "How many customers must write what is alike to make an incident."),
    "retention_days": Setting(
        0,
        "Days after which resolved and closed tickets, and customers without other tickets, are erased; 0 keeps them for ever.",
    ),
    "attachment_megabytes": Setting(10, "How large an attached file may be, in MiB."),
    "attachment_types": Setting(
        DEFAULT_TYPES,
        "Which files may be attached, by what their bytes are, such as image/* or application/pdf. Pages, scripts and programs "
        "only where they are named exactly, such as text/html.",
    ),
    "support_email": Setting(
        "",
        "Who is alerted to urgent tickets, chats that need a person and agreed times at risk, and gets the replies on tickets "
        "that nobody has; several addresses with commas between; without it nobody.",
    ),
    "urgent_digest_minutes": Setting(
        0, "Minutes between mails to your people that list the urgent tickets which nobody has; 0 never."
    ),
    "mail_name": Setting("", "The name that mails to your customers and agents come from."),
    "reply_to": Setting("", "Where an answer to such a mail goes."),
    "inbound_addresses": Setting(
        [],
        "Addresses at which your customers' mail comes in; mail to no company's address belongs to the company default. "
        "Answers to your mails go to the first one.",
    ),
    "recipient_mails_per_hour": Setting(
        20, "Most mails per hour to one address outside your company; what is over that is not sent."
    ),
    "require_second_factor": Setting(
        "off", "Who must sign in with a second factor: off (nobody must) or staff (agents and admins)."
    ),
    "company_mails_per_hour": Setting(
        500,
        "Most mails per hour to all addresses outside your company together. Alerts, agents, and the codes and links that people "
        "ask for do not count; of those, and of codes to register, as many again are sent.",
    ),
}
_DEFAULTS = {name: setting.default for name, setting in SETTINGS.items()}
# Only the operator's company may raise these limits, so that registered companies cannot send mass mail.
MAIL_LIMITS = ("recipient_mails_per_hour", "company_mails_per_hour")
CLEARABLE = (
    "attachment_types",
    "support_email",
    "mail_name",
    "reply_to",
    "ai_tone",
    "sla",
    "hours",
    "inbound_addresses",
    "chat_origins",
)
AGREED = ("sla", "hours")  # settings that the agreed times of tickets follow from
MOST_ATTACHMENT_MEGABYTES = 20  # in base64 a file is a third larger, and a request has 32 MiB
MOST_IDLE_MINUTES = 24 * 60
MOST_CHAT_ORIGINS = 50
MOST_ESCALATION_MINUTES = 30 * 24 * 60
LEAST_INCIDENT_CUSTOMERS, MOST_INCIDENT_CUSTOMERS = 2, 100
MOST_DIGEST_MINUTES = 7 * 24 * 60
AI_TRIAGE = ("off", "uncertain", "always")
REQUIRE_SECOND_FACTOR = ("off", "staff")
_CHOICES = {"ai_triage": AI_TRIAGE, "require_second_factor": REQUIRE_SECOND_FACTOR}
MOST_RETENTION_DAYS = 3650
MOST_OF_ANY = 10**9  # of any setting that is a number
MOST_USD = 1_000_000
PRICES = ("ai_input_price", "ai_output_price")
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def of_company(company: Row) -> Row:
    """All settings of a company row, with defaults."""
    own = company["settings"]
    return _DEFAULTS | {name: own[name] for name in own if name in SETTINGS}  # each write of a ticket asks for them


def fault(company: Row) -> str:
    """What is wrong with the stored settings of a company row, "" when nothing is: a hand may have written them."""
    for name, value in company["settings"].items():
        if name not in SETTINGS:
            continue  # of another version
        default = SETTINGS[name].default
        if type(value) is not type(default) and not (type(default) is float and type(value) is int):
            return f"{name} must be {_KINDS[type(default)]}"
        if name in _CHOICES and value not in _CHOICES[name]:
            return f"{name} must be one of {', '.join(_CHOICES[name])}"
        if isinstance(value, int | float) and not 0 <= value <= MOST_OF_ANY:
            return f"{name} must be {_KINDS[type(default)]} from 0 to {MOST_OF_ANY}"
        if name == "attachment_types" and not all(isinstance(pattern, str) for pattern in value):
            return "attachment_types must be a list of texts"
        if name == "chat_origins" and not all(map(is_origin, value)):
            return "chat_origins must be a list of origins like https://shop.example.com"
        if name == "topic_teams" and not all(map(_is_topic_team, value)):
            return 'topic_teams must be a list of objects like {"topic": "…", "team": "…"}'
    return targets.fault(of_company(company))


def _is_topic_team(row: Any) -> bool:
    return isinstance(row, dict) and row.keys() == {"topic", "team"} and set(map(type, row.values())) == {str}


def current(uow: UnitOfWork) -> Row:
    """All settings of the actor's company."""
    return of_company(_company(uow))


def change(uow: UnitOfWork, fields: Row) -> Row:
    """Sets the given settings, resets those named in `clear`, and returns all settings. Raises AppError 400."""
    fields |= pop_cleared(fields, {name: SETTINGS[name].default for name in CLEARABLE})
    _check_mail_limits(uow, fields)
    company = _company(uow, lock=True)
    if "topic_teams" in fields:
        fields["topic_teams"] = [_with_team(uow, place, row) for place, row in enumerate(fields["topic_teams"])]
    _check_budget({**of_company(company), **fields})
    before, settings = of_company(company), {**company["settings"], **fields}
    if any(name in fields for name in AGREED):
        _check_hours(uow, {**before, **fields})
    if "inbound_addresses" in fields:
        addresses.replace(uow, company, fields["inbound_addresses"])
    values: Row = {"settings": settings}
    if before["chat_guests"] and not fields.get("chat_guests", True):
        values["guest_stamp"] = str(uuid7())  # tokens of before stay over when guests may come again
    uow.update(companies, company["id"], values)
    after = of_company({**company, "settings": settings})
    record(
        uow,
        company["id"],
        differences("settings_changed", _for_audit(before), _for_audit(after), SETTINGS),
        subject="settings",
    )
    if any(before[name] != after[name] for name in AGREED):
        recomputing.enqueue(uow)
    return after


def _with_team(uow: UnitOfWork, place: int, row: Row) -> Row:
    """A row of topic_teams with the key of its team. Raises AppError 400."""
    return {**row, "team": teams.resolve(uow, row["team"], field=f"topic_teams[{place}].team")}


def _check_budget(settings: Row) -> None:
    if settings["ai_daily_budget_usd"] and not any(settings[name] for name in PRICES):
        message = "Set ai_input_price or ai_output_price as well, so that costs can be counted."
        raise invalid_field("ai_daily_budget_usd", message)


def _check_hours(uow: UnitOfWork, settings: Row) -> None:
    if reason := targets.never_ends(settings, timestamps.moment(uow.real_now)):
        raise invalid_field("hours", reason)


def _check_mail_limits(uow: UnitOfWork, fields: Row) -> None:
    over = [name for name in MAIL_LIMITS if fields.get(name, 0) > SETTINGS[name].default]
    if over and uow.actor.company_id != DEFAULT_COMPANY:
        most = {name: f"{name} may be at most {SETTINGS[name].default} in this company." for name in over}
        raise invalid(*(FieldError(name, message) for name, message in most.items()))


def _for_audit(values: Row) -> Row:
    """The settings as the audit log shows them."""
    return {
        **values,
        **targets.for_audit(values),
        "attachment_types": ", ".join(values["attachment_types"]),
        "chat_origins": ", ".join(values["chat_origins"]),
        "topic_teams": [f"{row['topic']}: {row['team']}" for row in values["topic_teams"]],
    }


def _company(uow: UnitOfWork, *, lock: bool = False) -> Row:
    company = uow.get(companies, uow.actor.company_id, lock=lock)
    if company is None:
        raise not_found()
    return company
