"""Every transition from every status: allowed ones follow models.MOVES, others are 409 and change nothing."""

import pytest

from core.models import FINISHED, MOVES, STATUSES
from database.tables import tickets, users
from services.tickets.changes import MOVE_TO
from storage import UnitOfWork
from tests.support.caller import Caller

CALLS = {
    "assign": ("/assign", {"agent_email": "new@example.com"}),
    "unassign": ("/unassign", {}),
    "resolve": ("/resolve", {"resolution": "Done."}),
    "reopen": ("/reopen", {}),
    "agent_reply": ("/replies", {"body": "Hello."}),
    "customer_reply": ("/replies", {"body": "Hello.", "author_role": "customer"}),
    "ai_answer": ("/ai_response", {}),
}


def put_into(runtime, ticket, status, *, assigned):
    """Sets a ticket's state where no rule looks on, as it would be in that state; gives the row's path."""
    finished = {"resolved_at": ticket["created_at"], "resolution": "Once."} if status in FINISHED else {}
    holder = {"assigned_to": "old@example.com", "assigned_at": ticket["created_at"]} if assigned else {}
    with runtime.storage.unit_of_work(None, write=True) as uow:
        UnitOfWork.update(uow, tickets, ticket["id"], {"status": status, **finished, **holder})
    return f"/api/tickets/{ticket['id']}"


def everything(caller, path):
    return [caller.data(caller.get(f"{path}{below}")) for below in ("", "/replies", "/history")]


@pytest.mark.parametrize("assigned", [False, True], ids=["unassigned", "assigned"])
@pytest.mark.parametrize("move", CALLS)
def test_a_transition_is_only_allowed_from_its_sources(admin, runtime, move, assigned):
    below, body = CALLS[move]
    for status in STATUSES:
        path = put_into(runtime, admin.ticket(), status, assigned=assigned)
        before = everything(admin, path)
        response = admin.post(f"{path}{below}", body)
        after = admin.data(admin.get(path))
        if status in MOVES[move].sources:
            assert response.status_code in (200, 201), (status, response.json)
            # Taking a ticket from nobody changes nothing, not even its state.
            idle = move == "unassign" and not assigned
            wanted = status if idle else MOVES[move].result(status, assigned=assigned)
            assert after["status"] == wanted, status
        else:
            assert (response.status_code, response.json["data"]["code"]) == (409, "move_not_allowed"), status
            assert everything(admin, path) == before, status


@pytest.mark.parametrize("assigned", [False, True], ids=["unassigned", "assigned"])
@pytest.mark.parametrize("wanted", STATUSES)
def test_setting_a_status_is_its_transition(admin, runtime, wanted, assigned):
    for status in STATUSES:
        path = put_into(runtime, admin.ticket(), status, assigned=assigned)
        before = everything(admin, path)
        response = admin.put(path, {"status": wanted, **({"resolution": "Done."} if wanted == "resolved" else {})})
        back = status in FINISHED and wanted == MOVES["reopen"].result(status, assigned=assigned)
        move = "reopen" if back else MOVE_TO.get(wanted)
        if status == wanted:
            # Resolving what is resolved corrects the resolution.
            assert response.status_code == 200
            assert response.json["data"]["status"] == wanted
        elif wanted == "assigned" and not assigned:
            assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "assigned_to")
            assert everything(admin, path) == before
        elif move and status in MOVES[move].sources:
            # A status that is written is taken at its word, also where assigning alone would leave it.
            assert admin.data(response)["status"] == wanted, status
        else:
            assert (response.status_code, response.json["data"]["code"]) == (409, "move_not_allowed"), status
            assert everything(admin, path) == before, status


def test_every_transition_has_a_test():
    of_conversations = {"return"}  # tests/services/test_chat_handoff.py
    assert set(CALLS) | set(MOVE_TO.values()) | of_conversations == set(MOVES)


