"""A test script for any running server: walks the ticket path over HTTP, as the contract says, and leaves no ticket behind.

What it cannot take back: its one customer `smoke-test`, and the notice to whom it assigns where a server has agents.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import uuid4

import click
import requests

from commands.api_client import ApiClient, ContractError, expect, expect_values, shown, unusable

CUSTOMER = "smoke-test"
AGENT = "Smoke test"  # not an address, so nobody is mailed; a server with agents takes only those
TICKET = {"title": "Smoke test, please ignore", "description": "How?", "customer_id": CUSTOMER, "priority": "low"}
LOOKUPS = ("statuses", "priorities", "categories", "teams", "tiers", "agents")
STATS = "total_tickets new_tickets ai_responded_tickets assigned_tickets resolved_tickets ai_resolution_rate".split()


@dataclass
class Walk(ApiClient):
    """One walk through a server, and what it has made so far."""

    run: str = field(default_factory=lambda: f"smoke-{uuid4().hex}")
    ticket: dict[str, Any] = field(default_factory=dict)
    began: bool = False

    @property
    def path(self) -> str:
        return f"/api/tickets/{self.ticket['id']}"

    @property
    def wanted(self) -> dict[str, Any]:
        return {**TICKET, "external_id": self.run}


def health(walk: Walk) -> None:
    for path in ("/api/health", "/health"):
        expect_values(walk.get(path, keyed=False).data, status="ok")


def no_key(walk: Walk) -> None:
    walk.get("/api/tickets", want=401, keyed=False)


def lookups(walk: Walk) -> None:
    found = {name: walk.get(f"/api/lookups/{name}").data for name in LOOKUPS}
    for name, choices in found.items():
        expect(all(choice["key"] and choice["label"] for choice in choices), f"{name} are not pairs of key and label.")
        expect(bool(choices) or name == "agents", f"There are no {name}.")


def create(walk: Walk) -> None:
    walk.began = True
    walk.ticket = walk.post("/api/tickets", walk.wanted, want=201, headers={"Idempotency-Key": walk.run}).data
    expect_values(walk.ticket, version=1, **walk.wanted)


def create_again(walk: Walk) -> None:
    again = walk.post("/api/tickets", walk.wanted, want=201, headers={"Idempotency-Key": walk.run})
    expect_values(again.data, id=walk.ticket["id"])
    expect(again.headers.get("Idempotent-Replay") == "true", "The repetition is not marked with Idempotent-Replay.")


def read(walk: Walk) -> None:
    answer = walk.get(walk.path)
    expect_values(answer.data, id=walk.ticket["id"], number=walk.ticket["number"], version=1)
    expect(answer.headers.get("ETag", "").removeprefix("W/") == '"1"', "ETag does not hold the version.")


def find(walk: Walk) -> None:
    filters = {"external_id": walk.run, "customer_id": CUSTOMER, "status": "open", "priority": "low"}
    found = walk.get("/api/tickets", params=filters).data
    expect([ticket["id"] for ticket in found] == [walk.ticket["id"]], "The filters do not find exactly the new ticket.")


def poll(walk: Walk) -> None:
    newer = walk.get("/api/triggers/new-tickets", params={"after": walk.ticket["created_at"]}).data
    expect(walk.ticket["id"] not in [ticket["id"] for ticket in newer], "after is not strict.")


def update(walk: Walk) -> None:
    changed = walk.call("PUT", walk.path, json={"product": "Foyer", "tags": ["smoke"], "version": 1}).data
    expect_values(changed, product="Foyer", tags=["smoke"], version=2, title=walk.wanted["title"])


def update_stale(walk: Walk) -> None:
    refused = walk.call("PUT", walk.path, want=412, json={"product": "Lost", "version": 1})
    expect_values(refused.data["current"], version=2, product="Foyer")


def ai_response(walk: Walk) -> None:
    state = walk.get(f"{walk.path}/ai_response").data["ai_status"]
    expect(state in ("off", "pending", "done", "failed"), f"ai_status is {state!r}.")
    answer = walk.post(f"{walk.path}/ai_response", {}).data
    expect(answer["ai_status"] == "done" and bool(answer["ai_response"]), "No AI response was written.")


def assign(walk: Walk) -> None:
    answer = walk.post(f"{walk.path}/assign", {"agent_email": AGENT, "user": AGENT}, also=400)
    name = AGENT
    if answer.status == 400:
        name = walk.get("/api/lookups/agents").data[0]["key"]
        answer = walk.post(f"{walk.path}/assign", {"agent_email": name, "user": AGENT})
    expect_values(answer.data, status="assigned", assigned_to=name)


def reply(walk: Walk) -> None:
    answer = walk.post(f"{walk.path}/replies", {"body": "Under Settings."}, want=201)
    expect_values(answer.data, body="Under Settings.", internal=False, author_role="agent")
    expect_values(walk.get(walk.path).data, status="waiting_customer")


def note(walk: Walk) -> None:
    answer = walk.post(f"{walk.path}/replies", {"body": "A note.", "internal": True}, want=201).data
    expect_values(answer, body="A note.", internal=True)
    thread = [entry["body"] for entry in walk.get(f"{walk.path}/replies").data]
    expect(thread[-2:] == ["Under Settings.", "A note."], "The thread does not end with the reply and the note.")


def resolve(walk: Walk) -> None:
    body = {"resolution": "Explained.", "user": AGENT}
    expect_values(walk.post(f"{walk.path}/resolve", body).data, status="resolved", resolution="Explained.")
    walk.post(f"{walk.path}/resolve", {"resolution": "Again."}, want=409)


def reopen(walk: Walk) -> None:
    changed = walk.post(f"{walk.path}/reopen", {}).data
    expect_values(changed, status="in_progress", resolution="")
    expect("resolved_at" not in changed, "The reopened ticket still has resolved_at.")


def history(walk: Walk) -> None:
    actions = [event["action"] for event in walk.get(f"{walk.path}/history").data]
    complete = actions[:1] == ["created"] and {"assigned", "resolved", "reopened"} <= set(actions)
    expect(complete, "The history does not tell from created to reopened, oldest first.")


def stats(walk: Walk) -> None:
    found = walk.get("/api/stats").data
    wrong = [name for name in STATS if type(found.get(name)) not in (int, float)]
    expect(not wrong, f"The statistics have no number for: {', '.join(wrong)}.")
    expect(found["total_tickets"] >= 1, "The statistics do not count the new ticket.")


def customers(walk: Walk) -> None:
    expect_values(walk.get(f"/api/customers/{CUSTOMER}").data, customer_id=CUSTOMER)
    found = [customer["customer_id"] for customer in walk.get("/api/customers", params={"q": CUSTOMER}).data]
    expect(CUSTOMER in found, "The list of customers lacks the new one.")


def unknown_id(walk: Walk) -> None:
    random, malformed = (walk.get(f"/api/tickets/{name}", want=404) for name in (uuid4(), "nonsense"))
    expect(random[:3] == malformed[:3], "A random and a malformed id are answered differently.")


def unknown_field(walk: Walk) -> None:
    answer = walk.post("/api/tickets", {**walk.wanted, "external_id": f"{walk.run}-2", "priorty": "low"}, want=400)
    expect(answer.data["errors"][0]["field"] == "priorty", "The unknown field is not named.")
    expect("priority" in answer.message, "The nearest known field is not named.")


def wrong_method(walk: Walk) -> None:
    expect("Allow" in walk.call("PATCH", "/api/tickets", want=405, json={}).headers, "405 came without Allow.")


def not_json(walk: Walk) -> None:
    walk.call("POST", "/api/tickets", want=415, data="title=x", headers={"Content-Type": "text/plain"})


def clean_up(walk: Walk) -> None:
    """Deletes the ticket, and whatever else this run made without being told so."""
    if walk.ticket:
        remove(walk, walk.ticket["id"])
    for found in walk.get("/api/tickets", params={"customer_id": CUSTOMER, "limit": 200}).data:
        if found["external_id"].startswith(walk.run):
            remove(walk, found["id"])


def remove(walk: Walk, ticket_id: str) -> None:
    expect_values(walk.call("DELETE", f"/api/tickets/{ticket_id}").data, deleted=True)
    walk.get(f"/api/tickets/{ticket_id}", want=404)


Step = tuple[str, Callable[[Walk], None]]
STEPS: list[Step] = [
    ("ask for its health", health),
    ("be refused without a key", no_key),
    ("list the drop-downs", lookups),
    ("create a ticket", create),
    ("create it again, once only", create_again),
    ("read the ticket", read),
    ("find it by filters", find),
    ("poll for newer tickets", poll),
    ("update the ticket", update),
    ("be refused with a stale version", update_stale),
    ("read the AI response and renew it", ai_response),
    ("assign the ticket", assign),
    ("reply to the customer", reply),
    ("add an internal note", note),
    ("resolve the ticket, once only", resolve),
    ("reopen the ticket", reopen),
    ("read its history", history),
    ("read the statistics", stats),
    ("read the customer", customers),
    ("be refused an unknown id", unknown_id),
    ("be refused an unknown field", unknown_field),
    ("be refused a wrong method", wrong_method),
    ("be refused what is not JSON", not_json),
]
CLEAN_UP: Step = ("delete what was made", clean_up)


def smoke(url: str, key: str, *, say: Callable[[str], None]) -> int:
    """Takes every step at the server at `url`, telling each; 0 when all went as they should, 1 at the first surprise."""
    if problem := unusable(url, key):
        say(problem)
        return 1

    def tell(text: str) -> None:
        plain = "".join(c if c.isprintable() else " " for c in text)  # a server's words must not steer a terminal
        say(re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", "[key]", plain))

    with requests.Session() as session:
        walk, good = Walk(url.rstrip("/"), key, session), False
        tell(f"Testing the server at {shown(walk.url)}")
        try:
            good = all(_taken(step, walk, say=tell) for step in STEPS)
        finally:
            good = _taken(CLEAN_UP, walk, say=tell) and good if walk.began else good
    tell(f"All {len(STEPS) + 1} steps went as they should." if good else "Stopped at the first surprise.")
    return int(not good)


def _taken(step: Step, walk: Walk, *, say: Callable[[str], None]) -> bool:
    """Takes a step and tells in a line how it went."""
    (label, take), start = step, perf_counter()
    try:
        take(walk)
    except (ContractError, LookupError, TypeError, AttributeError) as problem:
        known = isinstance(problem, ContractError)
        say(f"FAIL {label}: {problem if known else f'the answer does not have the shape it should ({problem!r}).'}")
        return False
    say(f"ok   {label} {'.' * (40 - len(label))} {(perf_counter() - start) * 1000:.0f} ms")
    return True


@click.command("smoke")
@click.option("--url", required=True, help="Address of the server to try.")
@click.option("--key", required=True, help="An admin key of that server.")
def command(url: str, key: str) -> None:
    """Try every main step on a running server, and clean up."""
    sys.exit(smoke(url, key, say=click.echo))
