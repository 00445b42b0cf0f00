"""UrgencyIQ: the requests of its own README, byte for byte, its run-time switch and its seeding."""

import pytest

from ai.llm import open_model
from config import ConfigError, load_settings
from tests.api.dialects.conftest import ALL, Client
from tests.conftest import add_key
from tests.fakes.fake_model import FakeModel

JSON = "application/json"
SENT = b'{\n  "user_id": 12345,\n  "message": "Why was my loan rejected?"\n}'
REPLY = b'{\n  "agent_name": "Agent John",\n  "reply": "Your application is under review."\n}'
AGENT = b'{\n  "agent_name": "Agent Sarah"\n}'
CSV = (
    b"User ID,Message Body,Timestamp (UTC)\n"
    b'12345,"Why was my loan rejected?","2025-01-15 10:30:00"\n'
    b'12346,"Thank you for your help","2025-01-15 11:00:00"\n'
)
SEEDED = {"success": True, "seeded": {"rows": 2, "messages": 2, "customers": 2}}
TIME = len("2025-01-15T10:30:00")


def send(client, body=SENT, kind=JSON):
    response = client.post("/api/messages/send", data=body, content_type=kind)
    assert response.status_code == 201, response.json
    return response.json


def test_a_message_is_sent_as_its_readme_shows(client):
    answer = send(client)
    assert list(answer) == ["success", "message_id", "urgency"]
    assert (answer["success"], answer["message_id"]) == (True, 1)
    assert 1 <= answer["urgency"] <= 5


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_is_taken_like_json(client, kind):
    form = {"user_id": "12345", "message": "Why was my loan rejected?"}
    assert send(client, form, kind)["urgency"] == send(client)["urgency"]
    again = {"data": form, "content_type": kind, "headers": {"Idempotency-Key": "one"}}
    first, second = (client.post("/api/messages/send", **again) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replay"] == "true"


def test_reply_assign_unassign_and_resolve_as_its_readme_shows(client, mailer, run_jobs):
    send(client)
    replied = client.post("/api/messages/1/reply", data=REPLY, content_type=JSON)
    assert (replied.status_code, replied.json) == (201, {"success": True})
    assigned = client.post("/api/messages/1/assign", data=AGENT, content_type=JSON)
    assert list(assigned.json) == ["success", "assigned_to", "assigned_at"]
    assert (assigned.json["assigned_to"], len(assigned.json["assigned_at"])) == ("Agent Sarah", TIME)
    (message,) = client.get("/api/messages?status=open&sort=urgency&search=loan").json
    reply = {"agent_name": "Agent John", "reply": "Your application is under review."}
    assert [{**row, "timestamp": ""} for row in message["replies"]] == [{**reply, "timestamp": ""}]
    assert {name: message[name] for name in ("id", "customer_id", "message", "status", "assigned_to")} == {
        "id": 1,
        "customer_id": 12345,
        "message": "Why was my loan rejected?",
        "status": "open",
        "assigned_to": "Agent Sarah",
    }
    assert list(message) == "id customer_id message timestamp urgency status assigned_to assigned_at replies".split()
    assert client.post("/api/messages/1/unassign").json == {"success": True}
    assert client.get("/api/messages").json[0]["assigned_to"] is None
    for _ in range(2):  # a resolved one stays as it is
        assert client.post("/api/messages/1/resolve").json == {"success": True}
    assert client.get("/api/messages").json == []
    (resolved,) = client.get("/api/messages?status=resolved").json
    assert resolved["status"] == "resolved"


def test_lists_by_state_order_customer_and_words(client):
    send(client, b'{"user_id": 1, "message": "Thank you, all is well."}')
    send(client, b'{"user_id": 2, "message": "My account was hacked and money is stolen!"}')
    send(client, b'{"user_id": 1, "message": "How do I change my address?"}')
    client.post("/api/messages/3/resolve")

    def ids(query):
        return [message["id"] for message in client.get(f"/api/messages{query}").json]

    assert ids("") == [2, 1]
    assert ids("?sort=time&status=all") == [3, 2, 1]
    assert ids("?user_id=1&status=all&sort=time&search=") == [3, 1]
    assert ids("?search=hacked") == [2]
    page = client.get("/api/messages?limit=1&offset=1")
    assert ([message["id"] for message in page.json], page.headers["X-Total-Count"]) == ([1], "2")


def test_a_ticket_of_another_channel_is_a_message_too(client, admin):
    admin.ticket(customer_email="ada@example.com")
    (message,) = client.get("/api/messages").json
    assert (message["id"], message["customer_id"]) == (1, None)


def test_a_customer_with_a_whole_number_answers_in_its_shape_beside_the_envelope(client, admin):
    send(client)
    answer = client.get("/api/customers/12345").json
    own = {name: answer.pop(name) for name in list(answer) if name not in ("success", "message", "data")}
    assert [len(own.pop(name)) for name in ("first_contact", "last_contact")] == [TIME, TIME]
    urgency = answer["data"]["average_urgency"]
    totals = {"total_messages": 1, "open_messages": 1, "resolved_messages": 0}
    assert own == {"id": 12345, **totals, "avg_urgency": urgency}
    assert answer["data"]["customer_id"] == "12345"
    missing = client.get("/api/customers/999")
    assert (missing.status_code, missing.json["error"], missing.json["success"]) == (404, "Not found.", False)
    admin.ticket()
    assert set(admin.get("/api/customers/ada@example.com").json) == {"success", "message", "data"}
    assert set(admin.get("/api/customers/unknown").json) == {"success", "message", "data"}


def test_health_has_its_status_beside_the_envelope(client):
    answer = client.get("/api/health").json
    assert answer["status"] == answer["data"]["status"] == "ok"
    assert answer["success"] is True
    options = client.app.test_client().open("/api/health", method="OPTIONS")
    assert (options.status_code, options.get_data()) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/messages/send", {}, 400),
        ("POST", "/api/messages/send", {"user_id": "Ada", "message": "Hi"}, 400),
        ("POST", "/api/messages/send", {"user_id": 0, "message": "Hi"}, 400),
        ("POST", "/api/messages/send", {"user_id": 1, "message": " "}, 400),
        ("POST", "/api/messages/send", {"user_id": 1, "message": "Hi", "urgency": 5}, 400),
        ("POST", "/api/messages/1/reply", {"agent_name": "Bob"}, 400),
        ("POST", "/api/messages/9/reply", {"agent_name": "Bob", "reply": "Hi"}, 404),
        ("POST", "/api/messages/x/resolve", None, 404),
        ("POST", "/api/messages/1/assign", {}, 400),
        ("POST", "/api/set/llm", {"use_llm": "perhaps"}, 400),
        ("GET", "/api/messages?status=new", None, 400),
        ("GET", "/api/messages?sort=newest", None, 400),
        ("GET", "/api/messages?page=2", None, 400),
        ("GET", "/api/get/llm?x=1", None, 400),
        ("PUT", "/api/messages", {}, 405),
        ("GET", "/api/messages/1/2/3", None, 404),
        ("POST", "/admin/seed", None, 400),
    ],
)
def test_errors_have_its_form_and_change_nothing(client, method, path, body, status):
    send(client)
    before = client.get("/api/messages?status=all").json
    response = client.call(method, path, json=body)
    assert (response.status_code, list(response.json)) == (status, ["error"])
    assert response.json["error"]
    assert client.get("/api/messages?status=all").json == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"user_id=1&message=a&message=b", "application/x-www-form-urlencoded"),
        (b"user_id=1&message=%ff", "application/x-www-form-urlencoded"),
        (b"user_id=1&message=\xff", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\n\xff\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b'{"user_id": 1, "message": "a", "message": "b"}', JSON),
    ],
)
def test_nothing_of_a_form_is_lost_or_damaged_in_silence(client, body, kind):
    response = client.post("/api/messages/send", data=body, content_type=kind)
    assert (response.status_code, list(response.json)) == (400, ["error"])
    assert client.get("/api/messages?status=all").json == []


