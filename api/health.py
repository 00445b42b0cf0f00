"""Health over HTTP, for hosts and for people: needs no key and tells no secret."""

from flask import Response, request
from marshmallow import Schema

from api import shapes
from api.envelope import Answer, render
from api.gate import the_foyer
from api.noun import Noun
from running_server import CHALLENGE, PROOF, proof
from services import health, outgoing_mail
from version import VERSION

blp = Noun("health", __name__, description="Whether the desk works.")


class StorageHealth(Schema):
    """The store."""

    engine = shapes.text("Which store: json, sqlite or postgresql.")
    durable = shapes.flag("Whether what is written survives a restart.")
    location_hint = shapes.text("Where, without the path.")
    note = shapes.text("Whether the data stays, for a person: what would be lost, what was, what to do.")


class AiHealth(Schema):
    """Who answers."""

    mode = shapes.text("model or canned.")
    embeddings = shapes.text("How texts are compared: static, minilm, or none (triage by words alone).")
    note = shapes.text("Why it is not what was asked for, or empty.")


class MailHealth(Schema):
    """Where notices go."""

    mode = shapes.text("smtp, console or memory.")
    note = shapes.text("What keeps mail from going out, or empty.")
    held_back = shapes.whole("Mails of the last 24 hours that were not sent because of a limit.")


class JobsHealth(Schema):
    """The outbox."""

    waiting = shapes.whole("Jobs to be done.")
    dead = shapes.whole("Jobs given up.")


class Health(Schema):
    """How the desk is."""

    status = shapes.text("ok.")
    version = shapes.text("Version of Foyer.")
    storage = shapes.part(StorageHealth)
    ai = shapes.part(AiHealth)
    mail = shapes.part(MailHealth)
    jobs = shapes.part(JobsHealth)


def _health() -> Response:
    foyer = the_foyer()
    storage = foyer.storage
    with storage.desk(None) as desk:
        counts = health.job_counts(desk)
        held_back = outgoing_mail.held_back(desk)
    data = {
        "status": "ok",
        "version": VERSION,
        "storage": {
            "engine": storage.name,
            "durable": foyer.survives_restart,
            "location_hint": storage.location_hint,
            "note": foyer.storage_note,
        },
        "ai": {"mode": foyer.ai_mode, "embeddings": foyer.embeddings.name, "note": foyer.embeddings.note},
        "mail": {
            "mode": foyer.mailer.mode,
            "note": health.mail_note(foyer.mailer.mode, held_back),
            "held_back": held_back,
        },
        "jobs": counts,
    }
    response = render(Answer(data, "The desk is open."))
    if challenge := request.headers.get(CHALLENGE):  # a command makes sure that this is the desk of its data
        response.headers[PROOF] = proof(foyer.note_secret, challenge)
    return response


@blp.public("/api/health", "GetHealth", gives=Health)
def get_health() -> Response:
    """Check the desk.

    Which store, AI and mail the desk uses and how many jobs wait; needs no key.
    """
    return _health()


@blp.public("/health", "GetHostHealth", gives=Health)
def get_host_health() -> Response:
    """Check the desk for a host.

    The same as checking the desk, at the path hosts ask by default.
    """
    return _health()
