"""Query plans of lists: every filter and order reads an index and sorts only few rows."""

from contextlib import closing
from itertools import count

import pytest

from benchmarks.filling import fill
from core.models import Actor
from database.tables import citations, tickets
from services.routing import assignment, escalation
from services.sla import sweep
from services.tickets import queries, snooze
from services.tickets.queries import SORTS
from tests.conftest import FILES
from tests.support.noted_statements import noted
from tests.support.rows import add_company, add_customer, add_ticket, open_store

pytestmark = pytest.mark.every_engine

ONE = [
    "status=new",
    "priority=high",
    "category=billing",
    "assigned_team=sales",
    "sentiment=neutral",
    "customer_tier=standard",
    "source=api",
    "topic=refund",
    "assigned_to=ben",
    "sla_status=on_track",
    "tag=vip",
]
LONG = ["status=open", "status=open&priority=high,low", "status=new&category=billing&source=api", "user=ben&role=agent"]
OTHERS = ["snoozed=true", "customer_email=ada@example.com", "customer_id=c-1", "external_id=x", "product=Lamp"]


@pytest.fixture
def uow(admin, runtime):
    """Four tickets, half of them new and half assigned to Ben; every filter of this file matches some."""
    fields = {"priority": "high", "category": "billing", "assigned_team": "sales", "sentiment": "neutral"}
    for number in range(4):
        ticket = admin.ticket(**fields, tags=["vip"], product="Lamp", customer_id="c-1", external_id=f"x{number or ''}")
        if number % 2 == 0:
            admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "ben"}))
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(tickets, topic="refund")
        uow.update_where(tickets, tickets.c.assigned_to == "", status="new", snoozed_until="2090-01-01T00:00:00.000Z")
    return admin


def asking(uow, path):
    """A function that reads a list and checks that it is not empty."""

    def ask():
        assert uow.data(uow.get(path)), path

    return ask


def plans(storage, ask, explain, having="ORDER BY"):
    """The plans of the statements on tickets that `ask` runs."""

    def counts(statement):
        # The last messages of a page have their own test.
        of_page = having != "ORDER BY" or "JOIN replies" not in statement
        return having in statement and "FROM tickets" in statement and of_page

    with noted() as statements:
        ask()
    with storage._engine._engine.connect() as connection:
        return [explain(connection, sql, parameters) for sql, parameters in statements if counts(sql)]


def by_sqlite(connection, statement, parameters):
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return [row[3] for row in rows]


def by_postgresql(connection, statement, parameters):
    driver = connection.connection.driver_connection
    for off in ("seqscan", "sort", "bitmapscan"):
        driver.execute(f"SET enable_{off} = off")  # the plan for a database in which these cost the most
    return [row[0] for row in driver.execute(f"EXPLAIN {statement}", parameters).fetchall()]


@pytest.mark.parametrize("engine", FILES)
def test_sqlite_reads_an_index_in_order_when_many_tickets_match(uow, runtime, monkeypatch):
    monkeypatch.setattr(queries, "MAX_SORTED_ROWS", 0)
    for query in ["", *ONE, *LONG]:
        for sort in SORTS:
            path = f"/api/tickets?{query}&sort={sort}"
            all_plans = plans(runtime.storage, asking(uow, path), by_sqlite)
            assert all_plans, path
            for plan in all_plans:
                inner = plan if "tag=" not in query else [line for line in plan if "ticket_tags" in line] or plan
                assert any("INDEX ix_tickets" in line or "ticket_tags USING PRIMARY" in line for line in inner), path
                assert not any(line.startswith("SCAN") for line in plan), (path, plan)
                if "tag=" not in query:  # whose page alone is put in order again
                    assert not any("TEMP B-TREE" in line for line in plan), (path, plan)


@pytest.mark.parametrize("engine", FILES)
def test_sqlite_looks_up_the_last_messages_of_a_page(uow, runtime):
    (plan,) = plans(runtime.storage, asking(uow, "/api/tickets"), by_sqlite, having="JOIN replies")
    assert any("USING INDEX ix_replies" in line for line in plan), plan
    assert not any(line.startswith("SCAN") for line in plan), plan


@pytest.mark.parametrize("engine", FILES)
def test_sqlite_reads_an_index_when_few_tickets_match(uow, runtime):
    for query in [*ONE, *OTHERS]:
        for sort in SORTS:
            path = f"/api/tickets?{query}&sort={sort}"
            all_plans = plans(runtime.storage, asking(uow, path), by_sqlite)
            assert all_plans, path
            for plan in all_plans:
                assert not any(line.startswith("SCAN") for line in plan), (path, plan)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_postgresql_has_an_index_in_the_order_of_every_sort(uow, runtime, monkeypatch):
    monkeypatch.setattr(queries, "MAX_SORTED_ROWS", 0)
    for query in ["", *ONE[:-1], "status=open"]:
        for sort in SORTS:
            path = f"/api/tickets?{query}&sort={sort}"
            all_plans = plans(runtime.storage, asking(uow, path), by_postgresql)
            assert all_plans, path
            for plan in all_plans:
                assert not any("Seq Scan" in line or "Sort  (" in line for line in plan), (path, plan)


