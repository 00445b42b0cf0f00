"""The AI answer: it never delays or fails a ticket, and it is not sent after a person has replied."""

import threading
import time

import pytest

from ai.llm import open_model
from tests.fakes.fake_model import FakeModel


@pytest.fixture
def fake():
    with FakeModel() as server:
        yield server


@pytest.fixture
def app(open_app, fake):
    return open_app(model=open_model("sk-test", fake.url, "test-model", 2.0), threads=8)


def test_with_a_model_a_ticket_is_stored_at_once_and_answered_by_a_job(admin, run_jobs, fake):
    ticket = admin.ticket()
    assert (ticket["status"], ticket["ai_status"], ticket["ai_response"]) == ("new", "pending", "")
    assert fake.count == 0
    run_jobs()
    answered = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (answered["status"], answered["ai_status"], answered["ai_source"]) == ("ai_responded", "done", "model")
    assert answered["ai_response"]
    assert answered["version"] == ticket["version"]
    thread = admin.data(admin.get(f"/api/tickets/{ticket['id']}/replies"))
    assert [(reply["author_role"], reply["body"]) for reply in thread] == [("ai", answered["ai_response"])]


@pytest.mark.parametrize(
    "mode", ["error500", "refuse", "nonsense", "wrong_shape", "huge", "reset", "empty", "silent", "not_json"]
)
def test_when_the_model_fails_the_answer_is_canned(admin, run_jobs, fake, mode):
    fake.mode = mode
    ticket = admin.ticket()
    run_jobs()
    answered = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (answered["status"], answered["ai_status"], answered["ai_source"]) == ("ai_responded", "done", "canned")
    events = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    assert [event["to"] for event in events if event["action"] == "ai_failed"] != [""]


def test_a_caller_who_asks_to_wait_gets_the_models_answer_in_the_creation(admin, runtime, fake):
    runtime.runner.start()
    body = {"title": "Help", "description": "How do I export?", "customer_email": "ada@example.com"}
    ticket = admin.data(admin.post("/api/tickets?wait=15", body, headers={"Idempotency-Key": "w"}), 201)
    assert (ticket["ai_status"], ticket["ai_source"]) == ("done", "model")
    replayed = admin.post("/api/tickets?wait=15", body, headers={"Idempotency-Key": "w"})
    assert replayed.json["data"] == ticket
    assert fake.count == 1


def test_a_customer_who_waits_for_the_answer_to_their_first_ticket_gets_it(customer, runtime, fake):
    runtime.runner.start()
    body = {"title": "Help", "description": "How do I export?"}
    ticket = customer.data(customer.post("/api/tickets?wait=15", body, headers={"Idempotency-Key": "w"}), 201)
    assert (ticket["ai_status"], ticket["ai_source"]) == ("done", "model")
    assert "triage_reasons" not in ticket
    replayed = customer.post("/api/tickets?wait=15", body, headers={"Idempotency-Key": "w"})
    assert (replayed.status_code, replayed.headers["Idempotent-Replay"]) == (201, "true")
    assert replayed.json["data"] == ticket
    assert customer.data(customer.get("/api/tickets"))[0]["id"] == ticket["id"]


def test_a_ticket_deleted_during_the_wait_is_still_201(admin, customer, fake):
    body = {"title": "Help", "description": "How do I export?"}
    made = []
    waiting = threading.Thread(target=lambda: made.append(customer.post("/api/tickets?wait=20", body)))
    waiting.start()
    while not (found := admin.data(admin.get("/api/tickets"))):
        time.sleep(0.01)
    assert admin.delete(f"/api/tickets/{found[0]['id']}").status_code == 200
    waiting.join()
    assert (made[0].status_code, made[0].json["data"]["id"]) == (201, found[0]["id"])


@pytest.fixture
def all_places_taken(runtime):
    taken = [runtime.wait_slots.acquire(blocking=False) for _ in range(2)]
    assert taken == [True, True]  # 8 threads: two places
    assert not runtime.wait_slots.acquire(blocking=False)
    yield
    for _ in taken:
        runtime.wait_slots.release()


def test_a_ticket_whose_creator_cannot_wait_is_answered_later(admin, fake, all_places_taken):
    body = {"title": "Help", "description": "How do I export?", "customer_email": "ada@example.com"}
    ticket = admin.data(admin.post("/api/tickets?wait=20", body), 201)
    assert ticket["ai_status"] == "pending"
    assert fake.count == 0


