"""Idempotency: the same key, route and body by the same caller is done once with one response (case 15)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ai.llm import open_model
from services import idempotency
from tests.conftest import add_key
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller

pytestmark = pytest.mark.every_engine

NEW = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}


def keyed(key="k-1"):
    return {"headers": {"Idempotency-Key": key}}


def total(caller):
    return caller.get("/api/tickets").json["total"]


def is_replay(response):
    return response.headers.get("Idempotent-Replay") == "true"


def test_a_repeated_call_gets_the_stored_response_and_changes_nothing(admin, mailer, run_jobs):
    first, second = (admin.post("/api/tickets", NEW, **keyed()) for _ in range(2))
    assert (first.status_code, is_replay(first)) == (201, False)
    assert (second.status_code, is_replay(second)) == (201, True)
    assert first.get_data() == second.get_data()
    assert first.headers["ETag"] == second.headers["ETag"]
    assert total(admin) == 1
    run_jobs()
    assert sorted(notice.kind for notice in mailer.sent) == ["ai_answer", "ticket_received"]


def test_client_reference_works_like_the_header(admin):
    by_field = admin.post("/api/tickets", {**NEW, "client_reference": "k-1"})
    assert is_replay(admin.post("/api/tickets", {**NEW, "client_reference": "k-1"}))
    assert is_replay(admin.post("/api/tickets", NEW, **keyed()))
    both = admin.post("/api/tickets", {**NEW, "client_reference": "k-1"}, **keyed())
    assert both.get_data() == by_field.get_data()
    assert total(admin) == 1


def test_different_keys_in_header_and_body_are_400(admin):
    response = admin.post("/api/tickets", {**NEW, "client_reference": "a"}, **keyed("b"))
    assert response.status_code == 400
    assert response.json["data"]["errors"][0]["field"] == "client_reference"
    assert total(admin) == 0


def test_an_empty_key_is_no_key(admin):
    for _ in range(2):
        assert admin.post("/api/tickets", {**NEW, "client_reference": ""}, **keyed("")).status_code == 201
    assert total(admin) == 2


def test_the_same_body_in_another_order_or_spacing_is_the_same(admin):
    admin.post("/api/tickets", NEW, **keyed())
    raw = b'{ "customer_email":"ada@example.com",\n"description": "It broke.", "title":"Help" }'
    again = admin.post("/api/tickets", data=raw, headers={**keyed()["headers"], "Content-Type": "application/json"})
    assert is_replay(again)


def test_another_body_with_the_same_key_is_409_and_does_nothing(admin):
    admin.post("/api/tickets", NEW, **keyed())
    response = admin.post("/api/tickets", {**NEW, "title": "Other"}, **keyed())
    assert (response.status_code, response.json["data"]["code"]) == (409, "idempotency_key_reused")
    assert total(admin) == 1


def test_a_key_belongs_to_one_route(admin):
    paths = [f"/api/tickets/{admin.ticket()['id']}" for _ in range(2)]
    for path in paths:
        assert not is_replay(admin.post(f"{path}/resolve", {"resolution": "Done."}, **keyed()))
        assert not is_replay(admin.post(f"{path}/replies", {"body": "Note.", "internal": True}, **keyed()))
    assert is_replay(admin.post(f"{paths[0]}/resolve/", {"resolution": "Done."}, **keyed()))


def test_a_key_belongs_to_one_caller_and_company(admin, agent, other_admin, customer):
    other_customer = Caller(customer.client, customer.key, {"X-On-Behalf-Of": "eve@example.com"})
    body = {"title": "Help", "description": "It broke."}
    for caller in (admin, agent, other_admin):
        assert not is_replay(caller.post("/api/tickets", NEW, **keyed()))
    for caller in (customer, other_customer):
        assert not is_replay(caller.post("/api/tickets", body, **keyed()))
    for caller in (admin, agent, other_admin):
        assert is_replay(caller.post("/api/tickets", NEW, **keyed()))
    for caller in (customer, other_customer):
        assert is_replay(caller.post("/api/tickets", body, **keyed()))
    assert (total(admin), total(other_admin)) == (4, 1)


def test_fifty_concurrent_calls_create_one_ticket(app, admin, runtime):
    def create(_):
        return Caller(app.test_client(), "admin-key").post("/api/tickets", NEW, **keyed())

    with ThreadPoolExecutor(50) as pool:
        responses = list(pool.map(create, range(50)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.get_data() for response in responses}) == 1
    assert sum(not is_replay(response) for response in responses) == 1
    assert total(admin) == 1
    assert admin.ticket()["number"] == 2


@pytest.mark.parametrize(
    ("below", "body", "status"),
    [("resolve", {"resolution": "Again."}, 409), ("resolve", {"resolution": "Again.", "version": 1}, 412)],
)
def test_a_conflict_response_is_stored(admin, below, body, status):
    path = f"/api/tickets/{admin.ticket()['id']}"
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    first = admin.post(f"{path}/{below}", body, **keyed())
    admin.data(admin.post(f"{path}/reopen"))
    second = admin.post(f"{path}/{below}", body, **keyed())
    assert (first.status_code, second.status_code) == (status, status)
    assert first.get_data() == second.get_data()
    assert is_replay(second)


def test_a_404_is_stored_and_undoes_nothing(admin):
    path = "/api/tickets/nonsense/resolve"
    first, second = (admin.post(path, {"resolution": "Done."}, **keyed()) for _ in range(2))
    assert (first.status_code, second.status_code, is_replay(second)) == (404, 404, True)


def test_a_400_leaves_the_key_free_for_the_corrected_body(admin):
    # From the fields, and from the rules behind them.
    assert admin.post("/api/tickets", {**NEW, "title": 7}, **keyed()).status_code == 400
    assert admin.post("/api/tickets", NEW, **keyed()).status_code == 201
    path = f"/api/tickets/{admin.ticket()['id']}/assign"
    assert admin.post(path, {"auto": True, "agent_email": "bob"}, **keyed()).status_code == 400
    assert not is_replay(admin.post(path, {"agent_email": "bob"}, **keyed()))


def test_a_401_or_403_is_never_stored(app, admin, runtime):
    assert Caller(app.test_client(), "wrong").post("/api/tickets", NEW, **keyed()).status_code == 401
    caller = Caller(app.test_client(), add_key(runtime, "customer"))
    for _ in range(2):
        # A customer's key that does not say for whom.
        response = caller.post("/api/tickets", {"title": "Help", "description": "d"}, **keyed())
        assert (response.status_code, is_replay(response)) == (403, False)


def test_a_fault_leaves_the_key_free(admin, monkeypatch):
    path = f"/api/tickets/{admin.ticket()['id']}/ai_response"

    def broken(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("services.tickets.ai_answers.store_answer", broken)
    assert admin.post(path, **keyed()).status_code == 500
    monkeypatch.undo()
    assert (lambda response: (response.status_code, is_replay(response)))(admin.post(path, **keyed())) == (200, False)


def test_a_stored_response_is_deleted_after_a_day(open_app):
    present = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    admin = Caller(open_app(clock=lambda: present[0]).test_client(), "admin-key")
    first = admin.post("/api/tickets", NEW, **keyed())
    present[0] += timedelta(hours=23, minutes=59)
    assert is_replay(admin.post("/api/tickets", NEW, **keyed()))
    assert admin.post("/api/tickets", {**NEW, "title": "Other"}, **keyed()).status_code == 409
    present[0] += timedelta(minutes=2)
    later = admin.post("/api/tickets", {**NEW, "title": "Other"}, **keyed())
    assert (later.status_code, is_replay(later)) == (201, False)
    assert first.json["data"]["id"] != later.json["data"]["id"]
    assert is_replay(admin.post("/api/tickets", {**NEW, "title": "Other"}, **keyed()))


def test_a_repeated_call_during_the_model_call_is_409(open_app):
    with FakeModel() as fake, closing(open_model("key", fake.url, "fake", 30.0)) as model:
        app = open_app(model=model)
        admin = Caller(app.test_client(), "admin-key")
        path = f"/api/tickets/{admin.ticket()['id']}/ai_response"
        fake.mode, fake.seconds = "slow", 60.0
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: Caller(app.test_client(), "admin-key").post(path, **keyed()))
            while not fake.count and not running.done():
                pass
            meanwhile = admin.post(path, **keyed())
            other = admin.post(path, {"user": "bob"}, **keyed())
            fake.stopping.set()
            first = running.result(30)
        assert (meanwhile.status_code, meanwhile.json["data"]["code"]) == (409, "in_progress")
        assert int(meanwhile.headers["Retry-After"]) > 0
        assert (other.status_code, other.json["data"]["code"]) == (409, "idempotency_key_reused")
        assert (first.status_code, first.json["data"]["ai_source"]) == (200, "model")
        again = admin.post(path, **keyed())
        assert is_replay(again)
        assert again.get_data() == first.get_data()
        assert fake.count == 1


def test_a_refused_ai_answer_is_stored(admin):
    path = f"/api/tickets/{admin.ticket()['id']}"
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    first = admin.post(f"{path}/ai_response", **keyed())
    admin.data(admin.post(f"{path}/reopen"))
    second = admin.post(f"{path}/ai_response", **keyed())
    assert (first.status_code, second.status_code, is_replay(second)) == (409, 409, True)


def test_a_call_that_died_can_be_repeated_after_its_lease(open_app):
    present = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    app = open_app(clock=lambda: present[0])
    admin = Caller(app.test_client(), "admin-key")
    path = f"/api/tickets/{admin.ticket()['id']}/ai_response"
    with pytest.MonkeyPatch.context() as patch:
        # As after a kill: neither the answer nor the release arrives.
        patch.setattr("api.http.gate.store_response", lambda *_, **__: None)
        assert admin.post(path, **keyed()).status_code == 200
    assert admin.post(path, **keyed()).json["data"]["code"] == "in_progress"
    present[0] += timedelta(seconds=idempotency.LEASE_SECONDS + 1)
    assert admin.post(path, **keyed()).status_code == 200
    assert is_replay(admin.post(path, **keyed()))


def test_a_repeated_create_with_wait_gets_the_stored_response(open_app):
    with FakeModel() as fake, closing(open_model("key", fake.url, "fake", 30.0)) as model:
        app = open_app(model=model)
        admin = Caller(app.test_client(), "admin-key")
        first = admin.post("/api/tickets", NEW, **keyed())
        again = admin.post("/api/tickets?wait=1", NEW, **keyed())
        assert first.json["data"]["ai_status"] == "pending"
        assert is_replay(again)
        assert again.get_data() == first.get_data()


def test_a_patch_is_done_once_too(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    first = admin.call("PATCH", path, {"title": "New"}, headers={"Idempotency-Key": "p"})
    again = admin.call("PATCH", path, {"title": "New"}, headers={"Idempotency-Key": "p"})
    assert (again.headers["Idempotent-Replay"], again.headers["ETag"]) == ("true", '"2"')
    assert again.json == first.json
    other = admin.call("PATCH", path, {"title": "Newer"}, headers={"Idempotency-Key": "p"})
    assert (other.status_code, other.json["data"]["code"]) == (409, "idempotency_key_reused")
    assert admin.data(admin.get(path))["version"] == 2
