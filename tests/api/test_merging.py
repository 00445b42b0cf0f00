"""Merging tickets: one thread of both, where replies go, what is refused, and undoing it at any time (case 20)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from database.tables import merges
from jobs.handlers import close_resolved_tickets
from tests.conftest import ACT_FOR_CUSTOMERS, add_key
from tests.support.caller import Caller
from tests.support.chat import ADA, say
from tests.support.clock import Clock

MERGED = ("status", "assigned_to", "merged_into", "closed_at", "snoozed_until", "ai_status")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def read(caller, ticket):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}"))


def do(caller, ticket, what, **body):
    return caller.post(f"/api/tickets/{ticket['id']}/{what}", body)


def merge(caller, source, target, **body):
    return caller.data(do(caller, source, "merge", into=target["id"], **body))


def reply(caller, ticket, body, **fields):
    return caller.data(do(caller, ticket, "replies", body=body, **fields), 201)


def thread(caller, ticket):
    rows = caller.data(caller.get(f"/api/tickets/{ticket['id']}/replies?limit=200"))
    return [row["body"] for row in rows if row["author_role"] != "ai"]


def actions(admin, ticket):
    events = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    return [(event["action"], event["field"]) for event in events]


def error(answer):
    return answer.status_code, answer.json["data"]["code"]


@pytest.mark.every_engine
def test_the_thread_of_both_is_in_one_and_a_reply_to_the_source_lands_there_case_20(admin, customer):
    source, target = admin.ticket(description="First words."), admin.ticket()
    reply(admin, source, "Asked twice?")
    reply(admin, source, "A note.", internal=True)
    reply(admin, target, "Here.")
    answer = do(admin, source, "merge", into=target["id"])
    merged = admin.data(answer)
    assert answer.json["message"] == "Ticket #1 is merged into #2."
    assert (merged["status"], merged["merged_into"]) == ("closed", target["id"])
    assert thread(admin, target) == ["First words.", "Asked twice?", "A note.", "Here."]
    assert thread(customer, target) == ["First words.", "Asked twice?", "Here."]
    assert thread(admin, source) == ["Asked twice?", "A note."]
    answer = do(customer, source, "replies", body="And one more.")
    assert answer.json["message"] == "The ticket is merged, so this is in ticket #2."
    late = customer.data(answer, 201)
    assert late["ticket_id"] == target["id"]
    assert thread(admin, target)[-1] == "And one more."
    assert read(customer, source)["merged_into"] == target["id"]
    assert read(admin, source)["status"] == "closed"
    assert read(admin, target)["status"] == "new", "the customer waits there"
    assert ("merged", "merged_into") in actions(admin, source)
    assert ("merged", "merged_from") in actions(admin, target)


@pytest.mark.every_engine
def test_a_merge_is_undone_at_any_time_and_the_ticket_is_as_it_was_case_20(admin, clock, run_jobs):
    target = admin.ticket()
    source = admin.ticket(assigned_to="bob")
    before = read(admin, source)
    merge(admin, source, target)
    assert "assigned_to" not in read(admin, source) or read(admin, source)["assigned_to"] == ""
    reply(admin, source, "Written since.")
    clock.forward(days=40)
    run_jobs()
    close_resolved_tickets(admin.client.application.extensions["runtime"])
    after = admin.data(do(admin, source, "unmerge"))
    assert {name: after.get(name) for name in MERGED} == {name: before.get(name) for name in MERGED}
    assert after["version"] == before["version"] + 2
    assert thread(admin, target)[-1] == "Written since."
    assert thread(admin, source) == []
    assert error(do(admin, source, "unmerge")) == (409, "not_merged")
    merge(admin, source, target)


@pytest.mark.every_engine
def test_no_merge_makes_a_circle_case_20(admin):
    one, two, three = (admin.ticket(title=f"Ticket {number}") for number in range(3))
    assert do(admin, one, "merge", into=one["id"]).json["data"]["errors"][0]["field"] == "into"
    merge(admin, one, two)
    assert error(do(admin, two, "merge", into=one["id"])) == (409, "already_merged")
    assert error(do(admin, one, "merge", into=three["id"])) == (409, "already_merged")
    assert error(do(admin, three, "merge", into=one["id"])) == (409, "already_merged")
    merge(admin, two, three)
    assert error(do(admin, three, "merge", into=one["id"])) == (409, "already_merged")
    assert reply(admin, one, "By way of two.")["ticket_id"] == three["id"]
    assert len(thread(admin, three)) == 3
    admin.data(do(admin, two, "unmerge"))
    assert thread(admin, three) == ["By way of two."]
    assert read(admin, one)["merged_into"] == two["id"]


@pytest.mark.every_engine
def test_two_merges_at_once_in_opposite_directions_make_no_circle_case_20(admin, app):
    for _ in range(5):
        one, two = admin.ticket(), admin.ticket()
        pairs = [(one, two), (two, one)] * 3
        with ThreadPoolExecutor(6) as pool:
            callers = [Caller(app.test_client(), admin.key) for _ in pairs]
            answers = list(
                pool.map(lambda pair, caller: do(caller, pair[0], "merge", into=pair[1]["id"]), pairs, callers)
            )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
        states = [read(admin, one), read(admin, two)]
        assert sum(bool(state["merged_into"]) for state in states) == 1


def test_a_ticket_of_another_company_or_none_is_not_found_and_nothing_is_written_case_2(admin, other_admin):
    foreign, own = other_admin.ticket(), admin.ticket()
    answers = [do(admin, own, "merge", into=into) for into in (foreign["id"], "no such ticket", "7")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert read(admin, own) == own
    deleted = admin.ticket()
    admin.data(admin.delete(f"/api/tickets/{deleted['id']}"))
    assert do(admin, own, "merge", into=deleted["id"]).status_code == 404
    assert admin.post("/api/tickets/nothing/merge", {"into": own["id"]}).status_code == 404


def test_tickets_of_different_customers_are_not_merged_case_6(admin, runtime, app):
    ada, eve = admin.ticket(description="Of Ada."), admin.ticket(customer_email="eve@example.com")
    answer = do(admin, ada, "merge", into=eve["id"])
    assert error(answer) == (409, "other_customer")
    assert "link" in answer.json["message"].lower()
    key = add_key(runtime, "admin", scopes=[ACT_FOR_CUSTOMERS])
    her = Caller(app.test_client(), key, {"X-On-Behalf-Of": "eve@example.com"})
    assert "Of Ada." not in thread(her, eve)


def test_a_stale_version_a_finished_target_and_an_erased_ticket_are_refused(admin):
    source, target = admin.ticket(), admin.ticket()
    admin.put(f"/api/tickets/{source['id']}", {"title": "New"})
    stale = do(admin, source, "merge", into=target["id"], version=source["version"])
    assert stale.status_code == 412
    assert stale.json["data"]["current"]["title"] == "New"
    admin.data(do(admin, target, "resolve", resolution="Done."))
    assert error(do(admin, source, "merge", into=target["id"])) == (409, "move_not_allowed")
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert error(do(admin, source, "merge", into=target["id"])) == (409, "erased")


def test_a_merged_ticket_makes_no_move(admin):
    source, target = admin.ticket(), admin.ticket()
    merge(admin, source, target)
    for what, body in (("reopen", {}), ("assign", {"agent_email": "bob"}), ("resolve", {"resolution": "Done."})):
        assert error(do(admin, source, what, **body)) == (409, "merged")
    assert error(admin.put(f"/api/tickets/{source['id']}", {"status": "new"})) == (409, "merged")
    assert admin.put(f"/api/tickets/{source['id']}", {"title": "A better title"}).status_code == 200
    answer = admin.put(f"/api/tickets/{source['id']}", {"merged_into": "elsewhere"})
    assert error(answer) == (400, "read_only")


def test_a_source_that_waits_passes_its_place_on_to_the_target(admin):
    target = admin.ticket(title="target")
    source = admin.ticket(title="source", assigned_to="bob")
    admin.ticket(title="other", assigned_to="bob")
    reply(admin, target, "Please tell us more.")
    assert read(admin, target)["status"] == "waiting_customer"
    merge(admin, source, target)
    assert read(admin, target)["status"] == "new"
    queue = [row["title"] for row in admin.data(admin.get("/api/tickets?status=open&sort=waiting"))]
    assert queue == ["target", "other"]


def test_a_late_reply_to_a_source_opens_a_new_ticket_when_the_target_is_long_resolved(admin, customer, clock):
    source, target = admin.ticket(), admin.ticket()
    merge(admin, source, target)
    admin.data(do(admin, target, "resolve", resolution="Done."))
    clock.forward(days=20)
    late = reply(customer, source, "Again.")
    assert late["ticket_id"] not in (source["id"], target["id"])
    assert read(admin, {"id": late["ticket_id"]})["title"].startswith(f"Re: [#{target['number']}]")


def test_figures_count_a_merged_ticket_as_resolved_by_nobody(admin):
    target = admin.ticket()
    source = admin.ticket(assigned_to="bob")
    merge(admin, source, target)
    merge(admin, admin.ticket(), target)
    figures = admin.data(admin.get("/api/stats"))
    assert (figures["total_tickets"], figures["open_tickets"], figures["ai_resolution_rate"]) == (3, 1, 0.0)
    assert figures["agents"] == []
    assert sum(row["count"] for row in figures["resolved_per_day"]) == 0


def test_a_merged_ticket_is_not_rated_and_its_target_is(admin, customer):
    source, target = admin.ticket(), admin.ticket()
    merge(admin, source, target)
    assert error(do(customer, source, "csat", score=5)) == (409, "merged")
    admin.data(do(admin, target, "resolve", resolution="Done."))
    customer.data(do(customer, target, "csat", score=5))


def test_deleting_the_target_makes_its_sources_their_own_again(admin):
    source, target = admin.ticket(), admin.ticket()
    merge(admin, source, target)
    admin.data(admin.delete(f"/api/tickets/{target['id']}"))
    after = read(admin, source)
    assert (after["merged_into"], after["status"]) == ("", "closed")
    assert admin.data(do(admin, source, "reopen"))["status"] == "new"
    merge(admin, source, admin.ticket())


def test_an_undone_merge_leaves_out_an_agent_who_is_gone(admin):
    user = {"name": "Bob", "email": "bob@example.com", "role": "agent"}
    bob = admin.data(admin.post("/api/users", user), 201)
    admin.data(admin.post("/api/users", {**user, "name": "Eva", "email": "eva@example.com"}), 201)
    source, target = admin.ticket(assigned_to="bob@example.com"), admin.ticket()
    merge(admin, source, target)
    admin.data(admin.delete(f"/api/users/{bob['id']}"))
    after = admin.data(do(admin, source, "unmerge"))
    assert (after["status"], after["assigned_to"]) == ("new", "")


def test_a_chat_goes_on_in_the_chat_it_is_merged_into(admin):
    first = say(admin, "Which colour does the moon have?")
    admin.data(admin.post(f"/api/chat/{first['conversation_id']}/close"))
    second = say(admin, "I want to speak to a person")
    assert second["conversation_id"] != first["conversation_id"]
    admin.data(admin.post(f"/api/tickets/{first['ticket_id']}/reopen"))
    merge(admin, {"id": first["ticket_id"]}, {"id": second["ticket_id"]})
    shown = admin.data(admin.get(f"/api/chat/{first['conversation_id']}"))
    assert (shown["merged_into"], shown["status"]) == (second["conversation_id"], "closed")
    went = say(admin, "Are you there?", conversation_id=first["conversation_id"])
    assert (went["conversation_id"], went["escalation"]) == (second["conversation_id"], True)
    texts = [row["body"] for row in admin.data(admin.get(f"/api/chat/{second['conversation_id']}/messages"))]
    assert [text for text in texts if text in ("Which colour does the moon have?", "Are you there?")] == [
        "Which colour does the moon have?",
        "Are you there?",
    ]
    polled = admin.data(admin.get(f"/api/chat/{second['conversation_id']}/messages?after=" + _last(admin, second)))
    assert polled == []
    back = admin.data(do(admin, {"id": first["ticket_id"]}, "unmerge"))
    assert back["status"] in ("new", "in_progress")
    assert admin.data(admin.get(f"/api/chat/{first['conversation_id']}"))["escalation"] is True


def _last(admin, chat):
    return admin.data(admin.get(f"/api/chat/{chat['conversation_id']}/messages"))[-1]["id"]


def test_a_chat_is_not_merged_into_a_ticket_but_a_ticket_into_a_chat(admin):
    chat, ticket = say(admin, "Which colour does the moon have?"), admin.ticket(**ADA, description="By mail.")
    assert error(do(admin, {"id": chat["ticket_id"]}, "merge", into=ticket["id"])) == (409, "conversation")
    merge(admin, ticket, {"id": chat["ticket_id"]})
    messages = admin.data(admin.get(f"/api/chat/{chat['conversation_id']}/messages"))
    assert "By mail." in [row["body"] for row in messages]
    place = next(row["id"] for row in messages if row["body"] == "By mail.")
    later = admin.data(admin.get(f"/api/chat/{chat['conversation_id']}/messages?after={place}"))
    assert [row["id"] for row in later] == [row["id"] for row in messages[messages_after(messages, place) :]]


def messages_after(messages, place):
    return [row["id"] for row in messages].index(place) + 1


def test_pages_of_a_merged_thread_are_in_order_and_whole(admin):
    target, *sources = (admin.ticket(description=f"Words {number}.") for number in range(4))
    for source in sources:
        merge(admin, source, target)
        reply(admin, source, "Here.")
    path = f"/api/tickets/{target['id']}/replies"
    whole = admin.data(admin.get(f"{path}?limit=200"))
    pages = [admin.get(f"{path}?limit=3&offset={offset}") for offset in range(0, len(whole), 3)]
    assert [row for page in pages for row in page.json["data"]] == whole
    assert {page.json["total"] for page in pages} == {len(whole)}
    assert [row["created_at"] for row in whole] == sorted(row["created_at"] for row in whole)


def test_a_merge_is_kept_across_a_restart(open_app, tmp_path):
    with_data = {"data_dir": tmp_path / "kept", "database_url": f"json:{tmp_path / 'kept'}"}
    app = open_app(**with_data)
    admin = Caller(app.test_client(), "admin-key")
    source, target = admin.ticket(description="First."), admin.ticket()
    merge(admin, source, target)
    app.extensions["runtime"].stop()
    again = Caller(open_app(**with_data).test_client(), "admin-key")
    assert thread(again, target) == ["First."]
    assert again.data(do(again, source, "unmerge"))["status"] == source["status"]


def test_a_bulk_cannot_be_undone_for_a_ticket_that_was_merged_since(admin):
    source, target = admin.ticket(), admin.ticket()
    changed = admin.data(admin.post("/api/bulk/tickets", {"ids": [source["id"]], "set": {"priority": "high"}}))
    merge(admin, source, target)
    undone = admin.data(admin.post("/api/bulk/undo", {"bulk_id": changed[0]["bulk_id"]}))
    assert [row["code"] for row in undone] == ["stale_version"]
    assert read(admin, source)["merged_into"] == target["id"]


def test_erasing_the_customer_empties_both_threads_and_forgets_the_state_before(admin, runtime):
    source, target = admin.ticket(description="Secret words."), admin.ticket()
    merge(admin, source, target)
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert set(thread(admin, target)) == {"(erased)"}
    assert error(do(admin, source, "unmerge")) == (409, "erased")
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.find(uow.query(merges)) == []
