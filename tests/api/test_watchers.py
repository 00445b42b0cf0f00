"""Watchers: who is mailed what, who sees them, and that an erased person watches nothing."""

import pytest

from core.models import LIMITS
from tests.support.chat import say

OUTSIDE, STAFF = "outside@example.com", "bob@example.com"


@pytest.fixture
def ticket(admin):
    admin.data(admin.post("/api/users", {"name": "Bob", "email": STAFF, "role": "agent"}), 201)
    ticket = admin.ticket()
    for email in (OUTSIDE, STAFF):
        admin.data(watch(admin, ticket, email))
    return ticket


def watch(caller, ticket, email, **body):
    return caller.post(f"/api/tickets/{ticket['id']}/watchers", {"email": email, **body})


def unwatch(caller, ticket, email):
    return caller.call("DELETE", f"/api/tickets/{ticket['id']}/watchers", {"email": email})


def read(caller, ticket):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}"))


def reply(caller, ticket, body, **fields):
    caller.data(caller.post(f"/api/tickets/{ticket['id']}/replies", {"body": body, **fields}), 201)


@pytest.fixture
def mailed(mailer, run_jobs):
    """Runs the jobs and returns the texts that were mailed to watchers, by address."""

    def mailed():
        run_jobs()
        texts = {notice.to: notice.text for notice in mailer.sent if notice.kind == "watched"}
        mailer.sent.clear()
        return texts

    return mailed


@pytest.mark.every_engine
def test_an_address_watches_until_it_is_removed(admin):
    ticket = admin.ticket()
    for email in ("Boss@Example.com", "boss@example.com"):
        watched = admin.data(watch(admin, ticket, email))
        assert watched["watchers"] == ["boss@example.com"]
    assert watched["version"] == ticket["version"] + 1
    assert read(admin, ticket)["watchers"] == ["boss@example.com"]
    assert admin.data(unwatch(admin, ticket, "boss@example.com"))["watchers"] == []
    assert unwatch(admin, ticket, "boss@example.com").status_code == 404
    assert watch(admin, ticket, "boss@example.com", version=1).status_code == 412
    events = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    changes = [(event["action"], event["from"], event["to"]) for event in events if event["field"] == "watchers"]
    assert changes == [("watched", "", "boss@example.com"), ("unwatched", "boss@example.com", "")]


def test_staff_are_mailed_the_text_and_others_the_number_and_link_alone(admin, ticket, mailed):
    reply(admin, ticket, "Our answer in words.")
    texts = mailed()
    assert set(texts) == {OUTSIDE, STAFF}
    assert "Our answer in words." in texts[STAFF]
    assert "answer in words" not in texts[OUTSIDE]
    assert f"#{ticket['number']}" in texts[OUTSIDE]
    reply(admin, ticket, "The customer's words.", author_role="customer")
    assert "The customer's words." in mailed()[STAFF]
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "How it was solved."}))
    texts = mailed()
    assert "How it was solved." in texts[STAFF]
    assert "solved" not in texts[OUTSIDE].lower().replace("resolved", "")


def test_notes_and_what_somebody_gets_or_wrote_anyway_are_not_mailed(admin, ticket, mailed):
    reply(admin, ticket, "A note.", internal=True)
    assert mailed() == {}
    reply(admin, ticket, "By Bob himself.", author_email=STAFF)
    assert set(mailed()) == {OUTSIDE}
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": STAFF}))
    mailed()
    reply(admin, ticket, "Words for the assignee.", author_role="customer")
    assert set(mailed()) == {OUTSIDE}
    admin.data(watch(admin, ticket, "ada@example.com"))
    reply(admin, ticket, "Words for Ada.")
    assert set(mailed()) == {OUTSIDE, STAFF}


def test_a_watcher_who_was_removed_before_the_mail_went_gets_none(admin, ticket, mailed):
    reply(admin, ticket, "Our answer.")
    admin.data(unwatch(admin, ticket, OUTSIDE))
    assert set(mailed()) == {STAFF}