def test_the_switch_of_the_model_works_at_run_time(open_app, run_jobs):
    with FakeModel() as fake:
        fake.reply = {"urgency": 5.0}
        app = open_app(dialects=ALL, model=open_model("sk-test", fake.url, "test-model", 2.0))
        app.extensions["runtime"].runner.start()
        client = Client(app)
        assert client.get("/api/get/llm").json == {"use_llm": True}
        blended = send(client)["urgency"]
        assert fake.count == 1
        assert client.post("/api/set/llm", json={"use_llm": False}).json == {"success": True}
        assert client.get("/api/get/llm").json == {"use_llm": False}
        by_words = send(client)["urgency"]
        assert fake.count == 1
        assert blended == round(0.6 * 5.0 + 0.4 * by_words, 1)


def test_only_admins_turn_the_switch(client, runtime):
    agent = Client(client.app, add_key(runtime, "agent"))
    assert agent.get("/api/get/llm").json == {"use_llm": True}
    assert agent.post("/api/set/llm", json={"use_llm": False}).status_code == 403
    assert client.get("/api/get/llm").json == {"use_llm": True}


@pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded", ""])
def test_seeding_takes_the_csv_as_the_body_once(client, kind):
    assert client.post("/admin/seed", data=CSV, content_type=kind).json == SEEDED
    messages = client.get("/api/messages?sort=time").json
    assert [(one["customer_id"], one["timestamp"]) for one in messages] == [
        (12346, "2025-01-15T11:00:00"),
        (12345, "2025-01-15T10:30:00"),
    ]
    again = client.post("/admin/seed", data=CSV, content_type=kind).json
    assert again["seeded"] == {"rows": 2, "messages": 0, "customers": 0}
    assert "2 here already" in again["note"]


