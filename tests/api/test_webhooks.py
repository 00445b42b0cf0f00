"""Webhooks over HTTP: subscribing, what arrives at a real receiver, its signature, the log, replay."""

import base64
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core import timestamps
from core.models import EVENTS, LAST_MESSAGE_FIELDS, STAFF_ONLY_FIELDS
from services.events import happenings
from tests.conftest import SECRET
from tests.fakes.webhook_receiver import Receiver
from tests.support.caller import Caller
from tests.support.clock import Clock

ALL = {"events": "*"}


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture
def app(open_app):
    return open_app(webhook_allow_hosts="127.0.0.1")


@pytest.fixture
def send(runtime):
    """Sends what is due."""
    return runtime.webhooks.run_due


def subscribe(admin, receiver, **fields):
    return admin.data(admin.post("/api/webhooks", {"url": receiver.url, **ALL, **fields}), 201)


@pytest.mark.every_engine
def test_a_new_ticket_arrives_with_its_whole_public_shape_and_a_valid_signature(admin, receiver, send):
    webhook = subscribe(admin, receiver)
    ticket = admin.ticket()
    assert send() == 1
    [call] = receiver.calls
    assert call.headers["content-type"] == "application/json"
    body = Webhook(webhook["secret"]).verify(call.body, call.headers)
    assert body["id"] == call.id
    assert (body["event"], body["ticket_id"], body["ticket"]) == ("ticket.created", ticket["id"], ticket)
    [feed] = admin.get("/api/events").json["data"]
    shown = {name: value for name, value in feed["ticket"].items() if name not in LAST_MESSAGE_FIELDS}
    assert {**feed, "ticket": shown} == body


def test_the_secret_is_shown_once_and_stands_in_no_list_log_history_or_file(admin, receiver, send, tmp_path, caplog):
    webhook = subscribe(admin, receiver, name="Own")
    rotated = admin.data(admin.call("PATCH", f"/api/webhooks/{webhook['id']}", {"rotate_secret": True}))
    admin.ticket()
    send()
    pages = [admin.get(path) for path in ("/api/webhooks", f"/api/webhooks/{webhook['id']}/deliveries", "/api/audit")]
    text = "".join(page.get_data(as_text=True) for page in pages) + caplog.text
    text += "".join(path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file())
    for secret in (webhook["secret"], rotated["secret"]):
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        assert secret.removeprefix("whsec_") not in text
    assert "secret" not in admin.get("/api/webhooks").json["data"][0]


def test_an_address_may_hold_a_key_so_the_history_and_the_log_have_its_host_alone(admin, receiver, send, caplog):
    webhook = subscribe(admin, receiver, url=f"{receiver.url}?sig=topsecret")
    receiver.behaviour = lambda call, handler: 500
    admin.ticket()
    send()
    admin.call("PATCH", f"/api/webhooks/{webhook['id']}", {"url": f"{receiver.url}?sig=othersecret"})
    admin.delete(f"/api/webhooks/{webhook['id']}")
    audit = admin.get("/api/audit?subject=webhook").get_data(as_text=True)
    assert "127.0.0.1" in audit
    assert "127.0.0.1" in caplog.text
    for secret in ("topsecret", "othersecret"):
        assert secret not in audit + caplog.text


def test_case_22_a_changed_byte_or_id_an_old_call_and_a_foreign_secret_fail(admin, receiver, send):
    webhook, other = subscribe(admin, receiver), subscribe(admin, receiver)
    admin.ticket()
    send()
    own = Webhook(webhook["secret"])
    [call] = [call for call in receiver.calls if _is_valid(own, call.body, call.headers)]
    old = timestamps.now() - timedelta(minutes=10)
    too_old = call.headers | {
        "webhook-timestamp": str(int(old.timestamp())),
        "webhook-signature": own.sign(call.id, old, call.body.decode()),
    }
    assert not _is_valid(own, call.body, too_old)
    assert not _is_valid(own, call.body.replace(b"Question", b"Questiom"), call.headers)
    assert not _is_valid(own, call.body, call.headers | {"webhook-id": "another"})
    earlier = str(int(call.headers["webhook-timestamp"]) - 1)
    assert not _is_valid(own, call.body, call.headers | {"webhook-timestamp": earlier})
    assert not _is_valid(Webhook(other["secret"]), call.body, call.headers)


