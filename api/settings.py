"""The company's settings over HTTP."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

import notifier
from api import agreed_times
from api.http import schemas
from api.http.envelope import Answer
from api.http.fields import Choice, Decimal, Email, Number, TeamName, Text, Thing, Things, Topic, Words, Yes
from api.http.resource import Resource
from core import models, origins
from core.mailboxes import parse_mailboxes
from core.normal_form import valid_email
from core.permissions import Permission
from services import settings
from services.inbound import addresses
from services.triage import topics
from storage import Row, UnitOfWork

blp = Resource("settings", __name__, description="What a company can change at run time.")


MOST_TOPIC_TEAMS = 1_000
MOST_ADDRESSES = 10
MOST_TYPES = 100
_MEDIA_TYPE = re.compile(r"[a-z0-9][\w!#$&^.+-]*/(?:\*|[a-z0-9][\w!#$&^.+-]*)")


class TopicTeam(Schema):
    """The team of a topic."""

    topic = schemas.text("The topic.")
    team = schemas.text("The team its tickets go to.")


class NewTopicTeam(Schema):
    """The team of a topic, to be set."""

    topic = Topic(required=True, about="The topic, as in your examples.")
    team = TeamName(required=True, about="The team its tickets go to.")


class SettingsOut(Schema):
    """Every setting."""

    ai_enabled = schemas.flag(settings.SETTINGS["ai_enabled"].about)
    ai_triage = schemas.word(settings.AI_TRIAGE, settings.SETTINGS["ai_triage"].about)
    ai_tone = schemas.text(settings.SETTINGS["ai_tone"].about)
    human_first = schemas.flag(settings.SETTINGS["human_first"].about)
    chat_idle_minutes = schemas.integer(settings.SETTINGS["chat_idle_minutes"].about)
    chat_origins = schemas.texts(settings.SETTINGS["chat_origins"].about)
    ai_input_price = schemas.decimal(settings.SETTINGS["ai_input_price"].about)
    ai_output_price = schemas.decimal(settings.SETTINGS["ai_output_price"].about)
    ai_daily_budget_usd = schemas.decimal(settings.SETTINGS["ai_daily_budget_usd"].about)
    chat_guests = schemas.flag(settings.SETTINGS["chat_guests"].about)
    registration = schemas.flag(settings.SETTINGS["registration"].about)
    topic_teams = schemas.items(TopicTeam, settings.SETTINGS["topic_teams"].about)
    sla = schemas.items(agreed_times.SlaTarget, settings.SETTINGS["sla"].about)
    hours = schemas.part(agreed_times.Hours)
    tag_topics = schemas.flag(settings.SETTINGS["tag_topics"].about)
    escalate_after_minutes = schemas.integer(settings.SETTINGS["escalate_after_minutes"].about)
    auto_close_days = schemas.integer(settings.SETTINGS["auto_close_days"].about)
    reopen_days = schemas.integer(settings.SETTINGS["reopen_days"].about)
    incidents_enabled = schemas.flag(settings.SETTINGS["incidents_enabled"].about)
    incident_customers = schemas.integer(settings.SETTINGS["incident_customers"].about)
    retention_days = schemas.integer(settings.SETTINGS["retention_days"].about)
    attachment_megabytes = schemas.integer(settings.SETTINGS["attachment_megabytes"].about)
    attachment_types = schemas.texts(settings.SETTINGS["attachment_types"].about)
    support_email = schemas.text(settings.SETTINGS["support_email"].about)
    urgent_digest_minutes = schemas.integer(settings.SETTINGS["urgent_digest_minutes"].about)
    mail_name = schemas.text(settings.SETTINGS["mail_name"].about)
    reply_to = schemas.text(settings.SETTINGS["reply_to"].about)
    inbound_addresses = schemas.texts(settings.SETTINGS["inbound_addresses"].about)
    recipient_mails_per_hour = schemas.integer(settings.SETTINGS["recipient_mails_per_hour"].about)
    require_second_factor = schemas.word(
        settings.REQUIRE_SECOND_FACTOR, settings.SETTINGS["require_second_factor"].about
    )
    company_mails_per_hour = schemas.integer(settings.SETTINGS["company_mails_per_hour"].about)


class MailAddress(Email):
    """An address that this server can send mail to."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        address = super()._deserialize(value, attr, data, **kwargs)
        if not notifier.well_formed(address):
            raise ValidationError(f"{attr} must be an e-mail address that mail can be sent to, like ada@example.com.")
        return address


class InboundAddress(MailAddress):
    """An address at which mail comes in: without a plus part, which names a ticket."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        address = super()._deserialize(value, attr, data, **kwargs)
        if "+" in address.rpartition("@")[0]:
            raise ValidationError(f"{attr} takes addresses without a plus part, like support@example.com.")
        return address


class MailAddresses(Text):
    """E-mail addresses that this server can send mail to, with commas between."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(MOST_ADDRESSES * models.LIMITS["email"], lines=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            boxes = parse_mailboxes(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            raise ValidationError(f"{attr} {error}.") from None
        if len(boxes) > MOST_ADDRESSES:
            raise ValidationError(f"{attr} takes at most {MOST_ADDRESSES} addresses.")
        return ", ".join(valid_email(box.address) for box in boxes)


