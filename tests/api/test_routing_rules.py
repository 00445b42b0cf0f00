"""Routing rules: their order, what their conditions see, what they set, and that people have the last word."""

import pytest

from core.models import Actor
from database.tables import routing_rules
from services.routing import plan, rules
from tests.support.caller import Caller


def add(admin, *conditions, **fields):
    rows = [dict(zip(("field", "op", "value"), one, strict=True)) for one in conditions]
    return admin.data(admin.post("/api/routing/rules", {"conditions": rows, **fields}), 201)


def order(caller):
    rows = caller.data(caller.get("/api/routing/rules?limit=200"))
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["name"] for row in rows]


def patch(admin, rule, **fields):
    return admin.data(admin.call("PATCH", f"/api/routing/rules/{rule['id']}", fields))


def try_on(caller, title="Question", description="How does it work?", **fields):
    body = {"title": title, "description": description, **fields}
    return caller.data(caller.post("/api/routing/test", body))


@pytest.mark.every_engine
def test_the_first_rule_that_matches_decides_and_says_so(admin):
    first = add(admin, ("word", "is", "Refund"), team="finance", priority="high", tags=["money"], name="Refunds")
    add(admin, ("word", "is", "refund"), team="sales")
    last = add(admin, team="customer_success")
    tried = try_on(admin, description="I want a REFUND, please.")
    assert (tried["team"], tried["priority"], tried["tags"], tried["rule_id"]) == (
        "finance",
        "high",
        ["money"],
        first["id"],
    )
    why = 'rule "Refunds" (word is "Refund")'
    assert tried["reasons"][:3] == [f"team finance: {why}", f"priority high: {why}", f"tag money: {why}"]
    assert admin.get("/api/tickets").json["total"] == 0
    ticket = admin.ticket(description="I want a REFUND, please.")
    assert (ticket["assigned_team"], ticket["priority"], ticket["tags"]) == ("finance", "high", ["money"])
    assert ticket["triage_reasons"][:3] == tried["reasons"][:3]
    assert admin.data(admin.get("/api/tickets?assigned_team=finance&priority=high"))[0]["id"] == ticket["id"]
    other = try_on(admin)
    assert (other["team"], other["rule_id"]) == ("customer_success", last["id"])
    assert other["reasons"][0] == "team customer_success: rule number 3 (it has no conditions)"


CONDITIONS = [
    (("word", "is", "rückgabe"), {"description": "Wo ist meine RÜCKGABE?"}, True),
    (("word", "is", "ruckgabe"), {"description": "Wo ist meine Rückgabe?"}, True),
    (("word", "is", "refund"), {"description": "Nothing to refunding"}, False),
    (("word", "is", "credit card"), {"description": "My credit, card"}, True),
    (("word", "is", "credit card"), {"description": "My card credit"}, False),
    (("word", "any_of", "fee, charge back"), {"title": "Charge back", "description": "x"}, True),
    (("word", "is_not", "refund"), {"description": "I want a refund"}, False),
    (("word", "contains", "refund"), {"description": "I want a refund"}, True),
    (("word", "is", "返金"), {"description": "返金をお願いします"}, True),
    (("word", "is", "金"), {"description": "返金をお願いします"}, True),
    (("word", "is", "返品"), {"description": "返金をお願いします"}, False),
    (("word", "is", "a.*b"), {"description": "a b"}, True),
    (("category", "is", "Billing"), {"category": "billing"}, True),
    (("category", "is_not", "billing"), {"category": "billing"}, False),
    (("tag", "is", "vip"), {"tags": ["VIP"]}, True),
    (("tag", "none_of", "vip, gold"), {"tags": ["silver"]}, True),
    (("tier", "in", ["premium", "Enterprise"]), {"customer_tier": "enterprise"}, True),
    (("customer_tier", "is", "premium"), {"customer_tier": "free"}, False),
    (("source", "is", "email"), {"source": "email"}, True),
    (("language", "is", "de"), {"description": "Ich kann mich nicht anmelden, bitte helfen Sie mir"}, True),
    (("language", "is", "de"), {"description": "I cannot sign in, please help me"}, False),
    (("language", "is", "other"), {"description": "Не могу войти в свой аккаунт, помогите пожалуйста"}, True),
    (("topic", "is", "delivery"), {}, False),
]


@pytest.mark.parametrize(("condition", "fields", "holds"), CONDITIONS)
def test_what_a_condition_sees(admin, condition, fields, holds):
    rule = add(admin, condition, tags=["matched"])
    tried = try_on(admin, **fields)
    assert (tried["rule_id"] == rule["id"], "matched" in tried["tags"]) == (holds, holds)
    ticket = admin.ticket(**{"title": "Question", "description": "How does it work?", **fields})
    assert ("matched" in ticket["tags"]) == holds


