"""The JSON-file engine: capture of changes, folding during writes, one process per folder, and migrations."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from core.errors import AppError
from core.timestamps import now
from database import migrations
from database.json_store import document
from database.json_store import engine as json_file
from database.json_store.engine import JsonFile
from database.json_store.folder_lock import is_held
from database.tables import companies, customers, events, jobs, replies, tickets
from storage import Storage, StorageError
from tests.support.rows import (
    AWKWARD,
    ONE,
    actor,
    add_company,
    add_customer,
    add_thread,
    add_ticket,
    everything,
    file_url,
    files,
    filled,
    open_store,
    restarted,
    write_some,
)

ROOT = Path(__file__).resolve().parent.parent.parent


# --- what is captured ---------------------------------------------------------------------------------------------------


def test_bulk_changes_and_cascading_deletions_survive_a_restart(tmp_path):
    folder = tmp_path / "data"
    store = filled(folder)
    with store.unit_of_work(actor(ONE), write=True) as uow:
        uow.update_where(tickets, title=AWKWARD * 2)
        uow.update_where(replies, replies.c.internal, body="bulk")
        uow.insert_many(customers, [{"email": f"c{n}@example.com", "created_at": uow.now} for n in range(50)])
        uow.delete(tickets, tickets.c.number == 1)
        uow.claim("mail", limit=5)
    all_rows = everything(store)
    assert [len(all_rows[name]) for name in ("tickets", "replies", "events", "jobs", "customers")] == [1, 2, 2, 1, 51]
    for fold in (False, True):
        assert json.dumps(restarted(folder, fold=fold)) == json.dumps(all_rows)
    store.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "insert_new", "update", "bulk", "delete", "delete_parent", "undone", "failed"]),
        st.integers(0, 5),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_sequence_of_units_of_work_survives_a_restart(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("random") / "data"
    store = filled(folder)
    for step in steps:
        try:
            with store.unit_of_work(actor(ONE), write=True) as uow:
                work(uow, *step)
        except (LookupError, IntegrityError):
            continue
    all_rows = everything(store)
    for fold in (False, True):
        assert json.dumps(restarted(folder, fold=fold)) == json.dumps(all_rows)
    store.close()


def work(uow, verb, number, text):
    """One unit of work of a random sequence."""
    values = {"id": f"c{number}", "email": f"{number}@example.com", "name": text, "created_at": uow.now}
    if verb in ("insert", "insert_new"):
        getattr(uow, verb)(customers, values)
    elif verb == "update":
        uow.update(customers, f"c{number}", {"name": text})
    elif verb == "bulk":
        uow.update_where(replies, body=text)
        uow.update_where(jobs, payload={"text": [text, {"n": number}]})
    elif verb == "delete":
        uow.delete(customers, customers.c.id == f"c{number}")
    elif verb == "delete_parent":
        uow.delete(tickets, tickets.c.number == number)
    else:
        uow.update_where(tickets, title=text)
        try:
            with uow.attempt():
                uow.delete(replies)
                uow.delete(events)
                raise LookupError
        except LookupError:
            if verb == "failed":
                raise


def test_a_document_is_the_same_however_many_rows_are_written_at_once(tmp_path, monkeypatch):
    store = filled(tmp_path)
    with store.unit_of_work(actor(ONE), write=True) as uow:
        uow.insert_many(customers, [{"email": f"c{n}@example.com", "created_at": uow.now} for n in range(7)])
    with store._engine.snapshot() as connection:
        at_once = "".join(document.lines(connection, 1, "r"))
        for number in (1, 2, 4):
            monkeypatch.setattr(document, "JOINED", number)
            assert "".join(document.texts(connection, 1, "r")) == at_once
            assert [line.removesuffix("\n") for line in document.lines(connection, 1, "r")] == at_once.split("\n")[:-1]
    store.close()
    assert json.loads(at_once)["tables"]["customers"][-1]["email"] == "c6@example.com"


def test_a_start_leaves_no_file_of_counters(tmp_path):
    store = filled(tmp_path)
    rows = everything(store)
    store.close()
    (tmp_path / "foyer.json.sqlite-counters").write_bytes(b"left by a process that was killed")
    store = open_store(tmp_path)
    assert not list(tmp_path.glob("*-counters"))
    assert everything(store) == rows
    store.close()


def test_a_unit_of_work_without_changes_writes_nothing(tmp_path):
    store = filled(tmp_path)
    before = files(tmp_path)[json_file.DOCUMENT + ".journal"]
    with store.unit_of_work(actor(ONE), write=True) as uow:
        assert uow.update_where(tickets, tickets.c.number == 99, title="x") == 0
    assert files(tmp_path)[json_file.DOCUMENT + ".journal"] == before
    store.close()


# --- folding ------------------------------------------------------------------------------------------------------------


def test_folding_during_four_writers_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 2_000)
    folds = []
    write = document.write
    monkeypatch.setattr(document, "write", lambda *args: (folds.append(args[2]), write(*args)))
    folder = tmp_path / "data"
    store = open_store(folder)
    add_company(store)
    writers = [threading.Thread(target=write_some, args=(store, 60, f"w{n}-")) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 240
    store._engine._folding.join()
    assert len(folds) > 3, "the journal was never folded in the background"
    assert folds == sorted(folds)
    for fold in (False, True):
        assert restarted(folder, fold=fold) == all_rows
    store.close()
    assert not [path for path in folder.iterdir() if "tmp-" in path.name or ".journal." in path.name]


def test_a_write_during_folding_is_in_the_new_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    began, go_on = threading.Event(), threading.Event()
    write = document.write

    def slow(*args):
        began.set()
        assert go_on.wait(20)
        write(*args)

    folder = tmp_path / "data"
    store = filled(folder)
    store._engine._folding.join()
    monkeypatch.setattr(document, "write", slow)
    write_some(store, 40, "before")
    assert began.wait(20)
    write_some(store, 10, "during")
    all_rows = everything(store)
    monkeypatch.setattr(document, "write", write)
    assert restarted(folder, fold=True) == all_rows
    go_on.set()
    store._engine._folding.join()
    assert restarted(folder, fold=True) == all_rows
    store.close()


def test_a_failed_fold_only_logs_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "data"
    store = filled(folder)
    store._engine._folding.join()

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(document, "write", full)
        write_some(store, 40, "a")
        store._engine._folding.join()
    assert "will be tried again" in caplog.text
    all_rows = everything(store)
    assert restarted(folder, fold=True) == all_rows
    write_some(store, 40, "b")
    store._engine._folding.join()
    all_rows = everything(store)
    store.close()
    assert restarted(folder, fold=False) == all_rows


def test_a_failed_rotation_of_the_journal_fails_no_committed_write(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "data"
    store = filled(folder)
    store._engine._folding.join()
    opened = []

    def refuse(path):
        opened.append(path)
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(json_file, "Journal", refuse)
        name = 0
        while not opened:
            write_some(store, 1, f"a{(name := name + 1)}-")
        assert "cannot be folded now" in caplog.text
        with pytest.raises(AppError) as error_info:
            write_some(store, 1, "refused")
        assert error_info.value.status == 503
    write_some(store, 3, "after")
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 1 + name + 3
    assert restarted(folder, fold=False) == all_rows
    store.close()
    assert restarted(folder, fold=False) == all_rows


# --- one process per folder ---------------------------------------------------------------------------------------------


HOLDER = """
import sys
from pathlib import Path
from tests.support.rows import open_store
store = open_store(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
store.close()
print("closed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the folder open. It closes the store at the first line of input and ends at the second."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_process_names_the_owner_of_the_folder_and_ends_with_advice(tmp_path, holder, caplog):
    with pytest.raises(StorageError) as error_info:
        JsonFile(tmp_path, lock_wait_seconds=0.2).open()
    assert f"in use by process {holder.pid} on " in caplog.text
    assert "waiting up to 0.2 s" in caplog.text
    for words in (f"process {holder.pid}", "DATA_DIR", "DATABASE_URL"):
        assert words in str(error_info.value)
    assert is_held(tmp_path / json_file.DOCUMENT)
    assert (tmp_path / "foyer.json.owner").stat().st_mode & 0o777 == 0o600


def test_the_folder_is_free_when_the_first_process_stops(tmp_path, holder):
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "closed\n"
    assert not is_held(tmp_path / json_file.DOCUMENT)
    JsonFile(tmp_path, lock_wait_seconds=0).open().close()


def test_a_waiting_process_gets_the_folder_when_the_first_is_killed(tmp_path, holder):
    threading.Timer(0.3, holder.kill).start()
    JsonFile(tmp_path, lock_wait_seconds=20).open().close()


def test_a_store_opened_by_one_thread_can_be_closed_by_another(tmp_path):
    stores = []
    thread = threading.Thread(target=lambda: stores.append(JsonFile(tmp_path).open()))
    thread.start()
    thread.join()
    stores[0].close()
    assert not is_held(tmp_path / json_file.DOCUMENT)


def test_the_check_for_an_open_folder_creates_none(tmp_path):
    assert not is_held(tmp_path / "none" / json_file.DOCUMENT)
    assert not (tmp_path / "none").exists()


# --- migrations ---------------------------------------------------------------------------------------------------------


REBUILDING = '''
"""Rebuilds the table that others hang on."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "next", "{head}", None, None
def upgrade():
    with op.batch_alter_table("tickets", recreate="always") as batch:
        batch.alter_column("title", existing_type=sa.Text(), server_default="untitled")
'''


@pytest.fixture
def next_release(tmp_path, monkeypatch):
    """Migrations of a later release. Call it to install them."""
    head, copy = migrations.head(), tmp_path / "migrations"
    shutil.copytree(migrations.HERE, copy)
    (copy / "versions" / "next.py").write_text(REBUILDING.replace("{head}", head))

    def install():
        monkeypatch.setattr(migrations, "HERE", copy)

    return install


@pytest.mark.parametrize("engine", ["json", "sqlite"])
def test_a_migration_that_rebuilds_a_table_keeps_rows_that_refer_to_it(tmp_path, engine, next_release):
    folder = tmp_path / "data"
    store = open_store(folder, file_url(engine, folder))
    add_company(store)
    with store.unit_of_work(None, write=True) as uow:
        add_thread(uow, add_ticket(uow, add_customer(uow), 1))
    all_rows = everything(store)
    store.close()
    next_release()
    store = open_store(folder, file_url(engine, folder))
    assert everything(store) == all_rows
    with store.unit_of_work(actor(ONE), write=True) as uow, pytest.raises(IntegrityError):
        add_ticket(uow, "nobody", 2)
    with store.unit_of_work(actor(ONE), write=True) as uow:
        uow.delete(tickets)
        assert uow.count(uow.query(replies)) == 0, "foreign keys are on again"
    store.close()


def test_the_state_before_a_migration_is_kept_and_opens_in_the_older_release(tmp_path, next_release, monkeypatch):
    old_revision, folder, back = migrations.head(), tmp_path / "data", tmp_path / "back"
    store = filled(folder)
    all_rows = everything(store)
    crashed = tmp_path / "crashed"
    shutil.copytree(folder, crashed, ignore=shutil.ignore_patterns("*.sqlite*", "*.lock"))
    store.close()
    with monkeypatch.context():
        next_release()
        open_store(crashed).close()
    assert orjson.loads((crashed / "foyer.json").read_bytes())["revision"] == "next"
    monkeypatch.undo()
    with pytest.raises(StorageError, match=r"newer Foyer \(revision next\)"):
        open_store(crashed)
    back.mkdir()
    for copy in crashed.glob(f"foyer.json.bak-{old_revision}*"):
        shutil.copy2(copy, back / copy.name.replace(f".bak-{old_revision}", ""))
    store = open_store(back)
    assert everything(store) == all_rows
    store.close()


def test_a_store_can_be_opened_beside_a_file_of_another_store(tmp_path):
    store = Storage(JsonFile(tmp_path).open(), now)
    with store.unit_of_work(None) as uow:
        assert uow.count(uow.query(companies)) == 0
    store.close()