def _is_valid(webhook, body, headers):
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_case_22_while_a_secret_is_rotated_both_sign_and_a_day_later_the_new_one_alone(open_app, receiver):
    clock = Clock()
    app = open_app(webhook_allow_hosts="127.0.0.1", clock=clock)
    admin, send = Caller(app.test_client(), "admin-key"), app.extensions["runtime"].webhooks.run_due
    webhook = subscribe(admin, receiver)
    rotated = admin.data(admin.call("PATCH", f"/api/webhooks/{webhook['id']}", {"rotate_secret": True}))
    old, new = Webhook(webhook["secret"]), Webhook(rotated["secret"])
    for hours, old_signs in ((23, True), (2, False)):
        clock.forward(hours=hours)
        admin.ticket()
        send()
        call = receiver.calls[-1]
        assert _is_valid(new, call.body, call.headers)
        assert _is_valid(old, call.body, call.headers) is old_signs


def test_a_secret_is_the_same_after_a_restart_and_another_one_with_another_secret_key(open_app, receiver):
    secrets = []
    for key in (SECRET, SECRET, SECRET * 2):
        app = open_app(webhook_allow_hosts="127.0.0.1", secret_key=key)
        runtime = app.extensions["runtime"]
        admin = Caller(app.test_client(), "admin-key")
        if not secrets:
            webhook = subscribe(admin, receiver)
            secrets.append(Webhook(webhook["secret"]))
        admin.ticket()
        runtime.webhooks.run_due()
        runtime.stop()
    valid = [_is_valid(secrets[0], call.body, call.headers) for call in receiver.calls]
    assert valid == [True, True, False]


LIKE_OTHERS = [
    {"hookUrl": "URL", "event": "ticket.created"},
    {"target_url": "URL", "event": "ticket.created"},
    {"targetUrl": "URL", "events": "ticket.created"},
    {"callbackUrl": "URL", "events": "ticket.created,ticket.resolved"},
    {"notificationUrl": "URL", "events": ["Ticket.Created"]},
    {"url": "URL", "events": ["*"]},
]


@pytest.mark.parametrize("body", LIKE_OTHERS, ids=lambda body: next(iter(body)))
def test_what_common_clients_send_to_subscribe_is_taken(admin, receiver, body):
    response = admin.post(
        "/api/webhooks", {name: receiver.url if value == "URL" else value for name, value in body.items()}
    )
    webhook = admin.data(response, 201)
    assert webhook["url"] == receiver.url
    assert webhook["events"][0] == "ticket.created"
    assert response.headers["Location"].endswith(f"/api/webhooks/{webhook['id']}")


def test_unsubscribing_answers_the_same_for_one_that_is_gone_foreign_or_never_was(admin, other_admin, receiver, send):
    mine, foreign = subscribe(admin, receiver), subscribe(other_admin, receiver)
    paths = [f"/api/webhooks/{id_}" for id_ in (mine["id"], mine["id"], foreign["id"], "none", "0" * 36)]
    answers = [admin.call("DELETE", path, {"hookUrl": receiver.url}) for path in paths]
    assert {(answer.status_code, answer.get_data()) for answer in answers} == {(200, answers[0].get_data())}
    assert answers[0].json["data"] == {"deleted": True}
    assert [row["id"] for row in other_admin.get("/api/webhooks").json["data"]] == [foreign["id"]]
    assert admin.get("/api/webhooks").json["data"] == []


def test_case_8_an_unknown_event_is_refused_with_the_known_ones_and_a_sample_of_it_is_not_found(admin, receiver):
    refused = admin.post("/api/webhooks", {"url": receiver.url, "events": ["ticket.created", "ticket.read"]})
    assert refused.status_code == 400
    assert refused.json["data"]["errors"][0]["field"].startswith("events")
    assert "ticket.created" in refused.json["data"]["errors"][0]["message"]
    assert admin.get("/api/events/samples/ticket.read").get_data() == admin.get("/api/tickets/none").get_data()


def test_a_webhook_gets_the_events_it_names_and_no_others(admin, receiver, send):
    subscribe(admin, receiver, events=["ticket.resolved", "ticket.assigned"])
    ticket = admin.ticket()
    admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "bob@example.com"})
    admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Hello."})
    admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."})
    while send():
        pass
    assert [call.json["event"] for call in receiver.calls] == ["ticket.assigned", "ticket.resolved"]
    assert [call.json["ticket"]["status"] for call in receiver.calls] == ["assigned", "resolved"]


