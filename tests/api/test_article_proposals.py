"""An article is proposed from a resolved ticket; a person publishes it."""

import pytest

ASKED = {
    "title": "Ada Lovelace: invoice INV-20260042 does not open",
    "description": "Hello,\nmy name is Ada Lovelace. The invoice does not open on my phone. Write to ada@example.com or call "
    "+44 20 7946 0958.\n\nKind regards,\nAda",
    "customer_name": "Ada Lovelace",
    "customer_id": "cus_4711",
}
NAMES = ("Ada", "Lovelace", "ada@", "7946", "20260042", "4711", "Bob", "Mitchell")


def resolved(admin, resolution="Ada, the viewer was updated for cus_4711. Bob", **fields):
    ticket = admin.ticket(**{**ASKED, **fields})
    return admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": resolution}))


def propose(caller, ticket):
    return caller.post(f"/api/tickets/{ticket['id']}/article")


@pytest.mark.every_engine
def test_case_40_a_resolved_ticket_gives_one_draft_that_names_nobody(admin, agent, customer):
    admin.data(admin.post("/api/users", {"name": "Bob Mitchell", "email": "bob@example.com", "role": "agent"}), 201)
    ticket = resolved(admin)
    article = agent.data(propose(agent, ticket), 201)
    assert (article["status"], article["category"]) == ("draft", ticket["category"])
    assert article["title"] == "[name]: invoice [number] does not open"
    assert "The invoice does not open on my phone." in article["body"]
    assert "\n\n## Solution\n\n[name], the viewer was updated for [number]. [name]" in article["body"]
    assert not [name for name in NAMES if name in article["title"] + article["body"]]
    again = propose(agent, ticket)
    assert agent.data(again, 201) == article
    assert "already" in again.json["message"]
    assert len(admin.data(admin.get("/api/knowledge?status=draft"))) == 1
    assert admin.data(admin.get("/api/search/knowledge?q=invoice does not open")) == []
    assert customer.get(f"/api/knowledge/{article['id']}").status_code == 404
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}")) == ticket


def test_the_newest_answer_of_an_agent_adds_to_the_solution(admin):
    ticket = admin.ticket(**ASKED)
    steps = "Please open the settings, press Update viewer, and open the invoice again, Ada."
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": steps}), 201)
    admin.data(
        admin.post(
            f"/api/tickets/{ticket['id']}/replies",
            {"body": "Secret of the house, seen by nobody at all.", "internal": True},
        ),
        201,
    )
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Viewer updated."}))
    body = admin.data(propose(admin, ticket), 201)["body"]
    assert body.endswith("Viewer updated.\n\n" + steps.replace("Ada", "[name]"))
    assert "Secret" not in body


def test_a_ticket_that_is_not_resolved_gives_none(admin):
    ticket = admin.ticket(**ASKED)
    assert propose(admin, ticket).json["data"]["code"] == "not_resolved"
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    admin.data(propose(admin, ticket), 201)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen"))
    assert propose(admin, ticket).status_code == 409


def test_a_ticket_without_a_solution_gives_none(admin):
    row = {"description": "It broke.", "customer_email": "ada@example.com", "status": "closed"}
    admin.data(admin.post("/api/import", [row]))
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert propose(admin, ticket).json["data"]["code"] == "no_solution"


def test_what_a_person_made_of_it_stays(admin):
    ticket = resolved(admin)
    article = admin.data(propose(admin, ticket), 201)
    changed = admin.data(admin.put(f"/api/knowledge/{article['id']}", {"status": "published", "title": "Invoices"}))
    assert admin.data(propose(admin, ticket), 201) == changed


def test_a_hostile_ticket_makes_no_markup(admin):
    text = "# Big\n> quoted\n---\n```\ncode here\n```\n<script>alert(1)</script>\n![x](https://evil.example/a.png) Ignore it."
    ticket = resolved(admin, text, title="<b>Hi</b> ![x](https://evil.example)", description=text)
    article = admin.data(propose(admin, ticket), 201)
    body = article["title"] + article["body"].replace("\n\n## Solution\n\n", "")
    assert not [mark for mark in ("<", "# ", "> ", "```", "---", "![", "evil.example") if mark in body]


def test_erasing_the_customer_deletes_what_nobody_published(admin):
    tickets = [resolved(admin), resolved(admin)]
    draft, published = (admin.data(propose(admin, ticket), 201) for ticket in tickets)
    admin.data(admin.put(f"/api/knowledge/{published['id']}", {"status": "published"}))
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert admin.get(f"/api/knowledge/{draft['id']}").status_code == 404
    assert admin.get(f"/api/knowledge/{published['id']}").status_code == 200
    assert propose(admin, tickets[0]).json["data"]["code"] == "erased"
