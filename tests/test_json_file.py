"""The JSON-file engine: the document as people edit it, what is captured, folding, and one process per folder."""

import json
import os
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

import json_document
import json_file
import journal
import migrations
from errors import AppError
from folder_lock import is_held
from json_file import JsonFile
from storage import Storage, StorageError
from tables import companies, customers, events, jobs, replies, tickets
from tests.rows import ONE, actor, add_company, add_customer, add_thread, add_ticket, everything, files, open_store
from times import now

ROOT = Path(__file__).resolve().parent.parent
AWKWARD = 'a "quoted" {brace} \\ back\nnew line\u2028 naïve 日本 😀 \x7f\x01 }'


def filled(folder):
    """A store with a customer, a ticket of every kind of value and its thread."""
    store = open_store(folder)
    add_company(store)
    with store.desk(None, write=True) as desk:
        ada = add_customer(desk)
        more = {"title": AWKWARD, "tags": ["a", "{b}"], "urgency": 4.3, "ai_citations": [{"id": "}"}], "triage_reasons": []}
        for number in (1, 2):
            add_thread(desk, add_ticket(desk, ada, number, **more))
    return store


def restarted(folder, *, fold):
    """What is found in a copy of the folder as it is now (as after kill -9), or after a clean stop and start."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in folder.iterdir():
        if ".sqlite" not in path.name and ".lock" not in path.name:
            shutil.copy2(path, copy / path.name)
    store = open_store(copy)
    if fold:
        store.close()
        store = open_store(copy)
    found = everything(store)
    store.close()
    return found


@pytest.fixture
def document(tmp_path):
    """The path of a document that a desk has left behind, and what was in the desk."""
    store = filled(tmp_path)
    held = everything(store)
    store.close()
    return tmp_path / "foyer.json", held


def edit(path, change):
    """Changes the document as a person with a JSON editor would."""
    content = orjson.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content, indent=2))


# --- the document, edited by hand ---------------------------------------------------------------------------------------


def test_the_document_is_json_with_one_row_a_line_and_private(document):
    path, held = document
    content = orjson.loads(path.read_bytes())
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = sum(len(found) for found in held.values())
    assert sum(line.rstrip(",").startswith(("{", ",{")) and '"id":' in line for line in lines) == rows
    assert (content["revision"], set(content["tables"])) == (migrations.head(), set(held))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", [{"indent": 2}, {"indent": 4, "sort_keys": True}, {"ensure_ascii": False}], ids=str)
def test_a_document_laid_out_anew_holds_the_same(document, form):
    path, held = document
    path.write_text(json.dumps(orjson.loads(path.read_bytes()), **form), encoding="utf-8")
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()


def test_a_document_saved_with_a_byte_order_mark_opens(document):
    path, held = document
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()


def test_what_a_person_corrects_is_what_the_desk_shows(document):
    path, _ = document

    def change(content):
        content["tables"]["tickets"][0] |= {"title": "By hand", "status": "resolved", "tags": ["x"], "human_replied": True}
        del content["tables"]["tickets"][0]["product"]
        content["tables"]["events"] = []

    edit(path, change)
    store = open_store(path.parent)
    with store.desk(actor(ONE)) as desk:
        ticket = desk.find(desk.rows(tickets).order_by(tickets.c.number))[0]
        assert desk.count(desk.rows(events)) == 0
    store.close()
    shown = [ticket[name] for name in ("title", "status", "tags", "human_replied", "product")]
    assert shown == ["By hand", "resolved", ["x"], True, ""]


def ticket(**values):
    return lambda content: content["tables"]["tickets"][1].update(values)


def without(field):
    return lambda content: content["tables"]["tickets"][1].pop(field)


INVALID = {
    "unknown field": (ticket(colour="red"), ["tickets", "TICKET", "no field colour"]),
    "text for a number": (ticket(version="1"), ["tickets", "TICKET", "version must be a whole number"]),
    "fraction for a number": (ticket(urgency=4.3), ["tickets", "TICKET", "urgency must be a whole number"]),
    "number beyond 64 bits": (ticket(version=2**63), ["tickets", "TICKET", "version must be a whole number"]),
    "truth for a number": (ticket(version=True), ["tickets", "TICKET", "version must be a whole number"]),
    "number for text": (ticket(title=5), ["tickets", "TICKET", "title must be text"]),
    "list for text": (ticket(title=["x"]), ["tickets", "TICKET", "title must be text"]),
    "text for a list": (ticket(tags="x"), ["tickets", "TICKET", "tags must be a list"]),
    "object for a list": (ticket(tags={}), ["tickets", "TICKET", "tags must be a list"]),
    "too deep a list": (ticket(ai_citations=json.loads("[" * 500 + "]" * 500)), ["tickets", "TICKET", "ai_citations"]),
    "number for a flag": (ticket(human_replied=7), ["tickets", "TICKET", "human_replied must be true or false"]),
    "null for text": (ticket(title=None), ["tickets", "TICKET", "title must be text"]),
    "unknown status": (ticket(status="lost"), ["tickets", "TICKET", "status must be one of new, "]),
    "unknown priority": (ticket(priority="Urgent"), ["tickets", "TICKET", "priority must be one of low, "]),
    "unknown speaker": (ticket(ai_source="oracle"), ["tickets", "TICKET", "ai_source must be one of"]),
    "time in words": (ticket(created_at="yesterday"), ["tickets", "TICKET", "created_at must be a time like"]),
    "no time": (ticket(created_at=""), ["tickets", "TICKET", "created_at must be a time like"]),
    "time without fraction": (ticket(created_at="2026-01-31T08:00:00Z"), ["tickets", "TICKET", "created_at must be"]),
    "30th of February": (ticket(resolved_at="2026-02-30T08:00:00.000Z"), ["tickets", "TICKET", "resolved_at must be"]),
    "missing field": (without("created_at"), ["tickets", "TICKET", "created_at is missing"]),
    "missing id": (without("id"), ["tickets", "every row is an object with an id"]),
    "dangling reference": (ticket(customer_row="nobody"), ["tickets", "TICKET", "customer_row names nobody", "customers"]),
    "same number twice": (ticket(number=1), ["tickets", "TICKET", "another row has the same company_id, number"]),
    "same id twice": (lambda c: c["tables"]["tickets"].append({**c["tables"]["tickets"][1], "number": 9}), ["TICKET", "the same id"]),
    "row that is none": (lambda c: c["tables"]["tickets"].append("x"), ["tickets", "every row is an object"]),
    "unknown role": (lambda c: c["tables"]["replies"][0].update(author_role="root"), ["replies", "author_role must be"]),
    "unknown table": (lambda c: c["tables"].update(notes=[]), ["no table notes"]),
    "alembic's table": (lambda c: c["tables"].update(alembic_version=[]), ["no table alembic_version"]),
    "missing table": (lambda c: c["tables"].pop("tickets"), ["table tickets is missing"]),
    "table that is no list": (lambda c: c["tables"].update(tickets={}), ["table tickets must be a list"]),
    "unknown heading": (lambda c: c.update(comment="mine"), ["not a Foyer document"]),
    "missing heading": (lambda c: c.pop("seq"), ["not a Foyer document"]),
    "number in words": (lambda c: c.update(seq="5"), ["seq a whole number"]),
    "unknown format": (lambda c: c.update(foyer=2), ["format 2"]),
    "newer revision": (lambda c: c.update(revision="9999"), ["newer Foyer", "9999"]),
}


def assert_refused(path, *wanted):
    before = files(path.parent)
    with pytest.raises(StorageError) as refused:
        open_store(path.parent)
    for words in (str(path), *wanted):
        assert words in str(refused.value)
    assert files(path.parent) == before
    assert "Nothing was changed" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("fault", INVALID)
def test_a_fault_made_by_hand_is_named_and_nothing_is_overwritten(document, fault):
    path, _ = document
    change, wanted = INVALID[fault]
    wrong = orjson.loads(path.read_bytes())["tables"]["tickets"][1]["id"]
    edit(path, change)
    assert_refused(path, *(words.replace("TICKET", wrong) for words in wanted))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_a_document_that_is_no_document_is_refused(document, content):
    path, _ = document
    path.write_bytes(content)
    assert_refused(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_document_is_refused_and_never_taken_for_a_new_one(document, share):
    path, _ = document
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert_refused(path, "not JSON")


def test_the_lock_is_free_again_after_a_refusal(document):
    path, held = document
    whole = path.read_bytes()
    path.write_bytes(b"{")
    assert_refused(path)
    path.write_bytes(whole)
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()


# --- what is captured ---------------------------------------------------------------------------------------------------


def test_bulk_changes_and_cascading_deletions_are_there_after_a_restart(tmp_path):
    folder = tmp_path / "desk"
    store = filled(folder)
    with store.desk(actor(ONE), write=True) as desk:
        desk.update_where(tickets, title=AWKWARD * 2)
        desk.update_where(replies, replies.c.internal, body="bulk")
        desk.insert_many(customers, [{"email": f"c{n}@example.com", "created_at": desk.now} for n in range(50)])
        desk.delete(tickets, tickets.c.number == 1)
        desk.claim("mail", limit=5, lease_seconds=60)
    held = everything(store)
    assert [len(held[name]) for name in ("tickets", "replies", "events", "jobs", "customers")] == [1, 2, 1, 1, 51]
    for fold in (False, True):
        assert json.dumps(restarted(folder, fold=fold)) == json.dumps(held)
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
def test_any_sequence_of_work_is_found_again_after_a_restart(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("random") / "desk"
    store = filled(folder)
    for step in steps:
        try:
            with store.desk(actor(ONE), write=True) as desk:
                work(desk, *step)
        except (LookupError, IntegrityError):
            continue
    held = everything(store)
    for fold in (False, True):
        assert json.dumps(restarted(folder, fold=fold)) == json.dumps(held)
    store.close()


def work(desk, verb, number, text):
    """One unit of work of a random sequence."""
    values = {"id": f"c{number}", "email": f"{number}@example.com", "name": text, "created_at": desk.now}
    if verb in ("insert", "insert_new"):
        getattr(desk, verb)(customers, values)
    elif verb == "update":
        desk.update(customers, f"c{number}", {"name": text})
    elif verb == "bulk":
        desk.update_where(replies, body=text)
        desk.update_where(jobs, payload={"text": [text, {"n": number}]})
    elif verb == "delete":
        desk.delete(customers, customers.c.id == f"c{number}")
    elif verb == "delete_parent":
        desk.delete(tickets, tickets.c.number == number)
    else:
        desk.update_where(tickets, title=text)
        try:
            with desk.attempt():
                desk.delete(replies)
                desk.delete(events)
                raise LookupError
        except LookupError:
            if verb == "failed":
                raise


def test_a_unit_of_work_without_changes_writes_nothing(tmp_path):
    store = filled(tmp_path)
    before = files(tmp_path)[json_file.DOCUMENT + ".journal"]
    with store.desk(actor(ONE), write=True) as desk:
        assert desk.update_where(tickets, tickets.c.number == 99, title="x") == 0
    assert files(tmp_path)[json_file.DOCUMENT + ".journal"] == before
    store.close()


# --- folding ------------------------------------------------------------------------------------------------------------


def write_some(store, count, name):
    for number in range(count):
        with store.desk(None, write=True) as desk:
            desk.insert(customers, {"company_id": ONE, "email": f"{name}{number}@example.com", "created_at": desk.now})


def test_folding_goes_on_beside_four_writers_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 2_000)
    folds = []
    write = json_document.write
    monkeypatch.setattr(json_document, "write", lambda *given: (folds.append(given[2]), write(*given)))
    folder = tmp_path / "desk"
    store = open_store(folder)
    add_company(store)
    writers = [threading.Thread(target=write_some, args=(store, 60, f"w{n}-")) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    held = everything(store)
    assert len(held["customers"]) == 240
    store._engine._folding.join()
    assert len(folds) > 3, "the journal was never folded in the background"
    assert folds == sorted(folds)
    for fold in (False, True):
        assert restarted(folder, fold=fold) == held
    store.close()
    assert not [path for path in folder.iterdir() if "tmp-" in path.name or ".journal." in path.name]


def test_a_write_during_folding_is_in_the_new_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    began, go_on = threading.Event(), threading.Event()
    write = json_document.write

    def slow(*given):
        began.set()
        assert go_on.wait(20)
        write(*given)

    folder = tmp_path / "desk"
    store = filled(folder)
    store._engine._folding.join()
    monkeypatch.setattr(json_document, "write", slow)
    write_some(store, 40, "before")
    assert began.wait(20)
    write_some(store, 10, "during")
    held = everything(store)
    monkeypatch.setattr(json_document, "write", write)
    assert restarted(folder, fold=True) == held
    go_on.set()
    store._engine._folding.join()
    assert restarted(folder, fold=True) == held
    store.close()


def test_a_fold_that_fails_costs_nothing_but_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "desk"
    store = filled(folder)
    store._engine._folding.join()

    def full(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(json_document, "write", full)
        write_some(store, 40, "a")
        store._engine._folding.join()
    assert "will be tried again" in caplog.text
    held = everything(store)
    assert restarted(folder, fold=True) == held
    write_some(store, 40, "b")
    store._engine._folding.join()
    held = everything(store)
    store.close()
    assert restarted(folder, fold=False) == held


def test_a_journal_that_cannot_be_turned_fails_no_write_that_is_committed(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "desk"
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
        with pytest.raises(AppError) as refused:
            write_some(store, 1, "refused")
        assert refused.value.status == 503
    write_some(store, 3, "after")
    held = everything(store)
    assert len(held["customers"]) == 1 + name + 3
    assert restarted(folder, fold=False) == held
    store.close()
    assert restarted(folder, fold=False) == held


# --- disks that fail ----------------------------------------------------------------------------------------------------


REAL_FSYNC = os.fsync


class FailingOnce:
    """os.fsync that raises EIO at one call and counts them all."""

    def __init__(self):
        self.calls = 0

    def __call__(self, handle):
        self.calls += 1
        if self.calls == 1:
            raise OSError(5, "Input/output error")
        REAL_FSYNC(handle)


def test_a_write_the_disk_did_not_confirm_is_503_and_gone_after_the_next_one(tmp_path, monkeypatch):
    folder = tmp_path / "desk"
    store = filled(folder)
    before = everything(store)
    failing = FailingOnce()
    monkeypatch.setattr(journal.os, "fsync", failing)
    with pytest.raises(AppError) as refused:
        write_some(store, 1, "lost")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "10")
    assert failing.calls == 1, "a failed fsync is never tried again"
    assert everything(store) == before
    write_some(store, 1, "next")
    held = everything(store)
    assert [row["email"] for row in held["customers"]] == ["ada@example.com", "next0@example.com"]
    assert restarted(folder, fold=False) == held
    write_some(store, 1, "later")
    held = everything(store)
    store.close()
    assert restarted(folder, fold=False) == held


def test_a_stop_after_a_write_the_disk_did_not_confirm_leaves_it_out(tmp_path, monkeypatch):
    folder = tmp_path / "desk"
    store = filled(folder)
    before = everything(store)
    monkeypatch.setattr(journal.os, "fsync", FailingOnce())
    with pytest.raises(AppError):
        write_some(store, 1, "lost")
    store.close()
    assert restarted(folder, fold=False) == before


def test_recovery_waits_for_a_fold_that_is_under_way(tmp_path, monkeypatch):
    """The fold would else put its older document in the place of the newer one, whose journal is gone."""
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "desk"
    store = filled(folder)
    store._engine._folding.join()
    began, go_on = threading.Event(), threading.Event()
    write = json_document.write

    def slow(*given):
        if threading.current_thread().name == "foyer-fold":
            began.set()
            assert go_on.wait(20)
        write(*given)

    monkeypatch.setattr(json_document, "write", slow)
    write_some(store, 40, "a")
    assert began.wait(20)
    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "fsync", FailingOnce())
        with pytest.raises(AppError):
            write_some(store, 1, "lost")
    recovering = threading.Thread(target=write_some, args=(store, 1, "b"))
    recovering.start()
    recovering.join(0.3)
    go_on.set()
    recovering.join()
    store._engine._folding.join()
    held = everything(store)
    assert len(held["customers"]) == 42
    assert restarted(folder, fold=False) == held
    store.close()


def test_a_commit_that_fails_after_the_line_takes_the_line_back(tmp_path):
    folder = tmp_path / "desk"
    store = filled(folder)
    before, journalled = everything(store), (folder / "foyer.json.journal").read_bytes()

    def break_a_reference():
        with store.desk(None, write=True) as desk:
            # Checked at the commit only, so that SQLite refuses when the line is already on disk.
            desk._connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            add_ticket(desk, "nobody", 3)

    with pytest.raises(IntegrityError):
        break_a_reference()
    assert (folder / "foyer.json.journal").read_bytes() == journalled
    assert everything(store) == before
    write_some(store, 2, "after")
    held = everything(store)
    for fold in (False, True):
        assert restarted(folder, fold=fold) == held
    store.close()


def test_an_interrupt_between_line_and_commit_is_healed_by_the_next_write(tmp_path, monkeypatch):
    folder = tmp_path / "desk"
    store = filled(folder)
    append = journal.Journal.append

    def interrupted(self, *given):
        append(self, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_some(store, 1, "interrupted")
    write_some(store, 2, "after")
    held = everything(store)
    assert len(held["customers"]) == 3
    assert restarted(folder, fold=False) == held
    store.close()


class Platter:
    """What a disk holds of a folder after a loss of power: only what was fsynced, names as of the folder's own fsync."""

    def __init__(self):
        self.content = {}
        self.names = {}

    def fsync(self, handle):
        REAL_FSYNC(handle)
        place, inode = Path(os.readlink(f"/proc/self/fd/{handle}")), os.fstat(handle).st_ino
        if place.is_dir():
            self.names[place] = {path.name: path.stat().st_ino for path in place.iterdir() if path.is_file()}
        else:
            self.content[inode] = Path(f"/proc/self/fd/{handle}").read_bytes()

    def after_power_loss(self, folder, target):
        """The folder as found when the power is back."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for name, inode in self.names[folder].items():
            if name.startswith("foyer.json") and ".sqlite" not in name:
                (target / name).write_bytes(self.content.get(inode, b""))
        store = open_store(target)
        found = everything(store)
        store.close()
        return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_whatever_was_acknowledged_survives_a_loss_of_power(tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 1_500)
    platter = Platter()
    monkeypatch.setattr(os, "fsync", platter.fsync)
    folder = tmp_path / "desk"
    store = filled(folder)
    for number in range(12):
        write_some(store, 1, f"n{number}-")
        held = everything(store)
        assert platter.after_power_loss(folder, tmp_path / "found") == held, number
    store.close()
    assert platter.after_power_loss(folder, tmp_path / "found") == held


# --- killed while folding -----------------------------------------------------------------------------------------------

KILLED = """
import os, sys
from pathlib import Path
import json_document, json_file
from tests.rows import ONE, add_company, open_store
from tests.test_json_file import write_some