def test_a_row_that_cannot_be_used_is_told(client):
    answer = client.post("/admin/seed", data=CSV + b'12347,"Hello","yesterday"\n', content_type="text/csv").json
    assert answer["seeded"] == {"rows": 3, "messages": 2, "customers": 2}
    assert "1 refused" in answer["note"]
    assert "Line 4" in answer["note"]


HEADER = "User ID,Message Body,Timestamp (UTC)\n"
SEEDED_AT = "2025-01-15 11:00:00"
SEED_ROWS = [
    (f"7,x,{SEEDED_AT}", 7),
    (f"007,x,{SEEDED_AT}", 7),
    (f"7.0,x,{SEEDED_AT}", 7),
    (f"0,x,{SEEDED_AT}", "user_id must be a whole number"),
    (f"-7,x,{SEEDED_AT}", "user_id must be a whole number"),
    (f"7.5,x,{SEEDED_AT}", "user_id must be a whole number"),
    (f"1e3,x,{SEEDED_AT}", "user_id must be a whole number"),
    (f"ada,x,{SEEDED_AT}", "user_id must be a whole number"),
    (f"{'9' * 13},x,{SEEDED_AT}", "user_id must be a whole number"),
    (f",x,{SEEDED_AT}", "customer_email or customer_id"),
    (f"7,x,{SEEDED_AT},more", "There are 4 values for 3 columns"),
    (f"7,{'x' * 250_000},{SEEDED_AT}", "characters"),
    ('7,"x', "quotation mark"),
]


@pytest.mark.parametrize(("row", "outcome"), SEED_ROWS, ids=[row[:12] for row, _ in SEED_ROWS])
def test_a_seeded_row_is_of_the_customer_who_writes_or_is_refused_with_its_line(client, row, outcome):
    answer = client.post("/admin/seed", data=f"{HEADER}{row}\n".encode(), content_type="text/csv").json
    messages = client.get("/api/messages").json
    if isinstance(outcome, int):
        assert [one["customer_id"] for one in messages] == [outcome], answer
        assert client.get(f"/api/messages?user_id={outcome}").json == messages
    else:
        assert messages == []
        assert "Line 2: " in answer["note"]
        assert outcome in answer["note"]


@pytest.mark.parametrize("name", ["007", "0", "00", "7.0", "٧", "9" * 13])
def test_a_customer_whose_id_is_no_whole_number_is_not_taken_for_another(client, name):
    ticket = {"title": "Help", "description": "It broke.", "customer_id": name}
    assert client.post("/api/tickets", json=ticket).status_code == 201
    assert [one["customer_id"] for one in client.get("/api/messages").json] == [None]
    assert "avg_urgency" not in client.get(f"/api/customers/{name}").json


def test_seeding_takes_the_file_of_the_setting_for_the_operator_alone(open_app, tmp_path):
    file = tmp_path / "messages.csv"
    file.write_bytes(CSV)
    app = open_app(dialects=ALL, dialect_seed_file=str(file))
    other = Client(app, add_key(app.extensions["runtime"], "admin", company="other"))
    refused = other.post("/admin/seed")
    assert (refused.status_code, list(refused.json)) == (403, ["error"])
    assert other.post("/admin/seed", data=CSV).json == SEEDED
    assert Client(app).post("/admin/seed").json == SEEDED
    form = Client(app).post("/admin/seed", data={"a": "b"}, content_type="multipart/form-data")
    assert form.status_code == 400
    file.unlink()
    gone = Client(app).post("/admin/seed")
    assert (gone.status_code, list(gone.json)) == (503, ["error"])
    assert str(tmp_path) not in gone.json["error"]


@pytest.mark.parametrize(
    ("name", "value"), [("DIALECTS", "supportflow,zendesk"), ("DIALECT_SEED_FILE", "/no/such/file.csv")]
)
def test_a_setting_that_cannot_be_used_stops_the_start_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load_settings()


def test_names_of_dialects_are_taken_in_any_spelling(settings):
    assert settings(dialects=" PunAI; supportflow supportflow").dialect_list == ("punai", "supportflow")