class SenderName(Text):
    """A name that mails come from. It is never an address, which could be somebody else's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(models.LIMITS["name"], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        if "@" in name:
            raise ValidationError(f"{attr} is a name and must not hold an address.")
        return name


class MediaType(Text):
    """A media type, or all of a kind: application/pdf, image/*."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(models.LIMITS["file_name"], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        media = super()._deserialize(value, attr, data, **kwargs).lower()
        if not _MEDIA_TYPE.fullmatch(media):
            raise ValidationError(f"{attr} must be a media type like application/pdf or image/*.")
        return media


class Origin(Text):
    """The origin of a site."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(origins.MOST_LETTERS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return origins.parse(super()._deserialize(value, attr, data, **kwargs))
        except ValueError:
            message = f"{attr} must be a site's origin like https://shop.example.com: no path, and no * in it."
            raise ValidationError(message) from None


class SettingsChanges(Schema):
    """Settings to change; what is left out stays."""

    ai_enabled = Yes(about=settings.SETTINGS["ai_enabled"].about)
    ai_triage = Choice(settings.AI_TRIAGE, about=settings.SETTINGS["ai_triage"].about)
    ai_tone = Text(models.LIMITS["q"], about=settings.SETTINGS["ai_tone"].about)
    human_first = Yes(about=settings.SETTINGS["human_first"].about)
    chat_idle_minutes = Number(0, settings.MOST_IDLE_MINUTES, about=settings.SETTINGS["chat_idle_minutes"].about)
    chat_origins = Words(settings.MOST_CHAT_ORIGINS, Origin(), about=settings.SETTINGS["chat_origins"].about)
    ai_input_price = Decimal(0, settings.MOST_USD, places=6, about=settings.SETTINGS["ai_input_price"].about)
    ai_output_price = Decimal(0, settings.MOST_USD, places=6, about=settings.SETTINGS["ai_output_price"].about)
    ai_daily_budget_usd = Decimal(0, settings.MOST_USD, places=2, about=settings.SETTINGS["ai_daily_budget_usd"].about)
    chat_guests = Yes(about=settings.SETTINGS["chat_guests"].about)
    registration = Yes(about=settings.SETTINGS["registration"].about)
    topic_teams = Things(NewTopicTeam, MOST_TOPIC_TEAMS, about=settings.SETTINGS["topic_teams"].about)
    sla = agreed_times.new_targets(settings.SETTINGS["sla"].about)
    hours = Thing(agreed_times.NewHours, about=settings.SETTINGS["hours"].about)
    tag_topics = Yes(about=settings.SETTINGS["tag_topics"].about)
    escalate_after_minutes = Number(
        0, settings.MOST_ESCALATION_MINUTES, about=settings.SETTINGS["escalate_after_minutes"].about
    )
    auto_close_days = Number(0, settings.MOST_RETENTION_DAYS, about=settings.SETTINGS["auto_close_days"].about)
    reopen_days = Number(0, settings.MOST_RETENTION_DAYS, about=settings.SETTINGS["reopen_days"].about)
    incidents_enabled = Yes(about=settings.SETTINGS["incidents_enabled"].about)
    incident_customers = Number(
        settings.LEAST_INCIDENT_CUSTOMERS,
        settings.MOST_INCIDENT_CUSTOMERS,
        about=settings.SETTINGS["incident_customers"].about,
    )
    retention_days = Number(0, settings.MOST_RETENTION_DAYS, about=settings.SETTINGS["retention_days"].about)
    attachment_megabytes = Number(
        1, settings.MOST_ATTACHMENT_MEGABYTES, about=settings.SETTINGS["attachment_megabytes"].about
    )
    attachment_types = Words(MOST_TYPES, MediaType(), about=settings.SETTINGS["attachment_types"].about)
    support_email = MailAddresses(about=settings.SETTINGS["support_email"].about)
    urgent_digest_minutes = Number(
        0, settings.MOST_DIGEST_MINUTES, about=settings.SETTINGS["urgent_digest_minutes"].about
    )
    mail_name = SenderName(about=settings.SETTINGS["mail_name"].about)
    reply_to = MailAddress(about=settings.SETTINGS["reply_to"].about)
    inbound_addresses = Words(addresses.MOST, InboundAddress(), about=settings.SETTINGS["inbound_addresses"].about)
    recipient_mails_per_hour = Number(1, 100_000, about=settings.SETTINGS["recipient_mails_per_hour"].about)
    require_second_factor = Choice(
        settings.REQUIRE_SECOND_FACTOR, about=settings.SETTINGS["require_second_factor"].about
    )
    company_mails_per_hour = Number(1, 100_000, about=settings.SETTINGS["company_mails_per_hour"].about)
    clear = Words(len(settings.CLEARABLE), Choice(settings.CLEARABLE), about="Settings to empty.")

    @validates_schema(skip_on_field_errors=True)
    def _a_target_once(self, fields: Row, **_: Any) -> None:
        agreed_times.check_targets(fields.get("sla", []))

    @validates_schema(skip_on_field_errors=True)
    def _a_topic_once(self, fields: Row, **_: Any) -> None:
        names: set[str] = set()
        for row in fields.get("topic_teams", []):
            if topics.folded(row["topic"]) in names:
                raise ValidationError(f'topic_teams names "{row["topic"]}" twice. Name each topic once.', "topic_teams")
            names.add(topics.folded(row["topic"]))


@blp.get("/api/settings", "GetSettings", permission=Permission.SETTINGS_READ, response=SettingsOut)
def get_settings(uow: UnitOfWork) -> Answer:
    """Get the settings.

    Every setting of your company.
    """
    return Answer(settings.current(uow), "Settings.")


@blp.put(
    "/api/settings", "UpdateSettings", permission=Permission.SETTINGS_WRITE, body=SettingsChanges, response=SettingsOut
)
def update_settings(uow: UnitOfWork, body: Row) -> Answer:
    """Change the settings.

    Changes the settings that are given; they hold from the next ticket on, `sla` and `hours` for open tickets too.
    """
    return Answer(settings.change(uow, body), "The settings are saved.")