store = open_store(Path(sys.argv[1]))
add_company(store)
real = {"replace": os.replace, "fsync": os.fsync, "unlink": Path.unlink}

def die(*given, **more):
    real[sys.argv[2]](*given, **more) if sys.argv[3] == "after" else None
    os._exit(9)

target = Path if sys.argv[2] == "unlink" else os
write = json_document.write
def armed(*given):
    if sys.argv[2] == "unlink":
        write(*given)
    setattr(target, sys.argv[2], die)
    if sys.argv[2] != "unlink":
        write(*given)
json_document.write = armed
for number in range(1000):
    json_file.FOLD_AT_BYTES = 0 if number > 4 else 10**9
    write_some(store, 1, f"n{number}-")
    sys.stdout.write(f"n{number}-0@example.com\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["fsync", "replace", "unlink"])
def test_killed_at_any_step_of_folding_nothing_is_lost_and_leftovers_are_cleared(tmp_path, call, moment):
    folder = tmp_path / "desk"
    command = [sys.executable, "-c", KILLED, str(folder), call, moment]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert ended.returncode == 9, ended.stderr
    acknowledged = set(ended.stdout.split())
    assert acknowledged
    left = {path.name for path in folder.iterdir()}
    assert any(name.startswith("foyer.json.tmp-") for name in left) is ((call, moment) in MID_WRITE)
    store = open_store(folder)
    found = {row["email"] for row in everything(store)["customers"]}
    assert acknowledged <= found
    assert len(found) <= len(acknowledged) + 1
    left = {path.name for path in folder.iterdir()}
    assert not [name for name in left if "tmp-" in name or ".journal." in name]
    store.close()


MID_WRITE = {("fsync", "before"), ("fsync", "after"), ("replace", "before")}


# --- one process per folder ---------------------------------------------------------------------------------------------

HOLDER = """
import sys
from pathlib import Path
from tests.rows import open_store
store = open_store(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
store.close()
print("closed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the folder open; it closes the store at the first line and leaves at the second."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_process_says_who_it_waits_for_and_leaves_with_what_to_do(tmp_path, holder, caplog):
    with pytest.raises(StorageError) as refused:
        JsonFile(tmp_path, lock_wait_seconds=0.2).open()
    assert f"in use by process {holder.pid} on " in caplog.text
    assert "waiting up to 0.2 s" in caplog.text
    for words in (f"process {holder.pid}", "DATA_DIR", "DATABASE_URL"):
        assert words in str(refused.value)
    assert is_held(tmp_path / json_file.DOCUMENT)
    assert (tmp_path / "foyer.json.owner").stat().st_mode & 0o777 == 0o600


def test_the_folder_is_free_when_the_first_process_stops(tmp_path, holder):
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "closed\n"
    assert not is_held(tmp_path / json_file.DOCUMENT)
    JsonFile(tmp_path, lock_wait_seconds=0).open().close()


def test_the_folder_is_free_when_the_first_process_is_killed_and_who_waited_gets_it(tmp_path, holder):
    threading.Timer(0.3, holder.kill).start()
    JsonFile(tmp_path, lock_wait_seconds=20).open().close()


def test_a_desk_opened_by_one_thread_may_be_closed_by_another(tmp_path):
    opened = []
    thread = threading.Thread(target=lambda: opened.append(JsonFile(tmp_path).open()))
    thread.start()
    thread.join()
    opened[0].close()
    assert not is_held(tmp_path / json_file.DOCUMENT)


def test_asking_whether_a_folder_is_open_makes_none(tmp_path):
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
    """Steps of a release to come, after ours; called to install it."""
    head, copy = migrations.head(), tmp_path / "migrations"
    shutil.copytree(migrations.HERE, copy)
    (copy / "versions" / "next.py").write_text(REBUILDING.replace("{head}", head))

    def install():
        monkeypatch.setattr(migrations, "HERE", copy)

    return install


@pytest.mark.parametrize("engine", ["json", "sqlite"])
def test_a_migration_that_rebuilds_a_table_keeps_what_hangs_on_it(tmp_path, engine, next_release):
    folder = tmp_path / "desk"
    store = open_store(folder, engine)
    add_company(store)
    with store.desk(None, write=True) as desk:
        add_thread(desk, add_ticket(desk, add_customer(desk), 1))
    held = everything(store)
    store.close()
    next_release()
    store = open_store(folder, engine)
    assert everything(store) == held
    with store.desk(actor(ONE), write=True) as desk, pytest.raises(IntegrityError):
        add_ticket(desk, "nobody", 2)
    with store.desk(actor(ONE), write=True) as desk:
        desk.delete(tickets)
        assert desk.count(desk.rows(replies)) == 0, "foreign keys are on again"
    store.close()


def test_the_state_before_a_migration_is_kept_and_opens_in_the_older_release(tmp_path, next_release, monkeypatch):
    old, folder, back = migrations.head(), tmp_path / "desk", tmp_path / "back"
    store = filled(folder)
    held = everything(store)
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
    for kept in crashed.glob(f"foyer.json.bak-{old}*"):
        shutil.copy2(kept, back / kept.name.replace(f".bak-{old}", ""))
    store = open_store(back)
    assert everything(store) == held
    store.close()


def test_a_desk_can_be_opened_where_a_file_of_another_store_lies(tmp_path):
    store = Storage(JsonFile(tmp_path).open(), now)
    with store.desk(None) as desk:
        assert desk.count(desk.rows(companies)) == 0
    store.close()