def test_resolving_by_put_needs_a_resolution_and_a_resolution_needs_resolving(admin):
    path = f"/api/tickets/{admin.ticket()['id']}"
    before = everything(admin, path)
    for body in ({"status": "resolved"}, {"resolution": "Done."}, {"status": "in_progress", "resolution": "Done."}):
        response = admin.put(path, body)
        assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "resolution")
    assert everything(admin, path) == before


@pytest.mark.every_engine
@pytest.mark.parametrize("assigned", [False, True], ids=["unassigned", "assigned"])
@pytest.mark.parametrize("closed", [False, True], ids=["resolved", "closed"])
def test_reopening_clears_the_resolution(admin, assigned, closed):
    path = f"/api/tickets/{admin.ticket(**({'assigned_to': 'bob'} if assigned else {}))['id']}"
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    if closed:
        shut = admin.data(admin.put(path, {"status": "closed", "resolution": "Done at last."}))
        assert shut["resolution"] == "Done at last."
        assert {"resolved_at", "closed_at"} <= set(shut)
    reopened = admin.data(admin.post(f"{path}/reopen"))
    assert reopened["status"] == ("in_progress" if assigned else "new")
    assert reopened["resolution"] == ""
    assert not {"resolved_at", "closed_at"} & set(reopened)


@pytest.mark.every_engine
def test_a_customer_reply_reopens_the_ticket(admin, customer):
    path = f"/api/tickets/{admin.ticket(assigned_to='bob')['id']}"
    for status in ("waiting_customer", "resolved", "closed"):
        if status == "closed":
            admin.data(admin.put(path, {"status": "resolved", "resolution": "Done."}))
        admin.data(admin.put(path, {"status": status, **({"resolution": "Done."} if status == "resolved" else {})}))
        reply = customer.data(customer.post(f"{path}/replies", {"body": "Still broken."}), 201)
        assert reply["author_role"] == "customer"
        assert admin.data(admin.get(path))["status"] == "in_progress"


def test_an_internal_note_never_changes_the_status(admin, runtime):
    for status in STATUSES:
        path = put_into(runtime, admin.ticket(), status, assigned=False)
        admin.data(admin.post(f"{path}/replies", {"body": "Note.", "internal": True}), 201)
        assert admin.data(admin.get(path))["status"] == status


def test_a_note_in_a_customers_name_is_400_and_not_sent(admin, customer, mailer, run_jobs):
    path = f"/api/tickets/{admin.ticket()['id']}/replies"
    run_jobs()
    mails, before = len(mailer.sent), admin.get(path).json["total"]
    assert admin.post(path, {"body": "Secret.", "internal": True, "author_role": "customer"}).status_code == 400
    assert customer.post(path, {"body": "Secret.", "internal": True}).status_code == 400
    assert customer.post(path, {"body": "Hello.", "author_role": "agent"}).status_code == 400
    run_jobs()
    assert (len(mailer.sent), admin.get(path).json["total"]) == (mails, before)


def test_any_assignee_is_valid_without_agents(admin):
    path = f"/api/tickets/{admin.ticket()['id']}/assign"
    assert admin.data(admin.post(path, {"agent_email": "Whoever"}))["assigned_to"] == "Whoever"
    assert admin.data(admin.post(path, {"agent_email": "Bob@Example.com"}))["assigned_to"] == "bob@example.com"
    response = admin.post(path, {"auto": True})
    assert (response.status_code, response.json["data"]["code"]) == (409, "no_agents")


