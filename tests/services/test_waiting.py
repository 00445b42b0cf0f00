"""The queue of who waits: handed-over conversations first, then the longest without an answer."""

import pytest

pytestmark = pytest.mark.every_engine


def queue(admin, sort="waiting"):
    return [ticket["title"] for ticket in admin.data(admin.get(f"/api/tickets?sort={sort}&status=open"))]


def write(admin, ticket, role):
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Hello.", "author_role": role}), 201)


def test_who_has_waited_longest_comes_first_and_a_handed_over_conversation_before_all(admin):
    first, second = (admin.ticket(title=title, assigned_to="bob") for title in ("first", "second"))
    assert queue(admin) == ["first", "second"]
    write(admin, first, "agent")
    assert queue(admin) == ["second", "first"]
    write(admin, first, "customer")
    assert queue(admin) == ["second", "first"], "it waits since now"
    write(admin, second, "customer")
    assert queue(admin) == ["second", "first"], "more words do not lose the place"
    chat = {"customer_email": "eve@example.com", "message": "I want to speak to a person"}
    admin.data(admin.post("/api/chat", chat))
    assert queue(admin)[0] == chat["message"]
    assert queue(admin, "-waiting")[-1] == chat["message"]


def test_an_answer_of_the_ai_ends_the_wait_and_words_of_the_customer_begin_it_again(admin):
    answered = admin.ticket(title="answered")
    admin.ticket(title="waits", assigned_to="bob")
    assert queue(admin) == ["waits", "answered"]
    admin.data(
        admin.post(f"/api/tickets/{answered['id']}/replies", {"body": "It did not help.", "author_role": "customer"}),
        201,
    )
    admin.ticket(title="later", assigned_to="bob")
    assert queue(admin) == ["waits", "answered", "later"]
    admin.data(admin.post(f"/api/tickets/{answered['id']}/ai_response"))
    assert queue(admin) == ["waits", "later", "answered"]


def test_who_is_taken_keeps_the_time_since_when_they_wait(admin):
    early = admin.ticket(title="early", assigned_to="bob")
    admin.ticket(title="late", assigned_to="bob")
    admin.data(admin.post(f"/api/tickets/{early['id']}/unassign"))
    admin.data(admin.put(f"/api/tickets/{early['id']}", {"status": "in progress"}))
    assert queue(admin) == ["early", "late"]
    admin.data(admin.post(f"/api/tickets/{early['id']}/resolve", {"resolution": "Done."}))
    admin.data(admin.post(f"/api/tickets/{early['id']}/reopen"))
    assert queue(admin) == ["late", "early"]
