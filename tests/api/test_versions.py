"""Versions: a write with a stale version is refused and never merged (case 18)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ai.llm import open_model
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller

WRITES = {
    "put": ("PUT", "", {"title": "New"}),
    "patch": ("PATCH", "", {"title": "New"}),
    "assign": ("POST", "/assign", {"agent_email": "bob"}),
    "unassign": ("POST", "/unassign", {}),
    "resolve": ("POST", "/resolve", {"resolution": "Done."}),
    "reply": ("POST", "/replies", {"body": "Hello."}),
    "note": ("POST", "/replies", {"body": "Hello.", "internal": True}),
    "ai_response": ("POST", "/ai_response", {}),
    "delete": ("DELETE", "", None),
}


def path_of(ticket):
    return f"/api/tickets/{ticket['id']}"


def whole(caller, ticket):
    """Everything there is about a ticket."""
    path = path_of(ticket)
    return [caller.data(caller.get(f"{path}{below}")) for below in ("", "/replies", "/history")]


@pytest.mark.every_engine
def test_the_version_is_also_the_etag(admin):
    created = admin.post("/api/tickets", {"title": "Help", "description": "d", "customer_email": "ada@example.com"})
    ticket = created.json["data"]
    read = admin.get(path_of(ticket))
    changed = admin.put(path_of(ticket), {"title": "New"})
    assigned = admin.post(f"{path_of(ticket)}/assign", {"agent_email": "bob"})
    for response, version in ((created, 1), (read, 1), (changed, 2), (assigned, 3)):
        assert response.headers["ETag"] == f'"{version}"'
        assert response.json["data"]["version"] == version


@pytest.mark.every_engine
@pytest.mark.parametrize("write", WRITES)
def test_a_stale_version_is_412_with_the_current_row_and_nothing_is_written(admin, mailer, run_jobs, write):
    method, below, body = WRITES[write]
    ticket = admin.ticket()
    admin.data(admin.put(path_of(ticket), {"product": "Lamp"}))
    run_jobs()
    before, mails = whole(admin, ticket), len(mailer.sent)
    named = [{"headers": {"If-Match": value}} for value in ('"1"', 'W/"1"', "1", '"99"')]
    answers = [admin.call(method, f"{path_of(ticket)}{below}", body, **how) for how in named]
    if body is not None:
        answers += [
            admin.call(method, f"{path_of(ticket)}{below}", {**body, "version": value}) for value in (1, "1", 99)
        ]
    for response in answers:
        assert response.status_code == 412, response.json
        assert response.json["data"]["code"] == "stale_version"
        assert response.json["data"]["current"] == before[0]
    assert whole(admin, ticket) == before
    run_jobs()
    assert len(mailer.sent) == mails


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("how", ["strong", "weak", "any", "field", "both"])
def test_the_current_version_is_accepted(admin, write, how):
    method, below, body = WRITES[write]
    if body is None and how in ("field", "both"):
        return
    ticket = admin.ticket(assigned_to="eve")
    match = {"strong": '"1"', "weak": 'W/"1"', "any": "*", "both": '"1"'}.get(how)
    body = {**body, "version": 1} if how in ("field", "both") else body
    headers = {"headers": {"If-Match": match}} if match else {}
    assert admin.call(method, f"{path_of(ticket)}{below}", body, **headers).status_code in (200, 201)


@pytest.mark.parametrize(
    "match", ["seven", '"seven"', '"1", "2"', '""', "-1", '"1.0"', "W/", '"²"', '"' + "1" * 50 + '"']
)
def test_a_malformed_if_match_is_400(admin, match):
    ticket = admin.ticket()
    for method, body in (("PUT", {"title": "New"}), ("DELETE", None)):
        response = admin.call(method, path_of(ticket), body, headers={"If-Match": match.encode().decode("latin-1")})
        assert response.status_code == 400
        assert response.json["data"]["errors"][0]["field"] == "If-Match"
    assert admin.data(admin.get(path_of(ticket))) == ticket


@pytest.mark.parametrize("version", [0, -1, 1.5, True, "one", [1], 2**40])
def test_a_malformed_version_is_400(admin, version):
    ticket = admin.ticket()
    response = admin.put(path_of(ticket), {"title": "New", "version": version})
    assert response.json["data"]["errors"][0]["field"] == "version"
    assert response.status_code == 400


def test_two_different_versions_in_one_call_are_400(admin):
    ticket = admin.ticket()
    assert admin.put(path_of(ticket), {"title": "New", "version": 1}, headers={"If-Match": '"2"'}).status_code == 400


@pytest.mark.every_engine
def test_of_two_writers_with_one_version_exactly_one_wins(app, admin):
    ticket = admin.ticket()
    writers = 8
    together = threading.Barrier(writers)

    def write(number):
        caller = Caller(app.test_client(), "admin-key")
        together.wait()
        return caller.put(path_of(ticket), {"title": f"Title {number}", "version": 1})

    with ThreadPoolExecutor(writers) as pool:
        responses = list(pool.map(write, range(writers)))
    assert sorted(response.status_code for response in responses) == [200] + [412] * (writers - 1)
    winner = next(response.json["data"] for response in responses if response.status_code == 200)
    assert admin.data(admin.get(path_of(ticket))) == winner
    assert all(response.json["data"]["current"] == winner for response in responses if response.status_code == 412)


@pytest.mark.every_engine
def test_one_call_increments_the_version_once(admin):
    ticket = admin.ticket(product="Lamp")
    body = {"title": "New", "priority": "urgent", "clear": ["product"], "assigned_to": "bob", "status": "in_progress"}
    assert admin.data(admin.put(path_of(ticket), body))["version"] == 2
    done = {"tags": ["a"], "status": "resolved", "resolution": "Done."}
    assert admin.data(admin.put(path_of(ticket), done))["version"] == 3


@pytest.mark.every_engine
def test_a_call_without_changes_keeps_the_version(admin):
    ticket = admin.ticket(assigned_to="bob")
    path = path_of(ticket)
    assert admin.data(admin.put(path, {"title": ticket["title"]})) == ticket
    assert admin.data(admin.post(f"{path}/assign", {"agent_email": "bob"})) == ticket
    assert admin.data(admin.put(path, {})) == ticket


@pytest.mark.every_engine
def test_changes_by_people_increment_the_version(admin):
    path = path_of(admin.ticket())
    moves = [
        ("assign", {"agent_email": "bob"}),
        ("unassign", {}),
        ("replies", {"body": "Hello."}),
        ("resolve", {"resolution": "Done."}),
        ("reopen", {}),
    ]
    for version, (move, body) in enumerate(moves, 2):
        admin.post(f"{path}/{move}", body)
        assert admin.data(admin.get(path))["version"] == version, move


@pytest.mark.every_engine
def test_an_ai_answer_does_not_increment_the_version(open_app):
    with FakeModel() as fake, closing(open_model("key", fake.url, "fake", 10.0)) as model:
        app = open_app(model=model)
        admin = Caller(app.test_client(), "admin-key")
        ticket = admin.ticket()
        app.extensions["runtime"].runner.run_due()
        answered = admin.data(admin.get(path_of(ticket)))
        assert (ticket["ai_status"], answered["ai_status"], answered["status"]) == ("pending", "done", "ai_responded")
        assert answered["version"] == ticket["version"] == 1
        admin.data(admin.post(f"{path_of(ticket)}/ai_response"))
        assert admin.data(admin.get(path_of(ticket)))["version"] == 1
        # So a change made for what was read before the answer still holds.
        assert admin.data(admin.put(path_of(ticket), {"title": "New", "version": 1}))["version"] == 2


def test_a_stale_ticket_sent_back_whole_is_412(admin):
    ticket = admin.ticket()
    admin.put(path_of(ticket), {"product": "Lamp"})
    assert admin.put(path_of(ticket), {**ticket, "title": "New"}).status_code == 412


def test_the_412_for_a_customer_has_only_customer_fields(admin, customer):
    ticket = admin.ticket()
    admin.put(path_of(ticket), {"assigned_to": "bob"})
    response = customer.post(f"{path_of(ticket)}/replies", {"body": "Hello.", "version": 1})
    assert response.status_code == 412
    assert not {"assigned_to", "triage_reasons", "next_action"} & set(response.json["data"]["current"])
