"""The last public message of a ticket in lists and events: what is shown, and what never is (case 6)."""

import pytest

from core.models import LAST_MESSAGE_FIELDS, Actor
from services.tickets import changes, replies


def listed(caller, ticket):
    """The ticket's row of the list."""
    return next(row for row in caller.data(caller.get("/api/tickets?status=all")) if row["id"] == ticket["id"])


def last(caller, ticket):
    """Text and author of the ticket's last message in the list."""
    row = listed(caller, ticket)
    return row["last_message"], row["last_message_by"]


def reply(caller, ticket, body, **fields):
    return caller.data(caller.post(f"/api/tickets/{ticket['id']}/replies", {"body": body, **fields}), 201)


@pytest.mark.every_engine
def test_a_row_has_the_last_public_words_and_never_a_note_case_6(admin, customer, runtime):
    ticket = admin.ticket()
    text, by = last(admin, ticket)
    assert (by, len(text)) == ("ai", 140)
    assert ticket["ai_response"].split()[:8] == text.split()[:8]
    answer = reply(admin, ticket, "Which client?", author_name="Bo")
    reply(admin, ticket, "A note between us.", internal=True)
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        row = changes.get(uow, ticket["id"])
        replies.add_turn(uow, row, "system", "A person takes over.")
        replies.add_turn(uow, row, "ai", "A draft of the AI.", internal=True)
    for caller in (admin, customer):
        assert last(caller, ticket) == ("Which client?", "agent")
        assert listed(caller, ticket)["last_message_at"] == answer["created_at"]
    reply(customer, ticket, "The new one.")
    assert last(admin, ticket) == ("The new one.", "customer")
    for event in admin.data(admin.get("/api/events")):
        assert event["ticket"]["last_message"] == "The new one."


@pytest.mark.every_engine
def test_a_merged_thread_has_one_last_message_and_each_its_own_after_undoing(admin):
    first, second, third = (admin.ticket(description=text) for text in ("First.", "Second.", "Third."))
    reply(admin, first, "An answer.")
    admin.data(admin.post(f"/api/tickets/{second['id']}/merge", {"into": first["id"]}))
    assert last(admin, first) == ("An answer.", "agent")
    admin.data(admin.post(f"/api/tickets/{first['id']}/merge", {"into": third["id"]}))
    assert last(admin, third) == ("An answer.", "agent")
    reply(admin, second, "It goes on in the third.", author_role="customer")
    assert last(admin, third) == ("It goes on in the third.", "customer")
    assert last(admin, second)[1] == "ai"
    admin.data(admin.post(f"/api/tickets/{first['id']}/unmerge", {}))
    assert last(admin, first) == ("An answer.", "agent")


def test_without_a_reply_it_is_the_description_and_erasing_the_customer_erases_it(admin):
    row = {"title": "VPN", "description": "The  VPN\n drops. " + "x" * 200, "customer_email": "eve@example.com"}
    admin.data(admin.post("/api/import", {"tickets": [row]}))
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert (ticket["last_message"], ticket["last_message_by"]) == ("The VPN drops. " + "x" * 124 + "…", "customer")
    assert ticket["last_message_at"] == ticket["created_at"]
    admin.data(admin.delete("/api/customers/eve@example.com"))
    assert "VPN" not in last(admin, ticket)[0]


def test_a_row_of_a_list_can_be_sent_back_whole(admin):
    row = listed(admin, admin.ticket())
    assert set(LAST_MESSAGE_FIELDS) <= set(row)
    assert admin.data(admin.put(f"/api/tickets/{row['id']}", row))["id"] == row["id"]
    answer = admin.put(f"/api/tickets/{row['id']}", {"last_message": "Other words."})
    assert answer.status_code == 400
    assert "last_message" in answer.text
