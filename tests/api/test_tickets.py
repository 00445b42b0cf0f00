"""The life of a ticket, as its callers see it."""

import pytest


def test_the_worked_example_is_triaged_as_published(admin):
    ticket = admin.ticket(
        title="Cannot login",
        description="This is urgent. I cannot login and my team is blocked today.",
        customer_tier="standard",
    )
    wanted = {"category": "technical", "priority": "urgent", "priority_score": 95, "sentiment": "neutral"}
    assert {name: ticket[name] for name in wanted} == wanted
    assert ticket["assigned_team"] == "technical_support"
    assert ticket["triage_reasons"]


def test_without_a_model_a_new_ticket_is_answered_at_once(admin):
    ticket = admin.ticket()
    assert (ticket["status"], ticket["ai_status"], ticket["ai_source"]) == ("ai_responded", "done", "canned")
    assert f"#{ticket['number']}" in ticket["ai_response"]


def test_a_ticket_passes_through_its_life_cycle(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    assert (
        admin.data(admin.post(f"{path}/assign", {"agent_email": "Bob@Example.com", "user": "lead"}))["status"]
        == "assigned"
    )
    assert admin.data(admin.post(f"{path}/replies", {"body": "Here is how."}), 201)["author_role"] == "agent"
    assert admin.data(admin.get(path))["status"] == "waiting_customer"
    resolved = admin.data(admin.post(f"{path}/resolve", {"resolution": "Changed it.", "user": "bob"}))
    assert (resolved["status"], resolved["resolution"]) == ("resolved", "Changed it.")
    assert resolved["first_response_at"]
    reopened = admin.data(admin.post(f"{path}/reopen"))
    assert reopened["status"] == "in_progress"
    assert "resolved_at" not in reopened
    actions = [event["action"] for event in admin.data(admin.get(f"{path}/history"))]
    assert actions[0] == "created"
    assert {"assigned", "replied", "resolved", "reopened"} <= set(actions)


def test_numbers_count_from_one_without_gaps(admin):
    assert [admin.ticket()["number"] for _ in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("move", "body"),
    [("assign", {"agent_email": "b@example.com"}), ("unassign", {}), ("resolve", {"resolution": "Again."})],
)
def test_a_resolved_ticket_must_be_reopened_before_anything_else(admin, move, body):
    path = f"/api/tickets/{admin.ticket()['id']}"
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    refused = admin.post(f"{path}/{move}", body)
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "move_not_allowed")
    assert "Reopen" in refused.json["message"]
    assert admin.data(admin.get(path))["version"] == 2


def test_a_deleted_ticket_is_gone_with_its_thread(admin, agent):
    path = f"/api/tickets/{admin.ticket()['id']}"
    assert agent.delete(path).status_code == 403
    assert admin.data(admin.delete(path)) == {"deleted": True}
    assert admin.get(path).status_code == 404
    assert admin.get(f"{path}/replies").status_code == 404
