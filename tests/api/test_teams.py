"""Teams: the built-in ones, own ones, their members, and everything that names a team."""

import pytest

PEOPLE = (("ann", "agent"), ("bob", "agent"), ("cleo", "admin"), ("dan", "customer"))


@pytest.fixture
def people(admin):
    return {
        name: admin.data(
            admin.post("/api/users", {"name": name.title(), "email": f"{name}@example.com", "role": role}), 201
        )
        for name, role in PEOPLE
    }


def teams(caller):
    return {team["key"]: team for team in caller.data(caller.get("/api/teams"))}


def add(admin, **fields):
    return admin.data(admin.post("/api/teams", fields), 201)


@pytest.mark.every_engine
def test_a_team_is_added_named_changed_and_deleted(admin, agent, people):
    built_in = teams(agent)
    assert list(built_in) == ["finance", "technical_support", "sales", "customer_success", "support"]
    assert all(team["built_in"] and not team["members"] for team in built_in.values())
    team = add(admin, name="Night shift", members=["ann@example.com", "Cleo"])
    assert (team["key"], team["members"], team["assignment"]) == (
        "night_shift",
        ["ann@example.com", "cleo@example.com"],
        "off",
    )
    changes = {**team, "name": "Late shift", "members": [people["bob"]["id"]], "assignment": "least_loaded"}
    changed = admin.data(admin.call("PATCH", f"/api/teams/{team['id']}", changes))
    assert (changed["key"], changed["name"], changed["members"]) == ("night_shift", "Late shift", ["bob@example.com"])
    assert teams(agent)["night_shift"] == changed
    assert {row["email"]: row["team"] for row in admin.data(admin.get("/api/users"))} == {
        "ann@example.com": "",
        "bob@example.com": "night_shift",
        "cleo@example.com": "",
        "dan@example.com": "",
    }
    assert admin.data(admin.delete(f"/api/teams/{team['id']}")) == {"deleted": True}
    assert teams(agent) == built_in
    assert {row["team"] for row in admin.data(admin.get("/api/users"))} == {""}
    assert admin.delete(f"/api/teams/{team['id']}").status_code == 404


def test_a_built_in_team_is_renamed_and_keeps_its_key_and_id(admin, customer):
    before = teams(admin)["finance"]
    path = f"/api/teams/{before['id']}"
    renamed = admin.data(admin.call("PATCH", path, {"name": "Buchhaltung"}))
    assert (renamed["id"], renamed["key"], renamed["name"]) == (before["id"], "finance", "Buchhaltung")
    assert admin.data(admin.call("PATCH", path, {"name": "Billing desk"}))["name"] == "Billing desk"
    for caller in (admin, customer):
        choices = {row["key"]: row["label"] for row in caller.data(caller.get("/api/lookups/teams"))}
        assert (choices["finance"], choices["support"]) == ("Billing desk", "Support")
    assert admin.ticket(assigned_team="billing desk")["assigned_team"] == "finance"
    refused = admin.delete(path)
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "team_in_use")
    assert "billing" in refused.json["message"]


