"""PunAI: the request of its own README, and that its clients are never answered with silence."""

import pytest

from tests.api.dialects.conftest import Client
from tests.conftest import add_key

SENT = b'{\n  "user_id": "customer_123",\n  "message": "My order has not arrived yet"\n}'


def say(client, message, user="customer_123"):
    response = client.post("/chat", json={"user_id": user, "message": message})
    assert response.status_code == 200, response.json
    return response.json


def test_the_example_of_its_readme_is_answered_in_its_shape(client):
    response = client.post("/chat", data=SENT, content_type="application/json")
    assert response.status_code == 200
    assert list(response.json) == ["reply", "escalation"]
    assert response.json["reply"]
    assert response.json["escalation"] is False


def test_history_is_kept_per_user(client, admin):
    say(client, "My order has not arrived yet")
    say(client, "It was a blue chair")
    say(client, "How do I pay?", user="customer_124")
    tickets = admin.data(admin.get("/api/tickets?source=chat"))
    assert {ticket["customer_id"] for ticket in tickets} == {"customer_123", "customer_124"}


@pytest.mark.parametrize(
    ("handover", "after"),
    [
        ("I want to talk to a human.", "Hello, is anybody there for me?"),
        ("This is the worst service ever, I am furious and want my money back!", "And now what will you do?"),
        ("Ich möchte bitte mit einem Menschen sprechen.", "Hallo, ist da jemand für mich da?"),
    ],
)
def test_after_a_handoff_each_reply_says_that_a_person_will_answer(client, mailer, run_jobs, admin, handover, after):
    admin.data(admin.put("/api/settings", {"support_email": "help@desk.example"}))
    first = say(client, handover)
    assert first["escalation"] is True
    second, third = say(client, after), say(client, after)
    assert second == third == {"reply": first["reply"], "escalation": True}
    run_jobs()
    assert [mail.to for mail in mailer.sent if mail.to == "help@desk.example"]


def test_a_person_who_takes_over_is_announced_too(client, admin):
    say(client, "My order has not arrived yet")
    ticket = admin.data(admin.get("/api/tickets"))[0]
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "I am looking into it."}), 201)
    answer = say(client, "Thank you, what else do you need?")
    assert answer["escalation"] is True
    assert "person answers" in answer["reply"]


@pytest.mark.parametrize("body", [{}, {"user_id": "1"}, {"message": "Hi"}, {"user_id": "1", "message": "Hi", "x": 1}])
def test_what_is_invalid_is_a_400_with_an_error(client, body):
    response = client.post("/chat", json=body)
    assert response.status_code == 400
    assert list(response.json) == ["error"]


def test_a_customer_chats_only_as_themselves(client, runtime):
    key = add_key(runtime, "agent", scopes=["act_for_customers"])
    ada = Client(client.app, key, {"X-On-Behalf-Of": "ada-1"})
    assert ada.post("/chat", json={"user_id": "ada-1", "message": "Hello"}).status_code == 200
    response = ada.post("/chat", json={"user_id": "customer_123", "message": "Hello"})
    assert (response.status_code, list(response.json)) == (403, ["error"])


def test_the_page_of_the_chat_is_still_there(client):
    assert client.app.test_client().get("/chat").mimetype == "text/html"
    assert client.call("DELETE", "/chat").json == {"error": "Use one of: GET, HEAD, OPTIONS, POST."}
