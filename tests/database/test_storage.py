"""The verbs of a unit of work on every engine: which rows they see and change, and that it is atomic."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from core.errors import AppError
from database import tables
from database.column_types import is_broken
from database.search.statements import containing
from database.tables import companies, customers, events, jobs, replies, tickets
from tests.support.rows import (
    ONE,
    TWO,
    actor,
    add_company,
    add_customer,
    add_thread,
    add_ticket,
    everything,
    open_store,
)

pytestmark = pytest.mark.every_engine

OWNED = [table for table in tables.metadata.sorted_tables if "company_id" in table.c]


@pytest.fixture
def store(tmp_path, database_url):
    opened_store = open_store(tmp_path, database_url)
    yield opened_store
    opened_store.close()


@pytest.fixture
def world(store):
    """Two companies with a row in every table; in the first, two customers with a ticket each."""
    ids = {}
    for company in (ONE, TWO):
        add_company(store, company)
        with store.unit_of_work(None, write=True) as uow:
            for number, name in enumerate(("ada", "bob"), 1):
                ids[company, name] = add_customer(uow, name, company)
                ids[company, number] = add_ticket(uow, ids[company, name], number, company)
                add_thread(uow, ids[company, number], company)
            company_values = {"company_id": company, "created_at": uow.now}
            user = uow.insert(tables.users, {**company_values, "email": f"agent@{company}.example"})
            until = {"rotated_at": uow.now, "expires_at": uow.now}
            uow.insert(tables.sessions, {**company_values, "user_id": user["id"], **until})
            uow.insert(tables.sign_in_tokens, {**company_values, "user_id": user["id"], "expires_at": uow.now})
            uow.insert(tables.erased_people, {**company_values, "id": company})
            uow.insert(tables.second_factors, {**company_values, "id": user["id"]})
            code = {"id": company, "user_id": user["id"], "expires_at": uow.now}
            uow.insert(tables.exchange_codes, {**company_values, **code})
            uow.insert(tables.api_keys, {**company_values, "key_hash": company})
            uow.insert(tables.idempotency, {**company_values, "key": "k", "body_hash": "h", "expires_at": uow.now})
            article = uow.insert(tables.articles, {**company_values, "updated_at": uow.now})
            uow.insert(tables.citations, {**company_values, "ticket_id": ids[company, 1], "article_id": article["id"]})
            seen = {"last_turn_at": uow.now, "seen_at": uow.now}
            uow.insert(tables.conversations, {"company_id": company, "ticket_id": ids[company, 1], **seen})
            mail = uow.insert(tables.inbound_mails, {**company_values, "ticket_id": ids[company, 1]})
            of_mail = {"company_id": company, "mail_id": mail["id"]}
            uow.insert(tables.inbound_originals, of_mail)
            uow.insert(tables.inbound_keys, {**of_mail, "expires_at": uow.now})
            uow.insert(tables.inbound_addresses, {"company_id": company, "address": f"help@{company}.example"})
            bulk = uow.insert(tables.bulks, company_values)
            uow.insert(tables.bulk_items, {**company_values, "bulk_id": bulk["id"], "ticket_id": ids[company, 1]})
            uow.insert(tables.merges, {**company_values, "ticket_id": ids[company, 1]})
            at_ticket = {"company_id": company, "ticket_id": ids[company, 1], "since": uow.now, "seen_at": uow.now}
            uow.insert(tables.presence, at_ticket)
            uow.insert(tables.transfers, company_values)
            uow.insert(tables.attachments, {**company_values, "ticket_id": ids[company, 1]})
            uow.insert(tables.views, {**company_values, "updated_at": uow.now})
            seen = {"opened_at": uow.now, "newest_at": uow.now}
            uow.insert(tables.incidents, {"company_id": company, **seen})
            uow.insert(tables.notice_texts, company_values)
            uow.insert(tables.macros, {**company_values, "updated_at": uow.now})
            hook = uow.insert(tables.webhooks, {**company_values, "updated_at": uow.now})
            due = {"webhook_id": hook["id"], "event_id": "e", "next_try_at": uow.now}
            uow.insert(tables.deliveries, {**company_values, **due, "ticket_id": ids[company, 1]})
            uow.insert(tables.teams, {**company_values, "key": "own", "updated_at": uow.now})
            uow.insert(tables.routing_rules, {**company_values, "updated_at": uow.now})
            uow.insert(tables.ai_usage, {"company_id": company, "day": "2026-03-01"})
            uow.insert(tables.mail_counts, {"company_id": company, "kind": "own", "hour": uow.now})
    return ids


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_no_verb_reads_or_changes_a_row_of_another_company(store, world, table):
    with store.unit_of_work(None) as uow:
        foreign = uow.find(select(table).where(table.c.company_id == TWO))
        own_rows = uow.find(select(table).where(table.c.company_id == ONE))
    assert foreign, "a table without a foreign row would prove nothing"
    assert own_rows
    before = everything(store)[table.name]
    times = ("created_at", "hour", "last_turn_at", "day", "since", "opened_at", "expires_at", "body", "address")
    timestamp = next(name for name in times if name in table.c)
    with store.unit_of_work(actor(ONE), write=True) as uow:
        assert {row["id"] for row in uow.find(uow.query(table))} == {row["id"] for row in own_rows}
        assert uow.count(uow.query(table)) == len(own_rows)
        assert uow.aggregate(uow.query(table, func.count())) == [(len(own_rows),)]
        for row in foreign:
            assert uow.get(table, row["id"]) is None
            assert uow.get(table, row["id"], lock=True) is None
            assert uow.first(uow.query(table).where(table.c.id == row["id"])) is None
            assert uow.update(table, row["id"], {timestamp: uow.now}) is None
            assert uow.update(table, row["id"], {}) is None
            assert uow.update_where(table, table.c.id == row["id"], **{timestamp: uow.now}) == 0
            assert uow.delete(table, table.c.id == row["id"]) == 0
    assert everything(store)[table.name] == before


def test_a_change_or_deletion_without_conditions_stays_in_its_company(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        assert uow.update_where(tickets, title="changed") == 2
        assert uow.delete(replies) == 4
    with store.unit_of_work(actor(TWO)) as uow:
        assert {row["title"] for row in uow.find(uow.query(tickets))} == {"Ticket 1", "Ticket 2"}
        assert uow.count(uow.query(replies)) == 4


def test_a_company_is_visible_only_to_its_own_actors(store, world):
    with store.unit_of_work(actor(ONE)) as uow:
        assert [row["id"] for row in uow.find(uow.query(companies))] == [ONE]
        assert uow.get(companies, TWO) is None
    with pytest.raises(RuntimeError), store.unit_of_work(actor(ONE), write=True) as uow:
        uow.insert(companies, {"name": "made by a tenant", "created_at": uow.now})


def test_search_finds_words_only_in_the_own_company(store, world):
    with store.unit_of_work(actor(ONE)) as uow:
        for query in (
            uow.search(uow.query(tickets), "TICKET 1"),
            containing(uow.query(tickets), "TICKET 1", [tickets.c.title]),
        ):
            assert [row["id"] for row in uow.find(query)] == [world[ONE, 1]]
        assert not uow.find(containing(uow.query(tickets), "100%", [tickets.c.title]))


@pytest.mark.parametrize("verb", ["insert", "insert_many", "insert_new"])
def test_a_company_in_the_values_is_replaced_by_the_actors_company(store, world, verb):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        values = {"id": "smuggled", "company_id": TWO, "email": "eve@example.com", "created_at": uow.now}
        getattr(uow, verb)(customers, [values] if verb == "insert_many" else values)
    with store.unit_of_work(None) as uow:
        assert uow.get(customers, "smuggled")["company_id"] == ONE


def test_no_change_moves_a_row_to_another_company(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        row = uow.update(tickets, world[ONE, 1], {"company_id": TWO, "title": "moved?"})
        assert (row["company_id"], row["title"]) == (ONE, "moved?")
        uow.update_where(tickets, tickets.c.id == world[ONE, 2], company_id=TWO, title="moved too?")
        assert uow.get(tickets, world[ONE, 2])["title"] == "moved too?"


def test_a_customer_sees_only_own_tickets_and_the_public_part_of_their_thread(store, world):
    ada = actor(ONE, "customer", world[ONE, "ada"])
    with store.unit_of_work(ada, write=True) as uow:
        assert [row["id"] for row in uow.find(uow.query(tickets))] == [world[ONE, 1]]
        assert uow.get(tickets, world[ONE, 2]) is None
        assert uow.update(tickets, world[ONE, 2], {"title": "mine"}) is None
        reply_rows = uow.find(uow.query(replies))
        assert [(row["ticket_id"], row["body"]) for row in reply_rows] == [(world[ONE, 1], "public")]
        assert [row["id"] for row in uow.find(uow.query(customers))] == [world[ONE, "ada"]]
        assert {row["subject_id"] for row in uow.find(uow.query(events))} == {world[ONE, 1]}
        for hidden in (jobs, tables.users, tables.api_keys):
            assert uow.count(uow.query(hidden)) == 0, hidden.name
            assert uow.delete(hidden) == 0, hidden.name


def test_an_unknown_customer_sees_no_rows(store, world):
    with store.unit_of_work(actor(ONE, "customer", "")) as uow:
        for table in (tickets, replies, customers, events, jobs):
            assert uow.count(uow.query(table)) == 0, table.name


def test_only_a_unit_of_work_without_an_actor_sees_every_company(store, world):
    with store.unit_of_work(None) as uow:
        assert uow.count(uow.query(tickets)) == 4
        with pytest.raises(RuntimeError):
            _ = uow.actor


def test_jobs_are_claimed_once_and_only_in_scope(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        claimed = uow.claim("mail", limit=10)
        assert {(job["company_id"], job["state"], job["attempts"]) for job in claimed} == {(ONE, "running", 1)}
    with store.unit_of_work(None, write=True) as uow:
        rest = uow.claim("mail", limit=10)
        assert {job["company_id"] for job in rest} == {TWO}
        assert uow.claim("mail", limit=10) == []
        assert uow.claim("no such queue", limit=10) == []


def test_a_unit_of_work_that_raises_is_rolled_back(store, world):
    before = everything(store)

    def work():
        with store.unit_of_work(actor(ONE), write=True) as uow:
            uow.update_where(tickets, title="gone")
            uow.delete(replies)
            add_customer(uow, "eve")
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert everything(store) == before


def test_an_attempt_that_raises_is_rolled_back_alone(store, world):
    def attempt(uow):
        with uow.attempt():
            uow.update(tickets, world[ONE, 2], {"title": "undone"})
            raise LookupError

    with store.unit_of_work(actor(ONE), write=True) as uow:
        uow.update(tickets, world[ONE, 1], {"title": "kept"})
        with pytest.raises(LookupError):
            attempt(uow)
    with store.unit_of_work(actor(ONE)) as uow:
        assert {row["title"] for row in uow.find(uow.query(tickets))} == {"kept", "Ticket 2"}


def test_a_reader_never_sees_uncommitted_rows(store, world):
    with store.unit_of_work(actor(ONE), write=True) as writer:
        writer.update_where(tickets, title="half done")
        with store.unit_of_work(actor(ONE)) as reader:
            assert reader.count(reader.query(tickets).where(tickets.c.title == "half done")) == 0


def test_insert_new_skips_existing_rows_but_hides_no_other_error(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        ada = {"email": "ada@example.com", "created_at": uow.now}
        assert uow.insert_new(customers, ada) is False
        assert uow.insert_new(customers, {**ada, "email": "new@example.com"}) is True
        with pytest.raises(IntegrityError), uow.attempt():
            uow.insert_new(
                tickets, {"customer_row": "nobody", "number": 9, "created_at": uow.now, "updated_at": uow.now}
            )
        with pytest.raises(IntegrityError), uow.attempt():
            uow.insert_new(customers, {"email": "timeless@example.com"})


def test_the_violated_unique_index_is_known_on_every_engine(store, world):
    with store.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow, "eve")
        add_ticket(uow, ada, 71, external_id="x-1")
        violations = []
        for customer, number, more in ((ada, 71, {}), (ada, 72, {"external_id": "x-1"}), ("nobody", 73, {})):
            with pytest.raises(IntegrityError) as error, uow.attempt():
                add_ticket(uow, customer, number, **more)
            indexes = [
                index.name for index in tickets.indexes if index.unique and is_broken(error.value, tickets, index.name)
            ]
            violations.append(indexes)
    assert violations == [["uq_tickets_number"], ["uq_tickets_external_id"], []]


def test_insert_returns_the_stored_row(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        values = {
            "customer_row": world[ONE, "ada"],
            "number": 7,
            "tags": ["a", "b"],
            "urgency": 4.3,
            "topic_confidence": 0.125,
        }
        row = uow.insert(tickets, {**values, "created_at": uow.now, "updated_at": uow.now})
    with store.unit_of_work(actor(ONE)) as uow:
        assert uow.get(tickets, row["id"]) == row
    assert (row["tags"], row["urgency"], row["topic_confidence"], row["version"]) == (["a", "b"], 4.3, 0.125, 1)


def test_times_increase_after_the_clock_was_set_back_between_two_starts(tmp_path, database_url):
    """Otherwise a client that polls for newer tickets would miss the tickets of a day."""
    moments = []
    for day in (20, 19):
        store = open_store(tmp_path, database_url, clock=lambda day=day: datetime(2026, 1, day, tzinfo=UTC))
        add_company(store)
        with store.unit_of_work(actor(ONE), write=True) as uow:
            add_ticket(uow, add_customer(uow, f"c{day}"), day)
            moments.append(uow.now)
        store.close()
    assert moments == sorted(set(moments))


def test_each_writer_gets_a_later_time_even_if_the_clock_stops_or_is_set_back(tmp_path, database_url):
    clock = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    store = open_store(tmp_path, database_url, clock=lambda: clock[0])
    times = []
    for turn in range(6):
        with store.unit_of_work(None, write=True) as uow:
            times.append(uow.now)
        if turn == 3:
            clock[0] = datetime(2026, 1, 30, tzinfo=UTC)
    store.close()
    assert times == sorted(set(times))
    assert times[0] == "2026-01-31T08:00:00.000Z"


def test_deleting_a_ticket_deletes_its_thread(store, world):
    with store.unit_of_work(actor(ONE), write=True) as uow:
        assert uow.delete(tickets, tickets.c.id == world[ONE, 1]) == 1
    all_rows = everything(store)
    for table in ("replies", "jobs"):
        assert all_rows[table]
        assert all(row["ticket_id"] != world[ONE, 1] for row in all_rows[table])


def test_foreign_keys_are_enforced_on_every_connection(store, world):
    for _ in range(3):
        with pytest.raises(IntegrityError), store.unit_of_work(actor(ONE), write=True) as uow:
            add_ticket(uow, "nobody", 50)


def test_a_failing_store_is_503_for_readers_and_writers(store, world):
    for write in (False, True):
        with pytest.raises(AppError) as error_info, store.unit_of_work(None, write=write) as uow:
            uow.find(select(text("no_such_column")).select_from(tickets))
        assert (error_info.value.status, error_info.value.headers["Retry-After"]) == (503, "5")


def test_a_closed_store_refuses_all_work(tmp_path, database_url):
    store = open_store(tmp_path, database_url)
    add_company(store)
    store.close()
    store.close()
    names = {path.name for path in tmp_path.iterdir()}
    for write in (False, True):
        with pytest.raises(AppError) as error_info, store.unit_of_work(None, write=write):
            pass
        assert error_info.value.status == 503
    assert {path.name for path in tmp_path.iterdir()} == names