def test_a_team_of_the_company_is_taken_wherever_a_team_is_named(admin, people, run_jobs):
    add(admin, name="VIP desk")
    ticket = admin.ticket(assigned_team="VIP Desk")
    assert ticket["assigned_team"] == "vip_desk"
    path = f"/api/tickets/{ticket['id']}"
    assert admin.data(admin.put(path, {"assigned_team": "Finance"}))["assigned_team"] == "finance"
    assert admin.data(admin.put(path, {"assigned_team": "vip-desk"}))["assigned_team"] == "vip_desk"
    again = admin.data(admin.put(path, {"assigned_team": "VIP DESK"}))
    assert (again["assigned_team"], again["version"]) == ("vip_desk", 3)  # nothing changed
    assert admin.get("/api/tickets?assigned_team=vip_desk,finance").json["total"] == 1
    user = admin.data(admin.call("PATCH", f"/api/users/{people['ann']['id']}", {"team": "VIP desk"}))
    assert user["team"] == "vip_desk"
    settings = admin.data(admin.put("/api/settings", {"topic_teams": [{"topic": "x", "team": "vip desk"}]}))
    assert settings["topic_teams"] == [{"topic": "x", "team": "vip_desk"}]
    admin.data(admin.post("/api/views", {"name": "VIPs", "filter": {"assigned_team": "vip_desk"}}), 201)
    assert admin.data(admin.get("/api/views"))[0]["count"] == 1
    macro = admin.data(admin.post("/api/macros", {"name": "To VIP", "set": {"assigned_team": "VIP desk"}}), 201)
    admin.data(admin.put(path, {"assigned_team": "sales"}))
    used = admin.data(admin.post(f"{path}/macro", {"macro_id": macro["id"], "apply": True}))
    assert used["ticket"]["assigned_team"] == "vip_desk"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/tickets", {"title": "a", "description": "b", "customer_email": "a@b.example"}, "assigned_team"),
        ("GET", "/api/tickets?assigned_team=nowhere", None, "assigned_team"),
        ("POST", "/api/users", {"name": "Zoe", "email": "zoe@example.com", "role": "agent"}, "team"),
        ("PUT", "/api/settings", {"topic_teams": [{"topic": "x", "team": "nowhere"}]}, "topic_teams[0].team"),
        ("POST", "/api/routing/rules", {"conditions": []}, "team"),
    ],
)
def test_an_unknown_team_is_400_and_the_teams_are_named(admin, method, path, body, field):
    if body is not None and "." not in field:
        body = {**body, field: "nowhere"}
    response = admin.call(method, path, body)
    assert response.status_code == 400, response.json
    (error,) = response.json["data"]["errors"]
    assert error["field"] == field
    assert "finance, technical_support" in error["message"]


def test_a_ticket_sent_back_whole_keeps_a_team_that_is_gone(admin):
    team = add(admin, name="Old desk")
    ticket = admin.ticket(assigned_team="old_desk")
    path = f"/api/tickets/{ticket['id']}"
    refused = admin.delete(f"/api/teams/{team['id']}")
    assert (refused.status_code, refused.json["message"]) == (
        409,
        "1 open ticket belongs to this team. Move them first.",
    )
    resolved = admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    admin.data(admin.delete(f"/api/teams/{team['id']}"))
    assert admin.data(admin.put(path, {**resolved, "product": "Phone"}))["assigned_team"] == "old_desk"
    assert admin.get("/api/tickets?assigned_team=old_desk").json["total"] == 1


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({}, 400, "name"),
        ({"name": "A", "key": "1st"}, 400, "key"),
        ({"name": "日本"}, 400, "key"),
        ({"name": "Süd"}, 201, "sud"),
        ({"name": "x", "key": "Late Shift"}, 201, "late_shift"),
        ({"name": "Finance"}, 409, "team_exists"),
        ({"name": "x", "key": "finance"}, 409, "team_exists"),
        ({"name": "x", "members": ["dan@example.com"]}, 400, "members[0]"),
        ({"name": "x", "members": ["ann@example.com", "nobody@example.com"]}, 400, "members[1]"),
        ({"name": "x", "members": "ann@example.com"}, 400, "members"),
        ({"name": "x", "assignment": "round robin"}, 400, "assignment"),
    ],
)
def test_what_a_new_team_may_be(admin, people, fields, status, named):
    response = admin.post("/api/teams", fields)
    assert response.status_code == status, response.json
    data = response.json["data"]
    told = data["key"] if status == 201 else data["code"] if status == 409 else data["errors"][0]["field"]
    assert told == named


def test_a_changed_read_only_field_of_a_team_is_named(admin):
    team = add(admin, name="One")
    response = admin.call("PATCH", f"/api/teams/{team['id']}", {**team, "key": "two"})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "key")


@pytest.mark.every_engine
def test_case_1_2_teams_and_rules_of_another_company_do_not_exist(admin, other_admin):
    team, finance = add(admin, name="Ours"), teams(admin)["finance"]
    rule = admin.data(admin.post("/api/routing/rules", {"team": "ours"}), 201)
    random = other_admin.delete("/api/teams/nonsense")
    for path in (f"/api/teams/{team['id']}", f"/api/teams/{finance['id']}", f"/api/routing/rules/{rule['id']}"):
        for method, body in (("PATCH", {"name": "Theirs"}), ("DELETE", None)):
            response = other_admin.call(method, path, body)
            assert (response.status_code, response.data) == (404, random.data)
    assert "ours" not in teams(other_admin)
    assert other_admin.post("/api/routing/rules", {"team": "ours"}).status_code == 400
    user = admin.data(admin.post("/api/users", {"name": "U", "email": "u@example.com", "role": "agent"}), 201)
    assert other_admin.post("/api/teams", {"name": "x", "members": [user["id"]]}).status_code == 400
    assert teams(admin)["ours"] == team


