"""Moving in: which lines of an import are refused, each alone, and how they are told."""

import pytest

from services.transfers.contents import TABLES
from tests.support.transfers import imported, packed


def test_a_merge_in_a_circle_is_left_out(admin, run_jobs):
    now = "2026-01-02T03:04:05.000Z"
    person = {"id": "c", "email": "eve@example.com", "created_at": now}
    common = {"customer_row": "c", "status": "closed", "created_at": now, "updated_at": now}
    rows = [{**common, "id": f"t{one}", "title": "T", "number": one, "merged_into": f"t{3 - one}"} for one in (1, 2)]
    result = imported(admin, run_jobs, packed({"customers": [person], "tickets": rows}))
    assert (result["created"], [one["line"] for one in result["errors"]]) == (3, [2])
    tickets = admin.data(admin.get("/api/tickets?sort=created_at"))
    assert sorted(bool(row["merged_into"]) for row in tickets) == [False, True]


def test_a_bad_line_changes_nothing_and_the_rest_goes_on(admin, run_jobs):
    now = "2026-01-02T03:04:05.000Z"
    good = {"title": "Good", "body": "Text.", "created_at": now, "updated_at": now}
    lines = [
        {**good, "id": "1"},
        b"{not json}\n",
        b"[1]\n",
        {**good, "id": "2", "colour": "red"},
        {**good, "id": "3", "tags": "vip"},
        {**good, "id": "4", "category": "none"},
        {**good, "id": "5", "updated_at": "2999-01-01T00:00:00.000Z"},
        {**good, "id": "6", "version": 0.5},
        {**good, "id": "../6"},
        b'{"id": "7", "id": "8"}\n',
        {**good, "id": "9", "body": "\0"},
        {"id": "10", "title": "No time"},
        {**good, "id": "11"},
    ]
    result = imported(admin, run_jobs, packed({"articles": lines}))
    assert (result["state"], result["created"], result["rejected"]) == ("done", 2, 11)
    assert [(one["line"], one["field"]) for one in result["errors"]] == [
        (2, ""),
        (3, ""),
        (4, "colour"),
        (5, "tags"),
        (6, "category"),
        (7, "updated_at"),
        (8, "version"),
        (9, "id"),
        (10, "id"),
        (11, "body"),
        (12, "created_at"),
    ]


NUL_IN = [  # file, column, value
    ("tickets", "tags", ["a\0b"]),
    ("tickets", "triage_reasons", ["fine", "\0"]),
    ("tickets", "links", [{"ticket_id": "1", "number": 1, "kind": "\0"}]),
    ("articles", "tags", ["\0"]),
    ("merges", "before", {"assigned_to": "\0"}),
    ("views", "filter", {"\0": "x"}),
    ("macros", "changes", {"tags": ["\0"]}),
    ("routing_rules", "conditions", {"all": [{"field": "tag", "op": "is", "value": "\0"}]}),
]


@pytest.mark.parametrize(("name", "column", "value"), NUL_IN)
def test_case_34_nul_in_a_list_or_object_costs_its_line_only(admin, run_jobs, name, column, value):
    now = "2026-01-02T03:04:05.000Z"
    known = {"customer_row": "2", "ticket_id": "1", "name": "Bad", "number": 1}
    bad = {**known, "id": "1", "created_at": now, "updated_at": now, column: value}
    lines = [{key: cell for key, cell in bad.items() if key in TABLES[name].c}]
    good = {"id": "2", "email": "eve@example.com", "created_at": now}
    result = imported(admin, run_jobs, packed({name: lines, "customers": [good]}))
    assert (result["state"], result["created"], result["rejected"]) == ("done", 1, 1)
    assert "NUL" in result["errors"][0]["message"]


def test_what_acts_later_is_checked_by_the_rules_of_the_api(admin, run_jobs):
    now = {"created_at": "2026-01-02T03:04:05.000Z", "updated_at": "2026-01-02T03:04:05.000Z"}
    macros = [
        {"id": "1", "name": "Good", "body": "Bye.", "changes": {"priority": "low"}, **now},
        {"id": "2", "name": "Column", "changes": {"number": 5}, **now},
        {"id": "3", "name": "Word", "changes": {"status": "lost"}, **now},
    ]
    condition = {"field": "tag", "op": "is", "value": "vip"}
    rules = [
        {"id": "1", "position": 9, "conditions": {"all": [condition]}, "tags": ["late"], **now},
        {"id": "2", "position": 3, "conditions": {"all": [condition]}, "priority": "urgent", **now},
        {"id": "3", "conditions": {"all": [{**condition, "field": "body"}]}, "priority": "low", **now},
        {"id": "4", "conditions": {"all": [condition, 7]}, "priority": "low", **now},
        {"id": "5", "conditions": {"all": [condition]}, "team": "no_such_team", **now},
        {"id": "6", "conditions": {"all": [condition]}, **now},
        {"id": "7", "conditions": {"any": [condition]}, "priority": "low", **now},
    ]
    views = [
        {"id": "1", "name": "Good", "filter": {"status": "open"}, "shared": True, **now},
        {"id": "2", "name": "Name", "filter": {"company": "x"}, "shared": True, **now},
        {"id": "3", "name": "Word", "filter": {"status": "lost"}, "shared": True, **now},
    ]
    teams = [
        {"id": "1", "key": "Night Shift", "name": "Night", **now},
        {"id": "2", "key": "finance", "name": "Money", **now},
    ]
    admin.post("/api/routing/rules", {"conditions": [condition], "priority": "high"})
    data = packed(
        {"macros": macros, "routing_rules": rules, "teams": teams, "views": views},
        **{"settings.json": {"mail_name": "boss@bank.example", "reply_to": "a@b.example\r\nBcc: c@d.example"}},
    )
    result = imported(admin, run_jobs, data)
    assert result["created"] == 5
    assert [(one["file"], one["line"], one["field"]) for one in result["errors"]] == [
        ("teams.jsonl", 1, "key"),
        ("settings.json", 0, "mail_name"),
        ("settings.json", 0, "reply_to"),
        ("routing_rules.jsonl", 3, "conditions"),
        ("routing_rules.jsonl", 4, "conditions"),
        ("routing_rules.jsonl", 5, "team"),
        ("routing_rules.jsonl", 6, "team"),
        ("routing_rules.jsonl", 7, "conditions"),
        ("macros.jsonl", 2, "number"),
        ("macros.jsonl", 3, "status"),
        ("views.jsonl", 2, "company"),
        ("views.jsonl", 3, "status"),
    ]
    stored = admin.data(admin.get("/api/routing/rules"))
    assert [(rule["position"], rule["priority"], rule["tags"]) for rule in stored] == [
        (1, "high", []),
        (2, "urgent", []),
        (3, "", ["late"]),
    ]
    names = {team["key"]: team["name"] for team in admin.data(admin.get("/api/teams"))}
    assert names["finance"] == "Money"
    urgent = admin.ticket(tags=["vip"])
    assert urgent["priority"] == "high"