def test_all_conditions_must_hold(admin):
    add(admin, ("tier", "is", "premium"), ("word", "is", "refund"), team="finance")
    text = {"description": "A refund"}
    assert try_on(admin, **text, customer_tier="premium")["rule_id"]
    assert not try_on(admin, **text)["rule_id"]


@pytest.mark.every_engine
def test_rules_keep_a_total_order_when_they_move(admin):
    made = {name: add(admin, team="sales", name=name) for name in "abcde"}
    assert order(admin) == list("abcde")
    assert patch(admin, made["d"], position=1)["position"] == 1
    assert order(admin) == list("dabce")
    patch(admin, made["a"], position=5)
    assert order(admin) == list("dbcea")
    assert patch(admin, made["c"], position=999)["position"] == 5
    assert order(admin) == list("dbeac")
    patch(admin, made["e"], name="E")
    assert admin.data(admin.delete(f"/api/routing/rules/{made['b']['id']}")) == {"deleted": True}
    add(admin, team="sales", name="x", position=2)
    assert order(admin) == list("dxEac")
    assert add(admin, team="sales", name="z", position=700)["position"] == 6


def test_what_a_person_sets_stays_and_rules_set_the_rest(admin):
    add(admin, team="finance", priority="urgent", tags=["auto", "VIP"])
    ticket = admin.ticket(assigned_team="sales", tags=["vip"])
    assert (ticket["assigned_team"], ticket["priority"], ticket["tags"]) == ("sales", "urgent", ["vip", "auto"])
    assert not [reason for reason in ticket["triage_reasons"] if reason.startswith("team finance")]
    ticket = admin.ticket(priority="low", category="billing")
    assert (ticket["assigned_team"], ticket["priority"]) == ("finance", "low")


def test_a_rule_lowers_no_priority_of_a_risk(admin):
    add(admin, priority="low", name="Calm")
    ticket = admin.ticket(title="Fraud", description="Somebody made fraudulent payments with my card, this is fraud")
    assert ticket["priority"] == "urgent"
    assert any("does not count for a risk" in reason for reason in ticket["triage_reasons"])
    assert admin.ticket()["priority"] == "low"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "team"),
        ({"team": "sales", "conditions": "word is x"}, "conditions"),
        ({"team": "sales", "conditions": [{"field": "word", "op": "is"}]}, "conditions[0].value"),
        ({"team": "sales", "conditions": [{"field": "color", "op": "is", "value": "x"}]}, "conditions[0].field"),
        ({"team": "sales", "conditions": [{"field": "word", "op": "near", "value": "x"}]}, "conditions[0].op"),
        ({"team": "sales", "conditions": [{"field": "word", "op": "is", "value": "!!!"}]}, "conditions[0].value"),
        ({"team": "sales", "conditions": [{"field": "word", "op": "is", "value": 7}]}, "conditions[0].value"),
        ({"team": "sales", "conditions": [{"field": "tier", "op": "is", "value": "gold"}]}, "conditions[0].value"),
        ({"team": "sales", "conditions": [{"field": "language", "op": "is", "value": "xx"}]}, "conditions[0].value"),
        ({"team": "sales", "conditions": [{"field": "tag", "op": "any_of", "value": " , "}]}, "conditions[0].value"),
        ({"team": "sales", "position": 0}, "position"),
        ({"team": "sales", "priority": "soon"}, "priority"),
        ({"team": "sales", "tags": [1]}, "tags[0]"),
        ({"team": "sales", "when": "now"}, "when"),
    ],
)
def test_a_rule_is_checked(admin, body, field):
    response = admin.post("/api/routing/rules", body)
    assert response.status_code == 400, response.json
    assert field in [error["field"] for error in response.json["data"]["errors"]]
    assert order(admin) == []


def test_a_rule_sent_back_whole_stays_and_fields_can_be_cleared(admin):
    rule = add(admin, ("word", "any_of", "fee,  charge"), team="sales", priority="high", tags=["x"], name="n")
    assert rule["conditions"] == [{"field": "word", "op": "any_of", "value": "fee, charge"}]
    same = patch(admin, rule, **rule)
    assert {**same, "updated_at": ""} == {**rule, "updated_at": ""}
    emptied = patch(admin, rule, clear=["team", "conditions", "name"])
    assert (emptied["team"], emptied["conditions"], emptied["name"]) == ("", [], "")
    nothing = admin.call("PATCH", f"/api/routing/rules/{rule['id']}", {"clear": ["priority", "tags"]})
    assert nothing.status_code == 400
    assert [row["action"] for row in admin.data(admin.get("/api/audit?action=changed"))] == ["changed"] * 3