@pytest.mark.parametrize(("due", "index"), [(sweep.due, "ix_tickets_sla_next"), (snooze.due, "ix_tickets_snoozed")])
@pytest.mark.parametrize(("engine", "explain"), [*((one, by_sqlite) for one in FILES), ("postgresql", by_postgresql)])
def test_a_sweep_reads_what_is_due_from_its_index(admin, runtime, explain, due, index):
    admin.ticket()

    def ask():
        with runtime.storage.unit_of_work(None) as uow:
            due(uow)

    for plan in plans(runtime.storage, ask, explain):
        assert any(index in line for line in plan), plan
        assert not any("Sort" in line or "TEMP B-TREE" in line for line in plan), plan


@pytest.mark.parametrize(
    ("look", "index", "engine", "explain"),
    [
        *((assignment.is_possible, "ix_tickets_team_queue", one, by_sqlite) for one in FILES),
        *((escalation.due, "ix_tickets_unescalated", one, by_sqlite) for one in FILES),
        (escalation.due, "ix_tickets_unescalated", "postgresql", by_postgresql),
    ],
)
def test_routing_reads_the_tickets_that_wait_from_their_index(admin, runtime, explain, look, index):
    admin.data(admin.put("/api/settings", {"escalate_after_minutes": 30}))
    admin.data(admin.post("/api/teams", {"name": "Night", "assignment": "least_loaded"}), 201)

    def ask():
        with runtime.storage.unit_of_work(Actor.system("default")) as uow:
            look(uow)

    asked = plans(runtime.storage, ask, explain)
    of_tickets = [plan for plan in asked if any("tickets" in line for line in plan)]
    assert of_tickets
    for plan in of_tickets:
        assert any(index in line for line in plan), plan


@pytest.mark.parametrize("engine", FILES)
def test_sqlite_reads_the_citations_of_one_ticket_alone(admin, runtime):
    ticket = admin.ticket()

    def ask():
        with runtime.storage.unit_of_work(Actor.system("default")) as uow:
            uow.ids_by(citations, "ticket_id", ticket["id"])

    with noted() as statements:
        ask()
    with runtime.storage._engine._engine.connect() as connection:
        (plan,) = [by_sqlite(connection, sql, parameters) for sql, parameters in statements]
    assert ["uq_citations_ticket" in line for line in plan] == [True], plan


@pytest.mark.parametrize("engine", ["postgresql"])
def test_postgresql_searches_the_index_of_words_and_looks_up_the_matches(admin, runtime):
    fill(runtime.storage, 2000)

    def as_it_is(connection, statement, parameters):
        driver = connection.connection.driver_connection
        return [row[0] for row in driver.execute(f"EXPLAIN {statement}", parameters).fetchall()]

    for _ in ("without statistics", "with them"):
        for words in ("1234", "question", "quest 1234"):
            for sort in ("", "&sort=created_at", "&sort=urgency", "&sort=-due"):
                path = f"/api/tickets?q={words}{sort}"
                all_plans = plans(
                    runtime.storage, lambda path=path: admin.data(admin.get(path)), as_it_is, "ticket_words"
                )
                assert len(all_plans) == 2, path  # the page and how many there are
                for plan in all_plans:
                    assert any("on ix_ticket_words" in line for line in plan), (path, plan)
                    assert any("Index Cond" in line and line.count("@@") == 2 for line in plan), (path, plan)
                    assert any("using pk_tickets" in line for line in plan), "\n".join(plan)
        with runtime.storage._engine._engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_start_updates_the_statistics_of_tables_that_have_grown(tmp_path, database_url):
    def known_and_true(tickets):
        """The number of pages of tickets in the planner statistics, and in fact, after a start with more tickets."""
        with closing(open_store(tmp_path, database_url)) as store, store.unit_of_work(None, write=True) as uow:
            for _ in range(tickets):
                add_ticket(uow, ada, next(numbers), description="Lorem ipsum. " * 40)
        with closing(open_store(tmp_path, database_url)) as store, store._engine.read() as connection:
            query = "SELECT relpages, pg_relation_size(oid) / 8192 FROM pg_class WHERE oid = 'tickets'::regclass"
            return connection.exec_driver_sql(query).one()

    numbers = count(1)
    with closing(open_store(tmp_path, database_url)) as store:
        add_company(store)
        with store.unit_of_work(None, write=True) as uow:
            ada = add_customer(uow)
    known, true = known_and_true(30)
    assert known == true
    known_later, true_later = known_and_true(10)
    assert known_later == known < true_later
    known, true = known_and_true(60)
    assert known == true > true_later


def test_small_pages_together_equal_one_large_page(admin, monkeypatch):
    ticket_ids = [admin.ticket(tags=["vip"] if number % 2 else [])["id"] for number in range(7)]
    for soon in (0, 2000):
        monkeypatch.setattr(queries, "MAX_SORTED_ROWS", soon)
        for sort in SORTS:
            for query in ("", "&tag=vip", "&tag=vip&status=open", "&status=open"):
                large_page = [row["id"] for row in admin.data(admin.get(f"/api/tickets?sort={sort}{query}&limit=200"))]
                assert set(large_page) == set(ticket_ids if "tag" not in query else ticket_ids[1::2])
                small_pages = [
                    row["id"]
                    for offset in range(0, 8, 2)
                    for row in admin.data(admin.get(f"/api/tickets?sort={sort}{query}&limit=2&offset={offset}"))
                ]
                assert small_pages == large_page, (sort, query)