def test_agents_read_teams_and_rules_and_only_admins_change_them(admin, agent, customer):
    team = add(admin, name="One")
    rule = admin.data(admin.post("/api/routing/rules", {"team": "one"}), 201)
    for path in ("/api/teams", "/api/routing/rules"):
        assert (agent.get(path).status_code, customer.get(path).status_code) == (200, 403)
        assert agent.post(path, {"name": "x", "team": "one"} if "rules" in path else {"name": "x"}).status_code == 403
    for path in (f"/api/teams/{team['id']}", f"/api/routing/rules/{rule['id']}"):
        assert (agent.call("PATCH", path, {"name": "x"}).status_code, agent.delete(path).status_code) == (403, 403)


@pytest.mark.parametrize("how", ["undo", "unmerge", "reopen", "customer"])
def test_a_ticket_does_not_come_back_to_a_team_that_was_deleted_meanwhile(admin, customer, how):
    team = add(admin, name="Night shift")
    new = {"title": "Invoice", "description": "Wrong sum.", "category": "billing", "customer_email": "ada@example.com"}
    ticket, other = (admin.data(admin.post("/api/tickets", {**new, "assigned_team": "night_shift"}), 201) for _ in "ab")
    path = f"/api/tickets/{ticket['id']}"
    moved = {"ids": [ticket["id"], other["id"]], "set": {"assigned_team": "support"}}
    if how == "unmerge":
        admin.data(admin.post(f"{path}/merge", {"into": other["id"]}))
        moved["ids"] = [other["id"]]
    elif how != "undo":
        admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
        moved["ids"] = [other["id"]]
    bulk_id = admin.data(admin.post("/api/bulk/tickets", moved))[0]["bulk_id"]
    admin.data(admin.delete(f"/api/teams/{team['id']}"))
    if how == "undo":
        (result, _) = admin.data(admin.post("/api/bulk/undo", {"bulk_id": bulk_id}))
        assert "its team is gone: it is in finance now" in result["message"]
    elif how == "customer":
        customer.data(customer.post(f"{path}/replies", {"body": "It is wrong again."}), 201)
    else:
        admin.data(admin.post(f"{path}/{how}"))
    assert admin.data(admin.get(path))["assigned_team"] == "finance"


def test_a_key_that_is_cut_out_of_a_long_name_is_accepted_where_a_team_is_named(admin):
    team = admin.data(admin.post("/api/teams", {"name": f"{'a' * 39} b"}), 201)
    assert team["key"] == "a" * 39
    assert admin.ticket(assigned_team=team["key"])["assigned_team"] == team["key"]


def test_a_given_key_is_put_into_the_form_by_which_it_is_found(admin):
    team = admin.data(admin.post("/api/teams", {"name": "Night", "key": "night__shift_"}), 201)
    assert team["key"] == "night_shift"
    assert admin.ticket(assigned_team="night__shift_")["assigned_team"] == "night_shift"


def test_statistics_name_teams_as_the_company_does(admin):
    night = admin.data(admin.post("/api/teams", {"name": "Night shift"}), 201)
    admin.data(admin.call("PATCH", f"/api/teams/{teams(admin)['support']['id']}", {"name": "Front desk"}))
    admin.ticket(assigned_team=night["key"])
    rows = {row["key"]: row for row in admin.data(admin.get("/api/stats"))["by_team"]}
    assert rows[night["key"]] == {"key": night["key"], "label": "Night shift", "count": 1}
    assert rows["support"]["label"] == "Front desk"


@pytest.mark.parametrize("form", ["NewTeam", "TeamChanges"])
def test_the_documents_say_who_serves_a_team_without_members(app, form):
    described = app.test_client().get("/openapi.json").json["components"]["schemas"][form]["properties"]["assignment"]
    assert "of a team without members to any free agent" in described["description"]