def test_a_team_that_rules_name_is_not_deleted_and_they_are_named(admin):
    team = admin.data(admin.post("/api/teams", {"name": "Night shift"}), 201)
    made = [add(admin, team="night_shift", name="Late"), add(admin, team="night_shift")]
    refused = admin.delete(f"/api/teams/{team['id']}")
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "team_in_use")
    assert '"Late", number 2' in refused.json["message"]
    for rule in made:
        admin.data(admin.delete(f"/api/routing/rules/{rule['id']}"))
    admin.data(admin.delete(f"/api/teams/{team['id']}"))


def test_a_rule_whose_team_is_gone_from_the_data_sets_no_team_and_says_so(admin, runtime):
    rule = add(admin, team="sales", tags=["x"])
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        uow.update(routing_rules, rule["id"], {"team": "vanished"})
        plan.renew(uow)
    assert "no team vanished" in admin.data(admin.get("/api/routing/rules"))[0]["problem"]
    ticket = admin.ticket(category="general")
    assert (ticket["assigned_team"], ticket["tags"]) == ("support", ["x"])
    assert ticket["triage_reasons"][0].endswith("names the team vanished, which does not exist")


def test_a_company_has_at_most_so_many_rules(admin, monkeypatch):
    monkeypatch.setattr(rules, "MOST_RULES", 2)
    for _ in range(2):
        add(admin, team="sales")
    refused = admin.post("/api/routing/rules", {"team": "sales"})
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "too_many_rules")


def test_a_customers_ticket_follows_the_rules_and_they_do_not_see_why(admin, customer):
    add(admin, team="sales", tags=["lead"])
    ticket = customer.data(customer.post("/api/tickets", {"title": "Hello", "description": "I want to buy"}), 201)
    assert (ticket["assigned_team"], ticket["tags"]) == ("sales", ["lead"])
    assert "triage_reasons" not in ticket


def test_a_refused_change_leaves_the_rules_as_they_were(admin):
    rule = add(admin, team="sales")
    assert admin.ticket()["assigned_team"] == "sales"
    assert admin.call("PATCH", f"/api/routing/rules/{rule['id']}", {"team": "nowhere"}).status_code == 400
    assert admin.ticket()["assigned_team"] == "sales"
    patch(admin, rule, team="finance")
    assert admin.ticket()["assigned_team"] == "finance"


@pytest.mark.every_engine
def test_teams_rules_and_what_agents_take_are_there_after_a_restart(open_app, admin, runtime):
    team = admin.data(admin.post("/api/teams", {"name": "Nachtschicht Süd", "assignment": "least_loaded"}), 201)
    person = {"name": "Ann", "email": "ann@example.com", "role": "agent", "team": team["key"], "capacity": 3}
    admin.data(admin.post("/api/users", person), 201)
    rule = add(
        admin, ("word", "is", "日本"), ("tag", "none_of", 'a "b", c'), team=team["key"], tags=["日本"], name="日本"
    )
    ticket = admin.ticket(title="日本", description="日本から")
    assert (ticket["assigned_team"], ticket["assigned_to"]) == (team["key"], "ann@example.com")
    before = [
        admin.data(admin.get(path)) for path in ("/api/teams", "/api/routing/rules", "/api/users", "/api/tickets")
    ]
    runtime.stop()
    again = Caller(open_app().test_client(), "admin-key")
    assert before == [
        again.data(again.get(path)) for path in ("/api/teams", "/api/routing/rules", "/api/users", "/api/tickets")
    ]
    assert again.ticket(title="日本", description="日本から")["triage_reasons"][0] == ticket["triage_reasons"][0]
    assert [row["id"] for row in again.data(again.get("/api/routing/rules"))] == [rule["id"]]


def test_a_rule_that_names_an_erased_person_is_deleted_and_the_others_close_up(admin):
    admin.ticket(customer_email="grace@example.com", customer_name="Grace Murray Hopper")
    add(admin, team="sales", name="first")
    add(admin, ("word", "is", "grace@example.com"), team="sales", name="second")
    add(admin, team="sales", name="third")
    admin.data(admin.delete("/api/customers/grace@example.com"))
    assert order(admin) == ["first", "third"]
    assert "grace" not in admin.get("/api/audit?limit=200").get_data(as_text=True).lower()
