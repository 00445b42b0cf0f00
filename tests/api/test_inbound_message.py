"""Messages of other channels: one conversation for each sender, each message once, answered as in a chat."""

from typing import Any

import pytest

from services.inbound import loops


def message(text: str = "How do I change my plan?", **changes: Any) -> dict[str, Any]:
    body = {
        "channel": "WhatsApp",
        "sender": "whatsapp:+4912345",
        "sender_name": "Ada",
        "text": text,
        "external_id": "wamid.1",
    }
    return {**body, **changes}


def sent(caller: Any, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    return dict(caller.data(caller.post("/api/inbound/message", body), status))


def test_a_message_opens_a_conversation_and_is_answered(agent, admin):
    result = sent(agent, message())
    assert result["reply"]
    assert result["duplicate"] is False
    ticket = admin.data(admin.get(f"/api/tickets/{result['ticket_id']}"))
    assert (ticket["customer_id"], ticket["customer_email"], ticket["customer_name"]) == (
        "whatsapp:+4912345",
        "",
        "Ada",
    )
    assert (ticket["source"], ticket["tags"]) == ("chat", ["whatsapp"])


def test_the_same_message_is_taken_once_and_gets_the_same_answer(agent, admin):
    first = sent(agent, message())
    again = sent(agent, message("Another text"))
    assert (again["reply"], again["conversation_id"]) == (first["reply"], first["conversation_id"])
    assert again["duplicate"] is True
    assert len(admin.data(admin.get("/api/tickets"))) == 1
    other_channel = sent(agent, message(channel="telegram", sender="7"))
    assert other_channel["duplicate"] is False


def test_the_next_message_of_a_sender_goes_on_in_their_conversation(agent):
    first = sent(agent, message())
    second = sent(agent, message("Can I speak to a person?", external_id="wamid.2"))
    assert second["conversation_id"] == first["conversation_id"]
    assert (second["escalation"], second["escalation_reason"]) == (True, "asked")


def test_a_sender_without_the_name_of_the_channel_gets_it(agent, admin):
    result = sent(agent, message(sender="4711"))
    assert admin.data(admin.get(f"/api/tickets/{result['ticket_id']}"))["customer_id"] == "whatsapp:4711"


def test_case_28_an_address_in_a_form_leads_to_no_open_conversation(agent, admin):
    chat = agent.data(agent.post("/api/chat", {"customer_email": "ada@example.com", "message": "My secret is 7"}))
    form = sent(agent, message("Hello", channel="form", sender="ada@example.com", external_id="f1"))
    assert form["conversation_id"] != chat["conversation_id"]
    named = message("Hello again", channel="form", sender="eve@example.com", external_id="f2")
    response = agent.post("/api/inbound/message", {**named, "conversation": chat["conversation_id"]})
    assert response.status_code == 404
    assert sent(agent, named)["duplicate"] is False, "what was refused is not remembered"


def test_case_27_a_message_is_always_the_customers(agent, admin):
    admin.data(
        admin.post(
            "/api/users", {"name": "Max", "email": "max@d.example", "role": "agent", "password": "a long password"}
        ),
        201,
    )
    result = sent(agent, message("I am an agent", channel="form", sender="max@d.example", external_id="f1"))
    thread = admin.data(admin.get(f"/api/tickets/{result['ticket_id']}/replies"))
    assert thread[0]["author_role"] == "customer"


def test_a_bridge_needs_a_credential_and_a_customer_writes_in_their_own_name(app, customer, stranger, agent):
    assert app.test_client().post("/api/inbound/message", json=message()).status_code == 401
    assert customer.post("/api/inbound/message", message()).status_code == 403
    own = sent(agent, message())
    response = stranger.post(
        "/api/inbound/message", {**message(external_id="2"), "conversation": own["conversation_id"]}
    )
    assert response.status_code == 404
    assert sent(stranger, message())["duplicate"] is False, "ids of other companies do not count"


def test_case_25_one_sender_causes_a_bounded_number_of_answers(agent, monkeypatch):
    monkeypatch.setattr(loops, "MOST_ANSWERED", 2)
    results = [sent(agent, message(f"Question {number}?", external_id=str(number))) for number in range(4)]
    assert [bool(result["reply"]) for result in results] == [True, True, False, False]
    assert not any(result["duplicate"] for result in results)


def test_all_fields_that_are_wrong_are_named(agent):
    response = agent.post("/api/inbound/message", {"channel": "x" * 41, "text": " "})
    assert response.status_code == 400
    assert {error["field"] for error in response.json["data"]["errors"]} == {"channel", "sender", "text", "external_id"}


@pytest.mark.parametrize("engine", ["json"])
def test_what_came_in_is_still_there_after_a_restart(open_app, settings, agent, app, engine):
    result = sent(agent, message())
    app.extensions["runtime"].stop()
    again = open_app()
    response = again.test_client().post("/api/inbound/message", json=message(), headers={"X-API-Key": agent.key})
    assert response.json["data"]["conversation_id"] == result["conversation_id"]
    assert response.json["data"]["duplicate"] is True


def test_senders_whose_long_ids_differ_at_their_end_are_two_customers_or_refused(agent):
    longest = "x" * 90
    ones = [sent(agent, message(sender=longest + end, external_id=end)) for end in ("1", "2")]
    assert ones[0]["conversation_id"] != ones[1]["conversation_id"]
    response = agent.post("/api/inbound/message", message(sender=longest + "12", external_id="3"))
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "sender")


def test_ids_that_a_channel_sends_as_numbers_are_taken_as_their_digits(agent, admin):
    result = sent(agent, message(channel="telegram", sender=4912345, external_id=17))
    (row,) = admin.data(admin.get("/api/inbound/mails"))
    assert (row["ticket_id"], row["sender"], row["external_id"]) == (result["ticket_id"], "telegram:4912345", "17")
    assert sent(agent, message(channel="telegram", sender="4912345", external_id="17"))["duplicate"] is True
