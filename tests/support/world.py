"""A company with one thing of every kind, and callers of every kind, for tests of all routes."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from core.models import Actor
from core.permissions import ACT_FOR_CUSTOMERS
from database.tables import api_keys, deliveries, jobs, metadata
from services.accounts import sessions, users
from services.tickets import incidents
from tests.conftest import add_key
from tests.support.accounts import GOOD, bearing
from tests.support.caller import Caller
from tests.support.route_calls import ARTICLE, USER, WEBHOOK

GONE = "2020-01-01T00:00:00.000Z"


@dataclass
class World:
    """A company with a thing of every kind, and callers of every kind."""

    app: Any
    callers: dict[str, Caller] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def rows(self) -> dict[str, Any]:
        """Everything that is kept, but for when a key was used."""
        with self.app.extensions["runtime"].storage.unit_of_work(None) as uow:
            kept = {table.name: uow.find(select(table)) for table in metadata.sorted_tables}
        for row in kept[api_keys.name]:
            row.pop("last_used_at")
        return kept

    def path(self, rule: str, ids: dict[str, str]) -> str:
        for name, value in ids.items():
            rule = rule.replace(f"<{name}>", value).replace(f"<name:{name}>", value)
        return rule


def signed_in_customer(runtime, client):
    """Ada, signed in."""
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        user = users.create(uow, {"name": "Ada", "email": "ada@example.com", "role": "customer"})
        session = sessions.start(uow, user["id"])
        return bearing(Caller(client), runtime.tokens.access(user["id"], session["id"], now=uow.now))


def dead_job(runtime):
    """A job that was given up."""
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        values = {"lane": "mail", "kind": "resolved", "state": "dead", "run_at": uow.real_now, "created_at": uow.now}
        return uow.insert(jobs, values)["id"]


def webhook(runtime, admin):
    """A webhook with a dead delivery, and the name of an event."""
    hook = admin.data(admin.post("/api/webhooks", WEBHOOK), 201)["id"]
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        values = {"webhook_id": hook, "event_id": "e", "state": "dead", "next_try_at": uow.now, "created_at": uow.now}
        return {"webhook_id": hook, "delivery_id": uow.insert(deliveries, values)["id"], "event": "ticket.created"}


def incident(runtime, ticket_id):
    """An incident of one ticket."""
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        return incidents.open_incident(uow, [{"id": ticket_id, "arrived_at": uow.real_now}])


def make_world(app, admin):
    """The callers and the things, made through the API where it makes them."""
    made, runtime = World(app), app.extensions["runtime"]
    client = app.test_client()
    ticket = admin.ticket()
    admin.ticket(customer_email="eve@example.com")
    user = admin.data(admin.post("/api/users", {**USER, "email": "first@example.com", "password": GOOD}), 201)
    key = admin.data(admin.post("/api/keys", {"name": "first", "role": "agent"}), 201)
    made.ids = {"ticket_id": ticket["id"], "name": "ada@example.com", "user_id": user["id"], "key_id": key["id"]}
    made.ids["from_id"] = ticket["id"]
    made.ids["job_id"] = dead_job(runtime)
    made.ids["incident_id"] = incident(runtime, ticket["id"])
    made.ids["article_id"] = admin.data(admin.post("/api/knowledge", ARTICLE), 201)["id"]
    made.ids["macro_id"] = admin.data(admin.post("/api/macros", {"name": "Thanks", "body": "Thank you."}), 201)["id"]
    made.ids["team_id"] = admin.data(admin.post("/api/teams", {"name": "VIP desk"}), 201)["id"]
    rule = {"tags": ["refund"], "conditions": [{"field": "word", "op": "is", "value": "refund"}]}
    made.ids["rule_id"] = admin.data(admin.post("/api/routing/rules", rule), 201)["id"]
    view = {"name": "Question about refunds", "filter": {"status": "open"}, "shared": True}
    agent = Caller(client, add_key(runtime, "agent"))  # whoever saved a view may change it, and an admin
    made.ids["view_id"] = agent.data(agent.post("/api/views", view), 201)["id"]
    question = {"customer_email": "ada@example.com", "message": "Question about refunds"}
    made.ids["conversation_id"] = admin.data(admin.post("/api/chat", question))["conversation_id"]
    message = {"channel": "form", "sender": "ada@example.com", "text": "Question about refunds", "external_id": "first"}
    admin.data(admin.post("/api/inbound/message", message))
    made.ids["mail_id"] = admin.data(admin.get("/api/inbound/mails"))[0]["id"]
    made.ids["draft_id"] = admin.data(admin.post(f"/api/tickets/{ticket['id']}/draft"))["draft_id"]
    made.ids |= webhook(runtime, admin)
    signed = Caller(client).post("/api/auth/login", {"email": "first@example.com", "password": GOOD}).json["data"]
    revoked = admin.data(admin.post("/api/keys", {"name": "revoked", "role": "admin"}), 201)
    admin.delete(f"/api/keys/{revoked['id']}")
    over = bearing(Caller(client), signed["access_token"])
    Caller(client).post("/api/auth/logout", {"refresh_token": signed["refresh_token"]})
    acting = add_key(runtime, "admin", scopes=[ACT_FOR_CUSTOMERS])
    only_reads = {"name": "reader", "role": "admin", "scopes": ["read_only"]}
    reading = admin.data(admin.post("/api/keys", only_reads), 201)["key"]
    only_reads["scopes"].append(ACT_FOR_CUSTOMERS)
    reading_for = admin.data(admin.post("/api/keys", only_reads), 201)["key"]
    made.callers = {
        "nobody": Caller(client),
        "revoked key": Caller(client, revoked["key"]),
        "expired key": Caller(client, add_key(runtime, "admin", scopes=["a", "b"], expires_at=GONE)),
        "signed out": over,
        "key without the scope": Caller(client, add_key(runtime, "admin", scopes=["none.such"] * 5)),
        "key that may not act": Caller(client, add_key(runtime, "admin"), {"X-On-Behalf-Of": "ada@example.com"}),
        "customer key without a customer": Caller(client, add_key(runtime, "customer")),
        "acting for nobody": Caller(client, acting, {"X-On-Behalf-Of": "\u2003".encode().decode("latin-1")}),
        "acting key": Caller(client, acting),
        "signed-in customer": signed_in_customer(runtime, client),
        "customer": Caller(client, acting, {"X-On-Behalf-Of": "ada@example.com"}),
        "other customer": Caller(client, acting, {"X-On-Behalf-Of": "eve@example.com"}),
        "agent": agent,
        "admin": admin,
        "reading admin": Caller(client, reading),
        "reading customer": Caller(client, reading_for, {"X-On-Behalf-Of": "ada@example.com"}),
        "agent elsewhere": Caller(client, add_key(runtime, "agent", company="other")),
        "admin elsewhere": Caller(client, add_key(runtime, "admin", company="other")),
    }
    path, ada = f"/api/tickets/{ticket['id']}/attachments", made.callers["customer"]
    made.ids["transfer_id"] = admin.data(admin.post("/api/transfers", {"kind": "export"}), 201)["id"]
    made.ids["attachment_id"] = ada.data(ada.post(path, {"name": "a.txt", "content": "SGVsbG8="}), 201)["id"]
    for caller in made.callers.values():
        caller.get("/api/me")  # notes once that each key was used
    return made