def check_refused(admin, ticket, answer):
    """A 503 that stored nothing and mailed nobody."""
    assert (answer.status_code, answer.json["data"]["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Idempotent-Replay" not in answer.headers
    path = f"/api/tickets/{ticket['id']}"
    assert admin.data(admin.get(path)) == ticket
    assert admin.data(admin.get(f"{path}/replies"))[1:] == []
    actions = [event["action"] for event in admin.data(admin.get(f"{path}/history"))]
    assert "ai_answer_asked" not in actions


def answered_ticket(admin, run_jobs, mailer):
    ticket = admin.ticket()
    while run_jobs():
        pass
    mailer.sent.clear()
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}"))


def test_a_new_answer_is_503_while_all_slots_are_in_use(admin, run_jobs, mailer, runtime, fake, all_places_taken):
    ticket = answered_ticket(admin, run_jobs, mailer)
    path = f"/api/tickets/{ticket['id']}/ai_response"
    for _ in range(2):  # the key is free again
        check_refused(admin, ticket, admin.post(path, headers={"Idempotency-Key": "k"}))
    run_jobs()
    assert mailer.sent == []
    runtime.wait_slots.release()
    assert admin.data(admin.post(path, headers={"Idempotency-Key": "k"}))["ai_source"] == "model"
    runtime.wait_slots.acquire()


def test_a_new_answer_is_503_while_all_connections_to_the_model_are_in_use(admin, run_jobs, mailer, runtime, fake):
    ticket = answered_ticket(admin, run_jobs, mailer)
    lines = [runtime.model._lines.get_nowait() for _ in range(runtime.model._lines.qsize())]
    check_refused(admin, ticket, admin.post(f"/api/tickets/{ticket['id']}/ai_response"))
    run_jobs()
    assert mailer.sent == []
    for line in lines:
        runtime.model._lines.put(line)


def test_a_canned_answer_needs_no_slot(admin, run_jobs, mailer, fake, all_places_taken):
    ticket = answered_ticket(admin, run_jobs, mailer)
    admin.data(admin.put("/api/settings", {"ai_enabled": False}))
    assert admin.data(admin.post(f"/api/tickets/{ticket['id']}/ai_response"))["ai_source"] == "canned"


@pytest.mark.parametrize(
    "interfere",
    [
        ("assign", {"agent_email": "bob@example.com"}),
        ("replies", {"body": "I will look into it."}),
        ("resolve", {"resolution": "Done by phone."}),
    ],
)
def test_no_ai_answer_after_a_person_replied(admin, run_jobs, fake, interfere):
    fake.mode, fake.seconds = "slow", 0.8
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    worker = threading.Thread(target=run_jobs)
    worker.start()
    while fake.count == 0:
        time.sleep(0.01)
    move, body = interfere
    assert admin.post(f"{path}/{move}", body).status_code in (200, 201)
    worker.join()
    after = admin.data(admin.get(path))
    assert (after["ai_response"], after["ai_status"]) == ("", "off")
    assert after["status"] != "ai_responded"


def test_switching_the_model_off_at_run_time_gives_canned_answers_at_once(admin, run_jobs, fake):
    admin.data(admin.put("/api/settings", {"ai_enabled": False}))
    ticket = admin.ticket()
    assert (ticket["ai_status"], ticket["ai_source"]) == ("done", "canned")
    run_jobs()
    assert fake.count == 0
    admin.data(admin.put("/api/settings", {"ai_enabled": True}))
    assert admin.ticket()["ai_status"] == "pending"


def test_a_new_answer_on_request_is_the_models_and_keeps_the_version(admin, run_jobs, fake):
    ticket = admin.ticket()
    run_jobs()
    fake.reply = {"reply": "Please open the menu and choose Export to save your data."}
    path = f"/api/tickets/{ticket['id']}"
    new = admin.data(admin.post(f"{path}/ai_response"))
    assert (new["ai_response"], new["ai_source"]) == (fake.reply["reply"], "model")
    assert admin.data(admin.get(f"{path}/ai_response")) == new
    assert admin.data(admin.get(path))["version"] == ticket["version"]


def test_urgency_blends_six_parts_model_with_four_parts_rules(admin, run_jobs, fake):
    fake.reply = {"urgency": 5.0}
    ticket = admin.ticket()
    run_jobs()
    after = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert after["urgency"] == pytest.approx(0.6 * 5.0 + 0.4 * ticket["urgency"], abs=0.051)
    assert after["triage_source"] == "model"
    assert after["triage_reasons"]


def test_the_model_does_not_overrule_decisions_of_people(admin, run_jobs, fake):
    fake.reply = {"urgency": 5.0, "category": "sales", "priority": "urgent"}
    ticket = admin.ticket(category="billing", priority="low")
    run_jobs()
    after = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (after["category"], after["priority"], after["triage_source"]) == ("billing", "low", "human")


def test_card_numbers_and_passwords_do_not_reach_the_model(admin, run_jobs, fake):
    admin.ticket(description="My card 4111 1111 1111 1111 was charged and my password is hunter2secret.")
    run_jobs()
    sent = str(fake.requests)
    assert "4111" not in sent
    assert "hunter2secret" not in sent


def test_notes_do_not_reach_the_model(admin, run_jobs, fake):
    ticket = admin.ticket()
    run_jobs()
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/replies", {"body": "Suspected fraud, be careful.", "internal": True}), 201)
    admin.data(admin.post(f"{path}/ai_response"))
    assert fake.count == 2
    assert "Suspected fraud" not in str(fake.requests)


def test_model_failures_of_one_company_do_not_affect_others(admin, stranger, run_jobs, fake):
    fake.mode = "error500"
    failing = [admin.ticket() for _ in range(6)]
    while run_jobs():
        pass
    events = admin.data(admin.get(f"/api/tickets/{failing[-1]['id']}/history"))
    assert any("not asked for a moment" in event["to"] for event in events)
    fake.mode = "ok"
    ticket = stranger.ticket()
    while run_jobs():
        pass
    assert stranger.data(stranger.get(f"/api/tickets/{ticket['id']}"))["ai_source"] == "model"


def test_health_names_the_model(admin):
    assert admin.data(admin.get("/api/health"))["ai"]["mode"] == "model"
