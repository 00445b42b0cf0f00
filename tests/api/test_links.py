"""Links between tickets: both show them, customers never do, and they go with the ticket."""

import pytest

from core.models import LIMITS
from tests.support.caller import Caller


def read(caller, ticket):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}"))


def link(caller, ticket, other, **body):
    return caller.post(f"/api/tickets/{ticket['id']}/links", {"ticket_id": other["id"], **body})


def unlink(caller, ticket, other, **body):
    return caller.call("DELETE", f"/api/tickets/{ticket['id']}/links", {"ticket_id": other["id"], **body})


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("kind", "seen"),
    [("related", "related"), ("duplicate", "duplicate"), ("Caused by", "causes"), ("causes", "caused_by")],
)
def test_both_tickets_show_the_link_each_from_its_side_until_it_is_removed(admin, agent, kind, seen):
    one, two = admin.ticket(), admin.ticket(customer_email="eve@example.com")
    for _ in range(2):
        linked = agent.data(link(agent, one, two, kind=kind))
    stored = kind.lower().replace(" ", "_")
    assert linked["links"] == [{"ticket_id": two["id"], "number": two["number"], "kind": stored}]
    assert linked["version"] == one["version"] + 1
    assert read(agent, two)["links"] == [{"ticket_id": one["id"], "number": one["number"], "kind": seen}]
    assert admin.data(admin.get(f"/api/tickets?number={one['number']}"))[0]["links"] == linked["links"]
    history = agent.data(agent.get(f"/api/tickets/{two['id']}/history"))
    assert [(event["action"], event["field"]) for event in history if event["field"] == "links"] == [
        ("linked", "links")
    ]
    assert agent.data(unlink(agent, two, one))["links"] == []
    assert read(agent, one)["links"] == []
    assert unlink(agent, one, two).status_code == 404


def test_a_link_of_one_kind_is_removed_alone(admin):
    one, two = admin.ticket(), admin.ticket()
    admin.data(link(admin, one, two))
    admin.data(link(admin, one, two, kind="caused_by"))
    assert [one["kind"] for one in admin.data(unlink(admin, one, two, kind="related"))["links"]] == ["caused_by"]
    assert [one["kind"] for one in read(admin, two)["links"]] == ["causes"]


def test_a_ticket_is_linked_neither_to_itself_nor_to_one_of_another_company_case_2(admin, other_admin):
    own, foreign = admin.ticket(), other_admin.ticket()
    assert link(admin, own, own).json["data"]["errors"][0]["field"] == "ticket_id"
    answers = [link(admin, own, {"id": other}) for other in (foreign["id"], "no such ticket", "7")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert (read(admin, own), read(other_admin, foreign)) == (own, foreign)
    assert link(admin, own, admin.ticket(), kind="parent").status_code == 400


def test_customers_see_no_links_case_6(admin, customer):
    own, other = admin.ticket(), admin.ticket(customer_email="eve@example.com")
    admin.data(link(admin, own, other, kind="duplicate"))
    for answer in (customer.get(f"/api/tickets/{own['id']}"), customer.get("/api/tickets")):
        assert "links" not in answer.get_data(as_text=True)
        assert other["id"] not in answer.get_data(as_text=True)


def test_a_deleted_ticket_takes_its_links_along(admin):
    one, two = admin.ticket(), admin.ticket()
    admin.data(link(admin, one, two))
    admin.data(link(admin, one, two, kind="duplicate"))
    admin.data(admin.delete(f"/api/tickets/{one['id']}"))
    assert read(admin, two)["links"] == []


def test_a_ticket_has_at_most_so_many_links(admin):
    one, *others = (admin.ticket() for _ in range(LIMITS["links"] + 2))
    for other in others[:-1]:
        admin.data(link(admin, one, other))
    for answer in (link(admin, one, others[-1]), link(admin, others[-1], one)):
        assert (answer.status_code, answer.json["data"]["code"]) == (409, "too_many_links")


def test_a_ticket_sent_back_whole_with_its_links_is_taken(admin):
    one = admin.ticket()
    linked = admin.data(link(admin, one, admin.ticket()))
    sent = {name: value for name, value in linked.items() if name != "version"}
    assert admin.data(admin.put(f"/api/tickets/{one['id']}", {**sent, "title": "New"}))["title"] == "New"
    answer = admin.put(f"/api/tickets/{one['id']}", {"links": []})
    assert answer.status_code in (200, 400)
    assert read(admin, one)["links"] == linked["links"]


def test_links_and_watchers_are_kept_across_a_restart_and_exported(open_app, tmp_path):
    folder = tmp_path / "kept"
    given = {"data_dir": folder, "database_url": f"json:{folder}"}
    app = open_app(**given)
    admin = Caller(app.test_client(), "admin-key")
    one, two = admin.ticket(), admin.ticket()
    admin.data(link(admin, one, two, kind="caused_by"))
    admin.data(admin.post(f"/api/tickets/{one['id']}/watchers", {"email": "boss@example.com"}))
    admin.data(admin.post(f"/api/tickets/{one['id']}/snooze", {"until": "2027-01-01"}))
    whole = read(admin, one)
    app.extensions["runtime"].stop()
    again = Caller(open_app(**given).test_client(), "admin-key")
    assert read(again, one) == whole
    exported = again.get("/api/export").json["data"][0]
    assert {name: exported[name] for name in whole} == whole
    assert "boss@example.com" in again.client.get("/api/export?format=csv", headers={"X-API-Key": "admin-key"}).text