@pytest.fixture
def agents(runtime, other_admin):
    """Agents of the company, two of one name, and one of another company."""
    people = [
        ("bob@example.com", "Bob Dee", "agent", "default", "support"),
        ("eva@example.com", "Eva", "agent", "default", "finance"),
        ("eve@example.com", "eva", "admin", "default", "support"),
        ("oez@example.com", "Özil", "agent", "default", "support"),
        ("cus@example.com", "Cus Tomer", "customer", "default", "support"),
        ("far@example.com", "Far Away", "agent", "other", "support"),
    ]
    with runtime.storage.unit_of_work(None, write=True) as uow:
        for email, name, role, company, team in people:
            row = {"company_id": company, "email": email, "name": name, "role": role, "team": team}
            uow.insert(users, {**row, "created_at": uow.now})


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("named", "found"),
    [("bob@example.com", "bob"), ("BOB@example.com", "bob"), ("Bob Dee", "bob"), ("bob dee", "bob"), ("Özil", "oez")],
)
def test_an_agent_is_found_by_email_or_unique_name(admin, agents, named, found):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    for response in (admin.post(f"{path}/assign", {"agent_email": named}), admin.put(path, {"assigned_to": named})):
        assert admin.data(response)["assigned_to"] == f"{found}@example.com"
    assert admin.ticket(assigned_to=named)["assigned_to"] == f"{found}@example.com"


@pytest.mark.every_engine
def test_foreign_unknown_and_ambiguous_agents_get_the_same_400(admin, agents):
    path = f"/api/tickets/{admin.ticket()['id']}"
    before = everything(admin, path)
    new = {"title": "Help", "description": "d", "customer_email": "ada@example.com"}
    names = ["far@example.com", "Far Away", "nobody@example.com", "Nobody", "Eva", "cus@example.com"]
    for method, where, field, body in (
        ("POST", f"{path}/assign", "agent_email", {}),
        ("PUT", path, "assigned_to", {}),
        ("POST", "/api/tickets", "assigned_to", new),
    ):
        answers = [admin.call(method, where, {**body, field: name}) for name in names]
        assert {answer.status_code for answer in answers} == {400}
        assert len({answer.get_data() for answer in answers}) == 1
    assert everything(admin, path) == before
    assert admin.get("/api/tickets").json["total"] == 1


def test_a_ticket_sent_back_whole_keeps_an_assignee_who_is_no_agent_any_more(admin, runtime):
    ticket = admin.ticket(assigned_to="gone@example.com")
    with runtime.storage.unit_of_work(None, write=True) as uow:
        row = {"company_id": "default", "email": "bob@example.com", "name": "Bob", "created_at": uow.now}
        uow.insert(users, row)
    changed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {**ticket, "title": "New"}))
    assert (changed["title"], changed["assigned_to"]) == ("New", "gone@example.com")


@pytest.mark.every_engine
def test_auto_takes_the_available_agent_of_the_team_with_the_fewest_open_tickets(admin, agents, runtime):
    def auto(**fields):
        path = f"/api/tickets/{admin.ticket(**fields)['id']}"
        return path, admin.data(admin.post(f"{path}/assign", {"auto": True}))["assigned_to"]

    assert auto(assigned_team="finance")[1] == "eva@example.com"
    support = [auto(assigned_team="support") for _ in range(3)]
    assert [chosen for _, chosen in support] == ["bob@example.com", "eve@example.com", "oez@example.com"]
    # A resolved ticket is no load any more.
    admin.data(admin.post(f"{support[1][0]}/resolve", {"resolution": "Done."}))
    assert auto(assigned_team="support")[1] == "eve@example.com"
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(users, users.c.company_id == "default", users.c.team == "support", available=False)
    # Nobody of the team is there: whoever is available helps out.
    assert auto(assigned_team="support")[1] == "eva@example.com"
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(users, users.c.company_id == "default", available=False)
    assert admin.post(f"/api/tickets/{admin.ticket()['id']}/assign", {"auto": True}).status_code == 409


@pytest.mark.parametrize("body", [{}, {"auto": False}, {"auto": True, "agent_email": "bob"}])
def test_assigning_needs_either_a_name_or_auto(admin, body):
    assert admin.post(f"/api/tickets/{admin.ticket()['id']}/assign", body).status_code == 400


def test_a_transition_of_an_unknown_ticket_is_404(app, admin):
    for below, body in CALLS.values():
        assert Caller(app.test_client(), admin.key).post(f"/api/tickets/nonsense{below}", body).status_code == 404