def test_watchers_of_a_merged_ticket_are_told_of_replies_in_the_other_one(admin, ticket, mailed):
    target = admin.ticket()
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/merge", {"into": target["id"]}))
    mailed()
    reply(admin, target, "Our answer.")
    assert set(mailed()) == {OUTSIDE, STAFF}


def test_turns_of_a_chat_are_not_mailed_to_watchers(admin, mailed):
    chat = {"id": say(admin, "I want to speak to a person")["ticket_id"]}
    admin.data(watch(admin, chat, OUTSIDE))
    reply(admin, chat, "Here I am.")
    assert mailed() == {}


def test_the_limit_of_mails_to_an_address_holds_for_watchers(admin, mailed):
    admin.data(admin.put("/api/settings", {"recipient_mails_per_hour": 2}))
    ticket = admin.ticket(customer_email="ada@example.com")
    admin.data(watch(admin, ticket, OUTSIDE))
    count = 0
    for _ in range(4):
        reply(admin, ticket, "Again.")
        count += len(mailed())
    assert count == 2


def test_customers_see_no_watchers_anywhere_case_6(admin, customer, ticket):
    reply(admin, ticket, "Our answer.")
    path = f"/api/tickets/{ticket['id']}"
    for answer in (customer.get(path), customer.get("/api/tickets"), customer.get(f"{path}/replies")):
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert OUTSIDE not in text
        assert "watchers" not in text
    assert watch(customer, ticket, "ada@example.com").status_code == 403


@pytest.mark.every_engine
def test_an_erased_customer_watches_no_ticket(admin, ticket):
    other = admin.ticket(customer_email=OUTSIDE)
    longer = admin.data(watch(admin, ticket, f"x{OUTSIDE}"))
    assert longer["watchers"] == [OUTSIDE, STAFF, f"x{OUTSIDE}"]
    whole = admin.data(admin.get(f"/api/customers/{OUTSIDE}/export"))
    assert STAFF not in admin.get("/api/customers/ada@example.com/export").get_data(as_text=True)
    assert whole["watched"] == [{"ticket_id": ticket["id"], "number": ticket["number"]}]
    admin.data(admin.delete(f"/api/customers/{OUTSIDE}"))
    assert read(admin, ticket)["watchers"] == [STAFF, f"x{OUTSIDE}"]
    history = admin.get(f"/api/tickets/{ticket['id']}/history").get_data(as_text=True)
    assert f'"{OUTSIDE}"' not in history
    assert read(admin, other)["customer_email"] == ""


def test_an_erased_ticket_has_no_watchers(admin, ticket):
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert read(admin, ticket)["watchers"] == []
    assert watch(admin, ticket, OUTSIDE).status_code == 409


@pytest.mark.parametrize("email", ["", None, "bob", "a@b@c", ["a@example.com"], "a@example.com\nBcc: b@example.com"])
def test_what_is_no_address_watches_nothing(admin, email):
    ticket = admin.ticket()
    answer = admin.post(f"/api/tickets/{ticket['id']}/watchers", {"email": email})
    assert answer.status_code == 400
    assert answer.json["data"]["errors"][0]["field"] == "email"


def test_a_ticket_has_at_most_so_many_watchers(admin):
    ticket = admin.ticket()
    for number in range(LIMITS["watchers"]):
        admin.data(watch(admin, ticket, f"w{number}@example.com"))
    answer = watch(admin, ticket, "one@example.com")
    assert (answer.status_code, answer.json["data"]["code"]) == (409, "too_many_watchers")


@pytest.mark.every_engine
def test_a_watcher_that_looks_like_a_formula_is_no_formula_in_a_csv_file_case_33(admin):
    admin.data(watch(admin, admin.ticket(), "=1+1@example.com"))
    text = admin.client.get("/api/export?format=csv", headers={"X-API-Key": admin.key}).get_data(as_text=True)
    assert '"\'=1+1@example.com"' in text
    assert '"=1+1' not in text
