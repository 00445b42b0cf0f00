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

from commands.api_client import ApiClient, ContractError, expect, expect_values, printable, unusable

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
    def new_ticket(self) -> dict[str, Any]:
        return {**TICKET, "external_id": self.run}


def health(walk: Walk) -> None:
    for path in ("/api/health", "/health"):
        expect_values(walk.get(path, keyed=False).data, status="ok")


def no_key(walk: Walk) -> None:
    walk.get("/api/tickets", want=401, keyed=False)


def lookups(walk: Walk) -> None:
    lists = {name: walk.get(f"/api/lookups/{name}").data for name in LOOKUPS}
    for name, choices in lists.items():
        expect(all(choice["key"] and choice["label"] for choice in choices), f"{name} are not pairs of key and label.")
        expect(bool(choices) or name == "agents", f"There are no {name}.")


def create(walk: Walk) -> None:
    walk.began = True
    walk.ticket = walk.post("/api/tickets", walk.new_ticket, want=201, headers={"Idempotency-Key": walk.run}).data
    expect_values(walk.ticket, version=1, **walk.new_ticket)


def create_again(walk: Walk) -> None:
    repeated = walk.post("/api/tickets", walk.new_ticket, want=201, headers={"Idempotency-Key": walk.run})
    expect_values(repeated.data, id=walk.ticket["id"])
    expect(repeated.headers.get("Idempotent-Replay") == "true", "The repetition is not marked with Idempotent-Replay.")


def read_ticket(walk: Walk) -> None:
    answer = walk.get(walk.path)
    expect_values(answer.data, id=walk.ticket["id"], number=walk.ticket["number"], version=1)
    expect(answer.headers.get("ETag", "").removeprefix("W/") == '"1"', "ETag does not hold the version.")


def find(walk: Walk) -> None:
    filters = {"external_id": walk.run, "customer_id": CUSTOMER, "status": "open", "priority": "low"}
    tickets = walk.get("/api/tickets", params=filters).data
    expect(
        [ticket["id"] for ticket in tickets] == [walk.ticket["id"]], "The filters do not find exactly the new ticket."
    )


def poll(walk: Walk) -> None:
    newer = walk.get("/api/triggers/new-tickets", params={"after": walk.ticket["created_at"]}).data
    expect(walk.ticket["id"] not in [ticket["id"] for ticket in newer], "after is not strict.")


def update(walk: Walk) -> None:
    ticket = walk.call("PUT", walk.path, json={"product": "Foyer", "tags": ["smoke"], "version": 1}).data
    expect_values(ticket, product="Foyer", tags=["smoke"], version=2, title=walk.new_ticket["title"])


def update_stale(walk: Walk) -> None:
    answer = walk.call("PUT", walk.path, want=412, json={"product": "Lost", "version": 1})
    expect_values(answer.data["current"], version=2, product="Foyer")


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
    ticket = walk.post(f"{walk.path}/reopen", {}).data
    expect_values(ticket, status="in_progress", resolution="")
    expect("resolved_at" not in ticket, "The reopened ticket still has resolved_at.")


def history(walk: Walk) -> None:
    actions = [event["action"] for event in walk.get(f"{walk.path}/history").data]
    complete = actions[:1] == ["created"] and {"assigned", "resolved", "reopened"} <= set(actions)
    expect(complete, "The history does not tell from created to reopened, oldest first.")


def stats(walk: Walk) -> None:
    figures = walk.get("/api/stats").data
    wrong = [name for name in STATS if type(figures.get(name)) not in (int, float)]
    expect(not wrong, f"The statistics have no number for: {', '.join(wrong)}.")
    expect(figures["total_tickets"] >= 1, "The statistics do not count the new ticket.")


def customers(walk: Walk) -> None:
    expect_values(walk.get(f"/api/customers/{CUSTOMER}").data, customer_id=CUSTOMER)
    customer_ids = [customer["customer_id"] for customer in walk.get("/api/customers", params={"q": CUSTOMER}).data]
    expect(CUSTOMER in customer_ids, "The list of customers lacks the new one.")


def unknown_id(walk: Walk) -> None:
    random, malformed = (walk.get(f"/api/tickets/{name}", want=404) for name in (uuid4(), "nonsense"))
    expect(random[:3] == malformed[:3], "A random and a malformed id are answered differently.")


def unknown_field(walk: Walk) -> None:
    answer = walk.post("/api/tickets", {**walk.new_ticket, "external_id": f"{walk.run}-2", "priorty": "low"}, want=400)
    expect(answer.data["errors"][0]["field"] == "priorty", "The unknown field is not named.")
    expect("priority" in answer.message, "The nearest known field is not named.")


def wrong_method(walk: Walk) -> None:
    expect("Allow" in walk.call("PATCH", "/api/tickets", want=405, json={}).headers, "405 came without Allow.")


def not_json(walk: Walk) -> None:
    walk.call("POST", "/api/tickets", want=415, data="title=x", headers={"Content-Type": "text/plain"})


def clean_up(walk: Walk) -> None:
    """Deletes the ticket, and other tickets of this run that the server created by mistake."""
    if walk.ticket:
        remove(walk, walk.ticket["id"])
    for ticket in walk.get("/api/tickets", params={"customer_id": CUSTOMER, "limit": 200}).data:
        if ticket["external_id"].startswith(walk.run):
            remove(walk, ticket["id"])


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
    ("read the ticket", read_ticket),
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
    """Runs every step on the server at `url` and reports each. Returns 0 if all passed, 1 after the first failure."""
    if problem := unusable(url, key):
        say(problem)
        return 1

    def tell(text: str) -> None:
        # Control characters of the server's text must not reach the terminal.
        printable_text = "".join(c if c.isprintable() else " " for c in text)
        say(re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", "[key]", printable_text))

    with requests.Session() as session:
        walk, passed = Walk(url.rstrip("/"), key, session), False
        tell(f"Testing the server at {printable(walk.url)}")
        try:
            passed = all(_run_step(step, walk, say=tell) for step in STEPS)
        finally:
            passed = _run_step(CLEAN_UP, walk, say=tell) and passed if walk.began else passed
    tell(f"All {len(STEPS) + 1} steps went as they should." if passed else "Stopped at the first surprise.")
    return int(not passed)


def _run_step(step: Step, walk: Walk, *, say: Callable[[str], None]) -> bool:
    """Runs a step and reports its result in one line."""
    (label, run), start = step, perf_counter()
    try:
        run(walk)
    except (ContractError, LookupError, TypeError, AttributeError) as problem:
        is_contract_error = isinstance(problem, ContractError)
        reason = str(problem) if is_contract_error else f"the answer does not have the shape it should ({problem!r})."
        say(f"FAIL {label}: {reason}")
        return False
    say(f"ok   {label} {'.' * (40 - len(label))} {(perf_counter() - start) * 1000:.0f} ms")
    return True


@click.command("smoke")
@click.option("--url", required=True, help="Address of the server to try.")
@click.option("--key", required=True, help="An admin key of that server.")
def command(url: str, key: str) -> None:
    """Try every main step on a running server, and clean up."""
    sys.exit(smoke(url, key, say=click.echo))
