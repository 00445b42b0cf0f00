"""Health over HTTP, for hosts and people: needs no key and reveals no secret."""

from flask import Response, request
from marshmallow import Schema

from ai.model_call import fault_note
from api.http import schemas
from api.http.envelope import Answer, render
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.models import DEFAULT_COMPANY, Actor
from core.version import VERSION
from runtime.server_proof import CHALLENGE, PROOF, proof
from services import ai_usage, health, outgoing_mail

blp = Resource("health", __name__, description="Whether the server works.")


class StorageHealth(Schema):
    """The store."""

    engine = schemas.text("Which store: json, sqlite or postgresql.")
    durable = schemas.flag("Whether what is written survives a restart.")
    location_hint = schemas.text("Where, without the path.")
    note = schemas.text("Whether the data stays, for a person: what would be lost, what was, what to do.")


class AiHealth(Schema):
    """The AI."""

    mode = schemas.text("model or canned.")
    embeddings = schemas.text("How texts are compared: static, minilm, or none (triage by words alone).")
    note = schemas.text("Why it is not what was asked for, or why the last call of the model failed; or empty.")


class MailHealth(Schema):
    """How mail is sent."""

    mode = schemas.text("smtp, console or memory.")
    note = schemas.text("What keeps mail from going out, or empty.")
    held_back = schemas.integer("Mails of the last 24 hours that were not sent because of a limit.")


class InboundHealth(Schema):
    """How mail comes in."""

    mode = schemas.text("http, imap, both or off.")
    note = schemas.text("What keeps mail from coming in, or empty.")


class JobsHealth(Schema):
    """The outbox."""

    waiting = schemas.integer("Jobs that wait.")
    dead = schemas.integer("Jobs that failed for good.")


class Health(Schema):
    """State of the server."""

    status = schemas.text("ok.")
    version = schemas.text("Version of Foyer.")
    storage = schemas.part(StorageHealth)
    ai = schemas.part(AiHealth)
    mail = schemas.part(MailHealth)
    inbound = schemas.part(InboundHealth)
    jobs = schemas.part(JobsHealth)


def _health() -> Response:
    runtime = current_runtime()
    storage = runtime.storage
    with storage.unit_of_work(None) as uow:
        counts = health.job_counts(uow)
        held_back = outgoing_mail.held_back(uow)
        budget = ai_usage.budget_note(uow.as_actor(Actor.system(DEFAULT_COMPANY))) if runtime.model else ""
    data = {
        "status": "ok",
        "version": VERSION,
        "storage": {
            "engine": storage.name,
            "durable": runtime.survives_restart,
            "location_hint": storage.location_hint,
            "note": runtime.storage_note,
        },
        "ai": {
            "mode": runtime.ai_mode,
            "embeddings": runtime.embeddings.name,
            "note": health.ai_note(runtime.embeddings.note, fault_note(runtime.model), budget),
        },
        "mail": {
            "mode": runtime.mailer.mode,
            "note": health.mail_note(runtime.mailer.mode, held_back),
            "held_back": held_back,
        },
        "inbound": {
            "mode": health.inbound_mode(
                http=bool(runtime.settings.inbound_secret.get_secret_value()), imap=runtime.mailbox is not None
            ),
            "note": runtime.mailbox.note if runtime.mailbox else "",
        },
        "jobs": counts,
    }
    response = render(Answer(data, "The server is running."))
    if challenge := request.headers.get(CHALLENGE):  # lets a command verify that this server uses its data
        response.headers[PROOF] = proof(runtime.note_secret, challenge)
    return response


@blp.public("/api/health", "GetHealth", response=Health)
def get_health() -> Response:
    """Check the server.

    Which store, AI and mail the server uses and how many jobs wait; needs no key.
    """
    return _health()


@blp.public("/health", "GetHostHealth", response=Health)
def get_host_health() -> Response:
    """Check the server for a host.

    The same as checking the server, at the path hosts ask by default.
    """
    return _health()
