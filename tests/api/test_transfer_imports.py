"""Imports of transfers: what an import of a whole company takes over, matches, refuses and leaves alone."""

import pytest

from core.models import Actor
from database import tables
from jobs.handlers import periodic
from services.transfers import importing
from services.transfers.contents import TABLES
from services.transfers.new_ids import derived
from tests.conftest import add_key
from tests.support.caller import Caller
from tests.support.rows import file_url
from tests.support.transfers import exported, fill, imported, opened, packed

# What differs behind a move: people arrive disabled, and no alert follows from what happened before.
SETTLED = {
    "users": {"disabled"},
    "views": {"owner"},  # this one was saved by a key, and keys do not move
    "tickets": {"arrived_at", "escalated_at", "sla_told", "sla_next_at", "sla_status"},
    "conversations": {"idle_due_at", "warned"},
}
OTHER = "other"


def salt_of(runtime, company):
    with runtime.storage.unit_of_work(Actor.system(company)) as uow:
        return uow.get(tables.companies, company)["transfer_salt"]


def renamed(value, names):
    """A value with the ids of one company in place of those of another."""
    if isinstance(value, dict):
        return {name: renamed(one, names) for name, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def new_names(lines, salt):
    return {row["id"]: derived(salt, name, row["id"]) for name, rows in lines.items() for row in rows}


@pytest.fixture
def source(open_app, tmp_path, engine):
    """A filled company on a server with another engine: its admin, its runtime and its ids."""
    folder = tmp_path / "source"
    folder.mkdir()
    url = file_url("json" if engine != "json" else "sqlite", folder)
    app = open_app(data_dir=folder, database_url=url)
    runtime = app.extensions["runtime"]
    admin = Caller(app.test_client(), "admin-key")
    ids = fill(admin, runtime)
    runtime.runner.run_due()
    return admin, runtime, ids


@pytest.mark.every_engine
def test_a_company_is_the_same_on_another_engine_and_its_threads_keep_order_and_times(
    source, admin, other_admin, runtime, run_jobs
):
    data = exported(source[0], source[1].runner.run_due)
    lines, files = opened(data)
    assert {name for name, rows in lines.items() if not rows} == set()
    result = imported(other_admin, run_jobs, data)
    assert (result["state"], result["errors"], result["rejected"], result["skipped"]) == ("done", [], 0, 0)
    assert result["created"] == result["done"] == result["total"] == sum(map(len, lines.values()))
    after, files_after = opened(exported(other_admin, run_jobs))
    names = new_names(lines, salt_of(runtime, OTHER))
    for name, rows in lines.items():
        here = {row["id"]: row for row in after[name]}
        expected = [renamed(row, names) for row in rows]
        for row in expected:
            ignored = SETTLED.get(name, set()) | ({"subject_id"} if name == "history" else set())
            moved = here[row["id"]]
            assert {key: moved.get(key) for key in row.keys() - ignored} == {
                key: row[key] for key in row.keys() - ignored
            }
        assert [row["id"] for row in after[name] if row["id"] in set(names.values())] == [row["id"] for row in expected]
    assert files_after == {names[name]: content for name, content in files.items()}
    assert other_admin.data(other_admin.get("/api/settings"))["mail_name"] == "Our desk"
    first = names[source[2]["first"]["id"]]
    thread = [one["body"] for one in other_admin.data(other_admin.get(f"/api/tickets/{first}/replies"))]
    assert thread == [
        one["body"] for one in source[0].data(source[0].get(f"/api/tickets/{source[2]['first']['id']}/replies"))
    ]


@pytest.mark.every_engine
def test_search_counters_and_figures_are_right_behind_an_import_and_nothing_is_sent(
    source, admin, other_admin, runtime, run_jobs, mailer
):
    theirs = source[0]
    data = exported(theirs, source[1].runner.run_due)
    other_admin.data(other_admin.post("/api/webhooks", {"url": "https://1.1.1.1/hook", "events": "*"}), 201)
    sent = len(mailer.sent)
    imported(other_admin, run_jobs, data)
    run_jobs()
    assert len(mailer.sent) == sent
    assert [row["title"] for row in other_admin.data(other_admin.get("/api/tickets?q=late"))] == ["Late"]
    assert other_admin.get("/api/tickets?tag=vip").json["total"] == 3
    for path in ("/api/stats", "/api/tickets?status=closed", "/api/customers/ada@example.com"):
        mine, original = other_admin.get(path).json, theirs.get(path).json
        assert mine.get("total") == original.get("total"), path
    names = ("total_tickets", "open_tickets", "resolved_tickets")
    figures = [
        {name: caller.data(caller.get("/api/customers/ada@example.com"))[name] for name in names}
        for caller in (other_admin, theirs)
    ]
    assert figures[0] == figures[1]
    with runtime.storage.unit_of_work(Actor.system(OTHER)) as uow:
        kinds = {job["lane"] for job in uow.find(uow.query(tables.jobs)) if job["state"] == "waiting"}
        assert uow.count(uow.query(tables.deliveries)) == 0
    assert kinds <= {"files", "learn"}
    assert other_admin.ticket()["number"] == 5


@pytest.mark.every_engine
def test_the_same_import_again_changes_nothing(source, other_admin, runtime, run_jobs):
    data = exported(source[0], source[1].runner.run_due)
    first = imported(other_admin, run_jobs, data)
    ticket = other_admin.data(other_admin.get("/api/tickets?q=late"))[0]
    other_admin.data(other_admin.put(f"/api/tickets/{ticket['id']}", {"title": "Changed here, late"}))
    before = opened(exported(other_admin, run_jobs))[0]
    again = imported(other_admin, run_jobs, data)
    assert (again["state"], again["created"], again["skipped"], again["errors"]) == ("done", 0, first["created"], [])
    after = opened(exported(other_admin, run_jobs))[0]
    assert {name: rows for name, rows in after.items() if name != "history"} == {
        name: rows for name, rows in before.items() if name != "history"
    }


def test_an_export_that_comes_back_to_its_own_company_adds_only_what_is_gone(admin, runtime, run_jobs):
    ids = fill(admin, runtime)
    data = exported(admin, run_jobs)
    assert imported(admin, run_jobs, data)["created"] == 0
    admin.delete(f"/api/tickets/{ids['eve']['id']}")
    again = imported(admin, run_jobs, data)
    assert again["errors"] == []
    assert [row["title"] for row in admin.data(admin.get("/api/tickets?q=late"))] == ["Late"]


def test_case_2_an_import_reads_and_changes_nothing_of_another_company(admin, other_admin, runtime, run_jobs):
    ids = fill(other_admin, runtime, company=OTHER)
    before = opened(exported(other_admin, run_jobs))[0]
    theirs = {name: before[name][0] for name in ("customers", "tickets", "articles", "attachments")}
    now = theirs["tickets"]["created_at"]
    reply = {"id": "r", "ticket_id": theirs["tickets"]["id"], "body": "Mine.", "created_at": now}
    ticket = {**theirs["tickets"], "id": "t", "customer_row": theirs["customers"]["id"]}
    foreign = {**theirs["customers"], "company_id": OTHER}
    data = packed({"customers": [foreign], "tickets": [ticket], "replies": [reply], "articles": [theirs["articles"]]})
    result = imported(admin, run_jobs, data)
    assert (result["state"], result["created"], result["rejected"]) == ("done", 1, 3)
    assert [(one["file"], one["line"], one["field"]) for one in result["errors"]] == [
        ("customers.jsonl", 1, "company_id"),
        ("tickets.jsonl", 1, "customer_row"),
        ("replies.jsonl", 1, "ticket_id"),
    ]
    article = admin.data(admin.get("/api/knowledge"))[0]
    assert article["id"] != theirs["articles"]["id"]
    after = opened(exported(other_admin, run_jobs))[0]
    assert {name: rows for name, rows in after.items() if name != "history"} == {
        name: rows for name, rows in before.items() if name != "history"
    }
    mine = admin.data(admin.post("/api/transfers", {"kind": "import"}), 201)
    assert other_admin.get(f"/api/transfers/{mine['id']}").status_code == 404
    sent = other_admin.put(
        f"/api/transfers/{mine['id']}/file", None, data=data, headers={"Content-Type": "application/zip"}
    )
    assert sent.status_code == 404
    assert ids


def test_people_arrive_disabled_without_secrets_and_those_who_are_here_stay_as_they_are(admin, runtime, run_jobs):
    admin.post(
        "/api/users", {"name": "Mine", "email": "bob@example.com", "role": "agent", "password": "a few good words"}
    )
    now = "2026-01-02T03:04:05.000Z"
    people = [
        {"id": "a", "email": "bob@example.com", "name": "Theirs", "role": "admin", "created_at": now},
        {"id": "b", "email": "root@example.com", "name": "Root", "role": "admin", "created_at": now},
        {"id": "c", "email": "x@example.com", "name": "X", "password_hash": "$argon2", "created_at": now},
        {"id": "d", "email": "Not An Address", "name": "X", "created_at": now},
    ]
    view = {"id": "v", "name": "Own", "owner": "a", "created_at": now, "updated_at": now}
    result = imported(admin, run_jobs, packed({"users": people, "views": [view]}))
    assert (result["created"], result["skipped"], result["rejected"]) == (2, 1, 2)
    assert [(one["line"], one["field"]) for one in result["errors"]] == [(3, "password_hash"), (4, "email")]
    rows = {row["email"]: row for row in admin.data(admin.get("/api/users"))}
    assert (rows["bob@example.com"]["name"], rows["bob@example.com"]["role"]) == ("Mine", "agent")
    assert (rows["bob@example.com"]["disabled"], rows["root@example.com"]["disabled"]) == (False, True)
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        assert uow.first(uow.query(tables.views))["owner"] == rows["bob@example.com"]["id"]
        root = uow.first(uow.query(tables.users).where(tables.users.c.email == "root@example.com"))
    assert (root["password_hash"], root["identity"]) == ("", "")


def test_a_key_grants_no_more_than_it_may(app, admin, runtime, run_jobs):
    key = Caller(app.test_client(), add_key(runtime, "admin", scopes=["import", "export"]))
    exporter = Caller(app.test_client(), add_key(runtime, "admin", scopes=["export"]))
    now = "2026-01-02T03:04:05.000Z"
    data = packed(
        {"users": [{"id": "b", "email": "root@example.com", "role": "admin", "created_at": now}]},
        **{"settings.json": {"mail_name": "Theirs"}},
    )
    assert exporter.post("/api/transfers", {"kind": "import"}).status_code == 403
    assert key.post("/api/transfers", {"kind": "import", "settings": True}).status_code == 403
    result = imported(key, run_jobs, data)
    assert [(one["file"], one["field"]) for one in result["errors"]] == [("users.jsonl", "role")]
    assert admin.data(admin.get("/api/settings"))["mail_name"] == ""


def test_settings_come_where_there_are_none_or_where_they_are_asked_for(admin, run_jobs):
    theirs = {"mail_name": "Theirs", "chat_idle_minutes": 45, "no_such": 1, "support_email": "not an address"}
    data = packed({}, **{"settings.json": theirs})
    result = imported(admin, run_jobs, data)
    assert admin.data(admin.get("/api/settings"))["mail_name"] == "Theirs"
    assert {(one["file"], one["field"]) for one in result["errors"]} == {
        ("settings.json", "no_such"),
        ("settings.json", "support_email"),
    }
    admin.put("/api/settings", {"mail_name": "Mine"})
    imported(admin, run_jobs, data)
    assert admin.data(admin.get("/api/settings"))["mail_name"] == "Mine"
    imported(admin, run_jobs, data, "&settings=true")
    assert admin.data(admin.get("/api/settings"))["mail_name"] == "Theirs"


def test_numbers_stay_where_they_are_free_and_are_the_next_ones_elsewhere(admin, run_jobs):
    mine = [admin.ticket() for _ in range(2)]
    now = "2026-01-02T03:04:05.000Z"
    person = {"id": "c", "email": "eve@example.com", "created_at": now}
    rows = [
        {
            "id": f"t{number}",
            "customer_row": "c",
            "title": f"T{number}",
            "number": number,
            "created_at": now,
            "updated_at": now,
        }
        for number in (1, 2, 3, 7)
    ]
    rows[3]["links"] = [
        {"ticket_id": "t1", "number": 1, "kind": "related"},
        {"ticket_id": "x", "number": 9, "kind": "related"},
    ]
    result = imported(admin, run_jobs, packed({"customers": [person], "tickets": rows}))
    assert (result["created"], result["renumbered"], len(result["errors"])) == (5, 2, 1)
    numbers = {
        row["title"]: row["number"] for row in admin.data(admin.get("/api/tickets?customer_email=eve@example.com"))
    }
    assert numbers == {"T1": 8, "T2": 9, "T3": 3, "T7": 7}
    linked = admin.data(admin.get("/api/tickets?q=T7"))[0]
    assert [link["number"] for link in linked["links"]] == [8]
    assert admin.ticket()["number"] == 10
    assert [one["number"] for one in mine] == [1, 2]


def test_customers_who_are_here_keep_their_names_and_get_the_tickets(admin, run_jobs):
    admin.ticket(customer_email="ada@example.com", customer_name="Ada")
    admin.ticket(customer_email="bob@example.com", customer_id="b")
    now = "2026-01-02T03:04:05.000Z"
    people = [
        {"id": "1", "email": "ada@example.com", "name": "Somebody", "tier": "enterprise", "created_at": now},
        {"id": "2", "email": "bob@example.com", "customer_id": "b", "created_at": now},
        {"id": "3", "email": "ada@example.com", "customer_id": "b", "created_at": now},
    ]
    ticket = {"id": "t", "customer_row": "1", "title": "Moved", "number": 5, "created_at": now, "updated_at": now}
    result = imported(admin, run_jobs, packed({"customers": people, "tickets": [ticket]}))
    assert (result["created"], result["skipped"], result["rejected"]) == (1, 2, 1)
    ada = admin.data(admin.get("/api/customers/ada@example.com"))
    assert (ada["name"], ada["tier"], ada["total_tickets"]) == ("Ada", "standard", 2)


def test_who_was_erased_here_does_not_come_back(admin, runtime, run_jobs):
    fill(admin, runtime)
    data = exported(admin, run_jobs)
    admin.delete("/api/customers/ada@example.com")
    run_jobs()
    result = imported(admin, run_jobs, data)
    assert result["created"] == 0 or not admin.data(admin.get("/api/tickets?customer_email=ada@example.com"))
    after, files = opened(exported(admin, run_jobs))
    assert files == {}
    assert not [row for row in after["customers"] if row.get("email") == "ada@example.com"]
    assert {row["body"] for row in after["replies"] if row["author_role"] != "ai"} <= {"(erased)"}


def test_every_table_of_a_company_is_exported_or_left_out_with_a_reason():
    from services.transfers.contents import LEFT_OUT, columns_of

    of_a_company = {table.name for table in tables.metadata.sorted_tables if "company_id" in table.c}
    of_a_company |= set(tables.derived.tables)
    moved = {table.name for table in TABLES.values()}
    assert moved | set(LEFT_OUT) == of_a_company
    assert not moved & set(LEFT_OUT)
    assert set(tables.users.c.keys()) - set(columns_of("users")) == {
        "company_id",
        "password_hash",
        "identity",
        "second_factor",
        "invited_at",
    }


def test_what_is_overdue_already_alerts_nobody(admin, runtime, run_jobs, mailer):
    settings = {"support_email": "desk@example.com", "escalate_after_minutes": 1, "chat_idle_minutes": 5}
    admin.data(admin.put("/api/settings", settings))
    long_ago = "2026-01-02T03:04:05.000Z"
    person = {"id": "c", "email": "eve@example.com", "created_at": long_ago}
    common = {"customer_row": "c", "customer_email": "eve@example.com", "created_at": long_ago, "updated_at": long_ago}
    overdue = {"sla_running_since": long_ago, "sla_next_at": long_ago, "queue_since": long_ago, "priority": "urgent"}
    tickets = [
        {**common, **overdue, "id": "1", "number": 1, "title": "Overdue", "arrived_at": long_ago},
        {**common, "id": "2", "number": 2, "title": "Chat", "source": "chat", "ai_status": "pending"},
        {**common, "id": "3", "number": 3, "title": "Hand-made"},
    ]
    seen = {"last_turn_at": long_ago, "seen_at": long_ago, "idle_due_at": long_ago, "warned": True}
    chat = {"id": "k", "ticket_id": "2", **seen}
    result = imported(admin, run_jobs, packed({"customers": [person], "tickets": tickets, "conversations": [chat]}))
    assert (result["created"], result["errors"]) == (5, [])
    before = opened(exported(admin, run_jobs))[0]
    names = {"agreed times", "escalation", "silent chats", "digests", "incidents", "assignment", "snoozed tickets"}
    work = [task for task in periodic(runtime) if task.name in names]
    assert len(work) == len(names)
    for task in work:
        task.work()
    run_jobs()
    assert mailer.sent == []
    after = opened(exported(admin, run_jobs))[0]
    assert after["tickets"] == before["tickets"]
    assert after["replies"] == before["replies"] == []
    assert {row["sla_status"] for row in after["tickets"]} == {"breached"}
    assert "pending" not in {row["ai_status"] for row in after["tickets"]}


def test_an_import_that_is_stopped_ends_behind_a_page_and_the_same_file_adds_the_rest(
    source, admin, other_admin, runtime, run_jobs, monkeypatch
):
    data = exported(source[0], source[1].runner.run_due)
    monkeypatch.setattr(importing, "PAGE", 1)
    pages, stopped = importing.Import._pages, []

    def stop_at_the_third_ticket(self, name, begin, end=None):
        for place, page in enumerate(pages(self, name, begin, end)):
            if name == "tickets" and place == 2 and not stopped:
                (running,) = other_admin.data(other_admin.get("/api/transfers?limit=1"))
                assert running["state"] == "running"
                assert admin.delete(f"/api/transfers/{running['id']}").status_code == 404, "it is of another company"
                stopped.append(other_admin.data(other_admin.delete(f"/api/transfers/{running['id']}")))
            yield page

    monkeypatch.setattr(importing.Import, "_pages", stop_at_the_third_ticket)
    result = imported(other_admin, run_jobs, data)
    assert (result["state"], result["size"]) == ("stopped", 0)
    assert result == stopped[0], "nothing was counted behind it"
    assert len(other_admin.data(other_admin.get("/api/tickets?status=all"))) == 2
    assert other_admin.data(other_admin.delete(f"/api/transfers/{result['id']}")) == result
    again = imported(other_admin, run_jobs, data)
    assert (again["state"], again["skipped"]) == ("done", result["created"])
    assert other_admin.delete(f"/api/transfers/{again['id']}").status_code == 409
    assert [row["id"] for row in other_admin.data(other_admin.get("/api/transfers"))] == [again["id"], result["id"]]


def test_an_export_that_is_stopped_has_no_file(admin, run_jobs, runtime):
    waiting = admin.data(admin.post("/api/transfers", {"kind": "export"}), 201)
    assert admin.data(admin.delete(f"/api/transfers/{waiting['id']}"))["state"] == "stopped"
    run_jobs()
    assert admin.data(admin.get(f"/api/transfers/{waiting['id']}"))["state"] == "stopped"
    exported(admin, run_jobs)
    (done, _) = admin.data(admin.get("/api/transfers"))
    assert admin.data(admin.delete(f"/api/transfers/{done['id']}"))["state"] == "expired"
    assert admin.get(f"/api/transfers/{done['id']}/file").status_code == 409
