"""The verbs of a desk on every engine: whose rows they see and touch, and that a unit of work is all or nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

import tables
from columns import is_broken
from errors import AppError
from folder_lock import FolderLock
from json_file import JsonFile
from storage import StorageError, open_storage
from tables import companies, customers, events, jobs, replies, tickets
from tests.conftest import FILES
from tests.rows import (
    ONE,
    TWO,
    actor,
    add_company,
    add_customer,
    add_thread,
    add_ticket,
    everything,
    file_url,
    open_store,
)

pytestmark = pytest.mark.every_engine

OWNED = [table for table in tables.metadata.sorted_tables if "company_id" in table.c]


@pytest.fixture
def store(tmp_path, database_url):
    opened = open_store(tmp_path, database_url)
    yield opened
    opened.close()


@pytest.fixture
def world(store):
    """Two companies with a row in every table; in the first, two customers with a ticket each."""
    made = {}
    for company in (ONE, TWO):
        add_company(store, company)
        with store.desk(None, write=True) as desk:
            for number, name in enumerate(("ada", "bob"), 1):
                made[company, name] = add_customer(desk, name, company)
                made[company, number] = add_ticket(desk, made[company, name], number, company)
                add_thread(desk, made[company, number], company)
            owned = {"company_id": company, "created_at": desk.now}
            user = desk.insert(tables.users, {**owned, "email": f"agent@{company}.example"})
            until = {"rotated_at": desk.now, "expires_at": desk.now}
            desk.insert(tables.sessions, {**owned, "user_id": user["id"], **until})
            desk.insert(tables.api_keys, {**owned, "key_hash": company})
            desk.insert(tables.idempotency, {**owned, "key": "k", "body_hash": "h", "expires_at": desk.now})
            desk.insert(tables.mail_counts, {"company_id": company, "kind": "all", "hour": desk.now})
    return made


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_no_verb_sees_or_touches_a_row_of_another_company(store, world, table):
    with store.desk(None) as desk:
        foreign = desk.find(select(table).where(table.c.company_id == TWO))
        own = desk.find(select(table).where(table.c.company_id == ONE))
    assert foreign, "a table without a foreign row would prove nothing"
    assert own
    before = everything(store)[table.name]
    moment = "created_at" if "created_at" in table.c else "hour"
    with store.desk(actor(ONE), write=True) as desk:
        assert {row["id"] for row in desk.find(desk.rows(table))} == {row["id"] for row in own}
        assert desk.count(desk.rows(table)) == len(own)
        assert desk.aggregate(desk.rows(table, func.count())) == [(len(own),)]
        for row in foreign:
            assert desk.get(table, row["id"]) is None
            assert desk.get(table, row["id"], lock=True) is None
            assert desk.first(desk.rows(table).where(table.c.id == row["id"])) is None
            assert desk.update(table, row["id"], {moment: desk.now}) is None
            assert desk.update(table, row["id"], {}) is None
            assert desk.update_where(table, table.c.id == row["id"], **{moment: desk.now}) == 0
            assert desk.delete(table, table.c.id == row["id"]) == 0
    assert everything(store)[table.name] == before


def test_a_change_or_deletion_without_conditions_stays_in_its_company(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        assert desk.update_where(tickets, title="changed") == 2
        assert desk.delete(replies) == 4
    with store.desk(actor(TWO)) as desk:
        assert {row["title"] for row in desk.find(desk.rows(tickets))} == {"Ticket 1", "Ticket 2"}
        assert desk.count(desk.rows(replies)) == 4


def test_a_company_is_seen_only_by_its_own(store, world):
    with store.desk(actor(ONE)) as desk:
        assert [row["id"] for row in desk.find(desk.rows(companies))] == [ONE]
        assert desk.get(companies, TWO) is None
    with pytest.raises(RuntimeError), store.desk(actor(ONE), write=True) as desk:
        desk.insert(companies, {"name": "made by a tenant", "created_at": desk.now})


def test_search_finds_words_only_in_the_own_company(store, world):
    with store.desk(actor(ONE)) as desk:
        for found in (
            desk.search(desk.rows(tickets), "TICKET 1"),
            desk.containing(desk.rows(tickets), "TICKET 1", [tickets.c.title]),
        ):
            assert [row["id"] for row in desk.find(found)] == [world[ONE, 1]]
        assert not desk.find(desk.containing(desk.rows(tickets), "100%", [tickets.c.title]))


@pytest.mark.parametrize("verb", ["insert", "insert_many", "insert_new"])
def test_a_company_named_by_the_caller_is_replaced_by_the_actors_own(store, world, verb):
    with store.desk(actor(ONE), write=True) as desk:
        values = {"id": "smuggled", "company_id": TWO, "email": "eve@example.com", "created_at": desk.now}
        getattr(desk, verb)(customers, [values] if verb == "insert_many" else values)
    with store.desk(None) as desk:
        assert desk.get(customers, "smuggled")["company_id"] == ONE


def test_no_change_moves_a_row_to_another_company(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        changed = desk.update(tickets, world[ONE, 1], {"company_id": TWO, "title": "moved?"})
        assert (changed["company_id"], changed["title"]) == (ONE, "moved?")
        desk.update_where(tickets, tickets.c.id == world[ONE, 2], company_id=TWO, title="moved too?")
        assert desk.get(tickets, world[ONE, 2])["title"] == "moved too?"


def test_a_customer_sees_only_own_tickets_and_the_public_part_of_their_thread(store, world):
    ada = actor(ONE, "customer", world[ONE, "ada"])
    with store.desk(ada, write=True) as desk:
        assert [row["id"] for row in desk.find(desk.rows(tickets))] == [world[ONE, 1]]
        assert desk.get(tickets, world[ONE, 2]) is None
        assert desk.update(tickets, world[ONE, 2], {"title": "mine"}) is None
        seen = desk.find(desk.rows(replies))
        assert [(row["ticket_id"], row["body"]) for row in seen] == [(world[ONE, 1], "public")]
        assert [row["id"] for row in desk.find(desk.rows(customers))] == [world[ONE, "ada"]]
        for hidden in (events, jobs, tables.users, tables.api_keys):
            assert desk.count(desk.rows(hidden)) == 0, hidden.name
            assert desk.delete(hidden) == 0, hidden.name


def test_an_unknown_customer_has_no_rows_at_all(store, world):
    with store.desk(actor(ONE, "customer", "")) as desk:
        for table in (tickets, replies, customers, events, jobs):
            assert desk.count(desk.rows(table)) == 0, table.name


def test_only_a_desk_without_an_actor_sees_every_company(store, world):
    with store.desk(None) as desk:
        assert desk.count(desk.rows(tickets)) == 4
        with pytest.raises(RuntimeError):
            _ = desk.actor


def test_jobs_are_claimed_once_and_only_in_the_own_scope(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        mine = desk.claim("mail", limit=10)
        assert {(job["company_id"], job["state"], job["attempts"]) for job in mine} == {(ONE, "running", 1)}
    with store.desk(None, write=True) as desk:
        rest = desk.claim("mail", limit=10)
        assert {job["company_id"] for job in rest} == {TWO}
        assert desk.claim("mail", limit=10) == []
        assert desk.claim("no such lane", limit=10) == []


def test_a_unit_of_work_that_raises_leaves_nothing(store, world):
    before = everything(store)

    def work():
        with store.desk(actor(ONE), write=True) as desk:
            desk.update_where(tickets, title="gone")
            desk.delete(replies)
            add_customer(desk, "eve")
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert everything(store) == before


def test_an_attempt_that_raises_is_undone_alone(store, world):
    def attempt(desk):
        with desk.attempt():
            desk.update(tickets, world[ONE, 2], {"title": "undone"})
            raise LookupError

    with store.desk(actor(ONE), write=True) as desk:
        desk.update(tickets, world[ONE, 1], {"title": "kept"})
        with pytest.raises(LookupError):
            attempt(desk)
    with store.desk(actor(ONE)) as desk:
        assert {row["title"] for row in desk.find(desk.rows(tickets))} == {"kept", "Ticket 2"}


def test_a_reader_never_sees_what_is_not_committed(store, world):
    with store.desk(actor(ONE), write=True) as writer:
        writer.update_where(tickets, title="half done")
        with store.desk(actor(ONE)) as reader:
            assert reader.count(reader.rows(tickets).where(tickets.c.title == "half done")) == 0


def test_insert_new_tells_of_a_known_row_but_hides_no_other_fault(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        ada = {"email": "ada@example.com", "created_at": desk.now}
        assert desk.insert_new(customers, ada) is False
        assert desk.insert_new(customers, {**ada, "email": "new@example.com"}) is True
        with pytest.raises(IntegrityError), desk.attempt():
            desk.insert_new(
                tickets, {"customer_row": "nobody", "number": 9, "created_at": desk.now, "updated_at": desk.now}
            )
        with pytest.raises(IntegrityError), desk.attempt():
            desk.insert_new(customers, {"email": "timeless@example.com"})


def test_which_unique_index_refused_a_row_is_told_on_every_engine(store, world):
    with store.desk(None, write=True) as desk:
        ada = add_customer(desk, "eve")
        add_ticket(desk, ada, 71, external_id="x-1")
        refused = []
        for who, number, more in ((ada, 71, {}), (ada, 72, {"external_id": "x-1"}), ("nobody", 73, {})):
            with pytest.raises(IntegrityError) as error, desk.attempt():
                add_ticket(desk, who, number, **more)
            broken = [
                index.name for index in tickets.indexes if index.unique and is_broken(error.value, tickets, index.name)
            ]
            refused.append(broken)
    assert refused == [["uq_tickets_number"], ["uq_tickets_external_id"], []]


def test_insert_gives_the_row_back_as_it_is_stored(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        values = {
            "customer_row": world[ONE, "ada"],
            "number": 7,
            "tags": ["a", "b"],
            "urgency": 4.3,
            "topic_confidence": 0.125,
        }
        made = desk.insert(tickets, {**values, "created_at": desk.now, "updated_at": desk.now})
    with store.desk(actor(ONE)) as desk:
        assert desk.get(tickets, made["id"]) == made
    assert (made["tags"], made["urgency"], made["topic_confidence"], made["version"]) == (["a", "b"], 4.3, 0.125, 1)


def test_a_clock_set_back_between_two_starts_still_gives_later_times(tmp_path, database_url):
    """Who polls for newer tickets would else miss those of a day."""
    moments = []
    for day in (20, 19):
        store = open_store(tmp_path, database_url, clock=lambda day=day: datetime(2026, 1, day, tzinfo=UTC))
        add_company(store)
        with store.desk(actor(ONE), write=True) as desk:
            add_ticket(desk, add_customer(desk, f"c{day}"), day)
            moments.append(desk.now)
        store.close()
    assert moments == sorted(set(moments))


def test_writers_get_a_later_time_each_even_when_the_clock_stands_still_or_turns_back(tmp_path, database_url):
    clock = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    store = open_store(tmp_path, database_url, clock=lambda: clock[0])
    seen = []
    for turn in range(6):
        with store.desk(None, write=True) as desk:
            seen.append(desk.now)
        if turn == 3:
            clock[0] = datetime(2026, 1, 30, tzinfo=UTC)
    store.close()
    assert seen == sorted(set(seen))
    assert seen[0] == "2026-01-31T08:00:00.000Z"


def test_a_delete_takes_the_thread_along(store, world):
    with store.desk(actor(ONE), write=True) as desk:
        assert desk.delete(tickets, tickets.c.id == world[ONE, 1]) == 1
    kept = everything(store)
    for table in ("replies", "jobs"):
        assert kept[table]
        assert all(row["ticket_id"] != world[ONE, 1] for row in kept[table])


def test_references_hold_on_every_connection(store, world):
    for _ in range(3):
        with pytest.raises(IntegrityError), store.desk(actor(ONE), write=True) as desk:
            add_ticket(desk, "nobody", 50)


def test_a_store_that_fails_answers_503_to_readers_and_writers(store, world):
    for write in (False, True):
        with pytest.raises(AppError) as failed, store.desk(None, write=write) as desk:
            desk.find(select(tables.text("no_such_column")).select_from(tickets))
        assert (failed.value.status, failed.value.headers["Retry-After"]) == (503, "5")


def test_a_closed_store_does_nothing_more(tmp_path, database_url):
    store = open_store(tmp_path, database_url)
    add_company(store)
    store.close()
    store.close()
    names = {path.name for path in tmp_path.iterdir()}
    for write in (False, True):
        with pytest.raises(AppError) as refused, store.desk(None, write=write):
            pass
        assert refused.value.status == 503
    assert {path.name for path in tmp_path.iterdir()} == names


def test_data_is_there_after_a_restart(tmp_path, database_url):
    store = open_store(tmp_path, database_url)
    add_company(store)
    before = everything(store)
    store.close()
    again = open_store(tmp_path, database_url)
    assert everything(again) == before
    again.close()


@pytest.mark.parametrize("engine", FILES)
def test_a_second_process_is_kept_from_a_file(tmp_path, engine, monkeypatch):
    monkeypatch.setattr(FolderLock.__init__, "__kwdefaults__", {"wait_seconds": 0.1})
    monkeypatch.setattr(JsonFile.__init__, "__kwdefaults__", {"lock_wait_seconds": 0.1})
    url = file_url(engine, tmp_path)
    store = open_storage(url, tmp_path)
    assert store.exclusive
    with pytest.raises(StorageError, match="one file serves one process"):
        open_storage(url, tmp_path)
    store.close()
    open_storage(url, tmp_path).close()


@pytest.mark.parametrize("engine", FILES)
def test_files_are_private_to_their_owner(tmp_path, engine):
    folder = tmp_path / "new" / "folder"
    store = open_store(folder, file_url(engine, folder))
    add_company(store)
    modes = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}
    store.close()
    assert modes
    assert not any(modes.values()), modes


@pytest.mark.parametrize("engine", FILES)
def test_a_path_with_special_characters_is_only_a_path(tmp_path, engine):
    folder = tmp_path / "50% & more? #1"
    store = open_store(folder, file_url(engine, folder))
    add_company(store)
    store.close()
    assert (folder / ("foyer.json" if engine == "json" else "desk.db")).exists()


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_database_url_without_a_file_is_refused(tmp_path, url):
    with pytest.raises(StorageError, match="DATABASE_URL"):
        open_storage(url, tmp_path)


def test_a_sqlite_file_that_is_none_is_refused_in_a_sentence_and_kept(tmp_path):
    file = tmp_path / "desk.db"
    file.write_bytes(b"something else entirely, long enough to be read as a header" * 20)
    before = file.read_bytes()
    with pytest.raises(StorageError, match=r"desk\.db cannot be opened: file is not a database$"):
        open_store(tmp_path, file_url("sqlite", tmp_path))
    assert file.read_bytes() == before


def test_every_journalled_column_holds_text_numbers_or_json_that_says_so_by_its_default():
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            kind = type(column.type).__name__
            assert kind in {"String", "Text", "Integer", "Boolean", "Fixed", "JsonText"}, f"{table.name}.{column.name}"
            if kind == "JsonText":
                assert column.server_default.arg in ("[]", "{}"), f"{table.name}.{column.name}"