def test_a_paused_webhook_gets_what_waited_when_it_is_active_again(admin, receiver, send):
    webhook = subscribe(admin, receiver)
    admin.ticket()
    path = f"/api/webhooks/{webhook['id']}"
    assert admin.data(admin.call("PATCH", path, {"active": False}))["active"] is False
    admin.ticket(title="Opened while nothing was sent")
    assert send() == 0
    assert admin.data(admin.call("PATCH", path, {"active": True}))["active"] is True
    assert send() == 1
    assert receiver.calls[0].json["ticket"]["title"] == "Question about my plan"


def test_a_customers_write_is_told_with_the_whole_ticket(customer, admin, receiver, send):
    subscribe(admin, receiver)
    ticket = customer.ticket()
    customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Any news?"})
    while send():
        pass
    created, replied = receiver.calls
    assert "priority_score" in created.json["ticket"]
    assert (replied.json["event"], replied.json["reply"]["body"]) == ("ticket.replied", "Any news?")
    assert replied.json["internal"] is False


def test_a_company_is_told_of_its_own_tickets_alone(admin, other_admin, receiver, send):
    subscribe(other_admin, receiver)
    admin.ticket()
    assert send() == 0
    mine = other_admin.ticket()
    assert send() == 1
    assert receiver.calls[0].json["ticket_id"] == mine["id"]


def test_imports_and_demo_tickets_call_no_webhook_and_are_no_events(admin, other_admin, receiver, send):
    subscribe(admin, receiver)
    subscribe(other_admin, receiver)
    other_admin.data(other_admin.post("/api/demo", {}), 200)
    rows = [{"description": "From elsewhere.", "customer_email": "ada@example.com"}]
    assert admin.data(admin.post("/api/import", rows))["created"] == 1
    assert send() == 0
    assert admin.get("/api/events").json["data"] == []


def test_a_write_that_is_refused_calls_no_webhook(admin, receiver, send):
    subscribe(admin, receiver)
    ticket = admin.ticket()
    send()
    bulk = {"items": [{"id": ticket["id"], "version": 99}], "set": {"priority": "high"}}
    admin.post("/api/bulk/tickets", bulk)
    admin.call("PATCH", f"/api/tickets/{ticket['id']}", {"priority": "high", "version": 99})
    assert send() == 0


def test_many_tickets_in_one_write_are_one_event_each(admin, receiver, send):
    ids = [admin.ticket()["id"] for _ in range(3)]
    subscribe(admin, receiver)
    admin.data(admin.post("/api/bulk/tickets", {"ids": ids, "set": {"priority": "high"}}))
    assert send() == 3
    assert {call.json["ticket_id"] for call in receiver.calls} == set(ids)


def test_a_sample_is_sent_signed_and_stands_in_the_log(admin, receiver, send):
    webhook = subscribe(admin, receiver, events=["ticket.resolved"])
    delivery = admin.data(admin.post(f"/api/webhooks/{webhook['id']}/test", {}))
    assert send() == 1
    [call] = receiver.calls
    body = Webhook(webhook["secret"]).verify(call.body, call.headers)
    sample = admin.data(admin.get("/api/events/samples/ticket.resolved"))
    assert {**sample, "id": body["id"]} == body
    [logged] = admin.get(f"/api/webhooks/{webhook['id']}/deliveries").json["data"]
    assert (logged["id"], logged["state"], logged["last_status"]) == (delivery["id"], "delivered", 200)


@pytest.mark.parametrize("event", EVENTS)
def test_a_sample_has_the_fields_that_the_real_event_has(admin, customer, event):
    sample = admin.data(admin.get(f"/api/events/samples/{event}"))
    assert sample["event"] == event
    if event != "incident.opened":
        assert set(admin.ticket()) <= set(sample["ticket"])
    seen = customer.get(f"/api/events/samples/{event}")
    if seen.status_code == 200:
        assert set(seen.json["data"]["ticket"]).isdisjoint(STAFF_ONLY_FIELDS)
    else:
        assert (seen.status_code, event in happenings.STAFF_ONLY) == (404, True)


def test_a_company_has_50_webhooks_at_most(admin, receiver):
    for _ in range(50):
        subscribe(admin, receiver)
    refused = admin.post("/api/webhooks", {"url": receiver.url, **ALL})
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "too_many")
