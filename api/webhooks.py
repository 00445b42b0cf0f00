"""Webhooks over HTTP: which address gets which events, what was delivered, and sending it again."""

from typing import Any

from flask import g, request
from marshmallow import Schema, ValidationError
from uuid_utils import uuid7

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Choices, Text, Words, Yes
from api.http.gate import current_runtime
from api.http.resource import Resource
from channels.webhook_sender import MOST_URL, Refused
from core import models
from core.errors import invalid_field, unavailable
from core.models import EVENTS, LIMITS
from core.permissions import Permission
from services.events import samples
from services.model_access import wait_slot
from services.webhooks import bodies, deliveries, secrets, subscriptions
from storage import Row, UnitOfWork

blp = Resource("webhooks", __name__, description="Events, sent to addresses of your own.")
ALL = "*"
URL_ABOUT = "Where events are sent: an https address on the public internet."


class EventNames(Words):
    """A list of events; one name, a comma list or * are taken too, as clients send them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(len(EVENTS), Choice(EVENTS), metadata={"minItems": 1}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        names = value.split(",") if isinstance(value, str) else value
        if isinstance(names, list) and ALL in names:
            return list(EVENTS)
        names = super()._deserialize(names, attr, data, **kwargs)
        if not names:
            raise ValidationError(f"{attr} must name one event or more of: {', '.join(EVENTS)}.")
        return names


class WebhookOut(Schema):
    """A webhook."""

    id = schemas.text("Id of the webhook.")
    name = schemas.text("Its name.")
    url = schemas.text("Where events are sent.")
    events = schemas.texts("Which events are sent.")
    format = schemas.word(models.WEBHOOK_FORMATS, "What is sent: json, or a message for Teams or Slack.")
    active = schemas.flag("Whether events are sent.")
    inactive_reason = schemas.text("Why nothing is sent, when the server decided so.")
    secret = schemas.optional_text("What signs each call; shown only when it was made.")
    created_at = schemas.moment("When it was added.", required=True)
    updated_at = schemas.moment("When it was last changed.", required=True)


class DeliveryOut(Schema):
    """A delivery: one event on its way to one webhook."""

    id = schemas.text("Id of the delivery.")
    webhook_id = schemas.text("Id of the webhook.")
    event_id = schemas.text("Id of the event, the same in every try: the header webhook-id.")
    event = schemas.text("What happened.")
    ticket_id = schemas.text("Id of the ticket, or empty.")
    state = schemas.word(deliveries.STATES, "waiting, delivered, or dead when it was given up.")
    attempts = schemas.integer("How often it was tried.")
    last_status = schemas.integer("HTTP status of the last answer.", required=False)
    last_error = schemas.text("Why the last try failed.")
    next_try_at = schemas.moment("When it is tried next.")
    finished_at = schemas.moment("When it was delivered or given up.")
    created_at = schemas.moment("When it happened.", required=True)


class WebhookChanges(Schema):
    """Fields of a webhook."""

    url = Text(MOST_URL, about=URL_ABOUT, metadata={"format": "uri"})
    events = EventNames(about="Which events to send.")
    format = Choice(
        models.WEBHOOK_FORMATS, about="json, or a message for a Teams workflow or a Slack incoming webhook."
    )
    name = Text(LIMITS["name"], about="Its name.")
    active = Yes(about="true sends again after the receiver was gone, false pauses.")
    rotate_secret = Yes(about="true makes a new secret; the old one signs beside it for 24 hours.")
    clear = Words(len(subscriptions.CLEARABLE), Choice(tuple(subscriptions.CLEARABLE)), about="Fields to empty.")


class NewWebhook(Repeatable):
    """A webhook to add. Other names for url and events are those that clients commonly send."""

    ALIASES = dict.fromkeys(
        "target_url targetUrl hook_url hookUrl callback_url callbackUrl notificationUrl notification_url".split(), "url"
    ) | {"event": "events"}
    url = Text(MOST_URL, required=True, about=URL_ABOUT, metadata={"format": "uri"})
    events = EventNames(required=True, about="Which events to send.")
    format = Choice(
        models.WEBHOOK_FORMATS, about="json, or a message for a Teams workflow or a Slack incoming webhook."
    )
    name = Text(LIMITS["name"], about="Its name.")


class TestWebhook(Repeatable):
    """Which event to send a sample of."""

    event = Choice(EVENTS, about="Which event; without it the first that the webhook gets.")


class ReplayDelivery(Repeatable):
    """Sending again takes nothing but a reference."""


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    state = Choices(
        deliveries.STATES, load_default=list(deliveries.STATES), about="waiting, delivered, dead or several."
    )


def _check_url(body: Row) -> None:
    """Looks the host up before the unit of work begins. Raises AppError 400, 503 while too many look-ups are slow."""
    if "url" not in body:
        return
    runtime = current_runtime()
    with wait_slot(runtime.wait_slots) as is_free:
        if not is_free:
            raise unavailable("Too many addresses are being looked up. Please try again shortly.", retry_after=2)
        try:
            runtime.webhook_sender.check(body["url"])
        except Refused as error:
            raise invalid_field("url", str(error)) from None


def _with_secret(webhook: Row) -> Row:
    secret = secrets.secret_of(current_runtime().secret, webhook["id"], webhook["generation"])
    return {**subscriptions.webhook_shape(webhook), "secret": secret}


@blp.get(
    "/api/webhooks",
    "ListWebhooks",
    permission=Permission.WEBHOOKS_READ,
    query=PageQuery,
    response=WebhookOut,
    many=True,
)
def list_webhooks(uow: UnitOfWork, query: Row) -> Answer:
    """List webhooks.

    Those of your company, oldest first, without their secrets.
    """
    rows = subscriptions.find(uow)
    page = rows[query["offset"] : query["offset"] + query["limit"]]
    data = [subscriptions.webhook_shape(row) for row in page]
    return Answer(data, how_many(len(rows), "webhook"), page=(len(rows), query["limit"], query["offset"]))


@blp.get("/api/webhooks/<webhook_id>", "GetWebhook", permission=Permission.WEBHOOKS_READ, response=WebhookOut)
def get_webhook(uow: UnitOfWork, webhook_id: str) -> Answer:
    """Get a webhook.

    One webhook by its id, without its secret.
    """
    webhook = subscriptions.get(uow, webhook_id)
    return Answer(subscriptions.webhook_shape(webhook), f"Webhook to {webhook['url']}.")


@blp.post(
    "/api/webhooks",
    "SubscribeToEvents",
    permission=Permission.WEBHOOKS_WRITE,
    body=NewWebhook,
    response=WebhookOut,
    status=201,
    secret=True,
    before=_check_url,
)
def create_webhook(uow: UnitOfWork, body: Row) -> Answer:
    """When something happens.

    Subscribes an address to events such as ticket.created. The secret that signs each call is shown once. The header
    Location is what to DELETE to end it.
    """
    webhook = subscriptions.create(uow, body)
    base = current_runtime().settings.public_url.rstrip("/") or request.host_url.rstrip("/")
    location = f"{base}/api/webhooks/{webhook['id']}"
    return Answer(_with_secret(webhook), "The webhook is added.", 201, headers={"Location": location})


@blp.patch(
    "/api/webhooks/<webhook_id>",
    "UpdateWebhook",
    permission=Permission.WEBHOOKS_WRITE,
    body=WebhookChanges,
    response=WebhookOut,
    before=_check_url,
)
def update_webhook(uow: UnitOfWork, webhook_id: str, body: Row) -> Answer:
    """Change a webhook.

    Changes the fields that are given and leaves the others. A new secret is shown once.
    """
    rotate = body.get("rotate_secret", False)
    webhook = subscriptions.update(uow, webhook_id, body)
    return Answer(_with_secret(webhook) if rotate else subscriptions.webhook_shape(webhook), "The webhook is saved.")


@blp.delete(
    "/api/webhooks/<webhook_id>", "DeleteWebhook", permission=Permission.WEBHOOKS_WRITE, response=schemas.Deleted
)
def delete_webhook(uow: UnitOfWork, webhook_id: str) -> Answer:
    """Delete a webhook.

    Ends the subscription, with what was not sent yet. One that is gone already is answered the same.
    """
    subscriptions.remove(uow, webhook_id)
    return Answer({"deleted": True}, "The webhook is deleted.")


@blp.get(
    "/api/webhooks/<webhook_id>/deliveries",
    "ListDeliveries",
    permission=Permission.WEBHOOKS_READ,
    query=DeliveriesQuery,
    response=DeliveryOut,
    many=True,
)
def list_deliveries(uow: UnitOfWork, webhook_id: str, query: Row) -> Answer:
    """List the deliveries of a webhook.

    The newest first. Delivered ones are kept for 7 days, dead ones for 30.
    """
    rows, total = deliveries.find(uow, webhook_id, query)
    data = [deliveries.delivery_shape(row) for row in rows]
    message = how_many(total, "delivery", "deliveries")
    return Answer(data, message, page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/webhooks/<webhook_id>/test",
    "TestWebhook",
    permission=Permission.WEBHOOKS_WRITE,
    body=TestWebhook,
    response=DeliveryOut,
)
def test_webhook(uow: UnitOfWork, webhook_id: str, body: Row) -> Answer:
    """Send a sample to a webhook.

    Sends a made-up event at once, signed like a real one. The list of deliveries says what became of it.
    """
    webhook = subscriptions.get(uow, webhook_id)
    event = samples.sample(body.get("event") or webhook["events"][0], g.actor, id_=str(uuid7())) or {}
    delivery = deliveries.add_test(uow, webhook_id, event, bodies.render(event, webhook["format"]))
    uow.after_commit.append(current_runtime().webhooks.wake)
    return Answer(deliveries.delivery_shape(delivery), "A sample is on its way.")


@blp.post(
    "/api/deliveries/<delivery_id>/replay",
    "ReplayDelivery",
    permission=Permission.WEBHOOKS_WRITE,
    body=ReplayDelivery,
    response=DeliveryOut,
)
def replay_delivery(uow: UnitOfWork, delivery_id: str, body: Row) -> Answer:
    """Send a delivery again.

    Sends a delivered or dead one again, with the same id and body.
    """
    delivery = deliveries.replay(uow, delivery_id)
    uow.after_commit.append(current_runtime().webhooks.wake)
    return Answer(deliveries.delivery_shape(delivery), "The delivery is sent again.")
