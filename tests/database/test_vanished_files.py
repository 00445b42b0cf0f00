"""Files of the JSON engine removed, replaced or cut by another program while the server runs: no acknowledged write is lost."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import AppError
from database.json_store import document, engine
from storage import StorageError
from tests.support.rows import everything, filled, open_store, restarted, write_some

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT, JOURNAL = "foyer.json", "foyer.json.journal"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove an open file")


def replace(path, content):
    """Replaces `path` with another file."""
    path.with_name("other").write_bytes(content)
    os.replace(path.with_name("other"), path)


def append(path, content):
    with path.open("ab") as file:
        file.write(content)


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def rename(folder):
    folder.rename(folder.with_name(f"moved-{folder.stat().st_ino}"))


def exchange(folder):
    rename(folder)
    folder.mkdir()


WAYS = {
    "journal unlinked": lambda folder: (folder / JOURNAL).unlink(),
    "journal replaced": lambda folder: replace(folder / JOURNAL, b"not a journal\n"),
    "journal replaced by an empty file": lambda folder: replace(folder / JOURNAL, b""),
    "journal restored from a copy": lambda folder: replace(folder / JOURNAL, (folder / JOURNAL).read_bytes()),
    "journal renamed": lambda folder: (folder / JOURNAL).rename(folder / "mine"),
    "journal cut": lambda folder: os.truncate(folder / JOURNAL, 10),
    "journal emptied": lambda folder: os.truncate(folder / JOURNAL, 0),
    "journal with a foreign line": lambda folder: append(folder / JOURNAL, b"foreign\n"),
    "document unlinked": lambda folder: (folder / DOCUMENT).unlink(),
    "document replaced": lambda folder: replace(folder / DOCUMENT, b"{}"),
    "document emptied": lambda folder: os.truncate(folder / DOCUMENT, 0),
    "lock unlinked": lambda folder: (folder / f"{DOCUMENT}.lock").unlink(missing_ok=True),
    "document and journal unlinked": lambda folder: [(folder / name).unlink() for name in (DOCUMENT, JOURNAL)],
    "everything in the folder removed": empty,
    "folder removed": shutil.rmtree,
    "folder renamed": rename,
    "folder exchanged": exchange,
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a store that was stopped."""
    folder = tmp_path_factory.mktemp("stopped") / "data"
    filled(folder).close()
    return folder


@pytest.fixture
def store(folder, stopped):
    """A store with an older document and a journal."""
    shutil.copytree(stopped, folder)
    filled_store = open_store(folder)
    write_some(filled_store, 3, "before")
    yield filled_store
    filled_store.close()


@pytest.mark.parametrize("way", WAYS)
def test_acknowledged_writes_before_and_after_survive_a_kill(store, folder, way):
    WAYS[way](folder)
    write_some(store, 1, "noticed")
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 5
    assert restarted(folder, fold=False) == all_rows
    write_some(store, 2, "after")
    assert restarted(folder, fold=False) == everything(store)


@pytest.mark.parametrize("way", WAYS)
def test_a_clean_stop_without_a_further_write_leaves_everything_on_disk(store, folder, way):
    all_rows = everything(store)
    WAYS[way](folder)
    store.close()
    assert restarted(folder, fold=False) == all_rows


@pytest.mark.parametrize("way", WAYS)
def test_a_clean_stop_after_further_writes_leaves_everything_on_disk(store, folder, way):
    WAYS[way](folder)
    write_some(store, 2, "after")
    all_rows = everything(store)
    WAYS[way](folder)
    store.close()
    assert restarted(folder, fold=False) == all_rows


@pytest.mark.parametrize("way", ["journal unlinked", "journal replaced", "journal cut", "document unlinked"])
def test_nothing_is_lost_when_files_vanish_repeatedly(store, folder, way):
    for number in range(5):
        WAYS[way](folder)
        write_some(store, 1, f"n{number}-")
        assert restarted(folder, fold=False) == everything(store)


def test_the_log_says_what_happened(store, folder, caplog):
    (folder / JOURNAL).unlink()
    write_some(store, 3, "after")
    assert caplog.text.count("was removed, replaced or changed") == 1
    (folder / DOCUMENT).unlink()
    write_some(store, 3, "later")
    assert caplog.text.count("was removed, replaced or changed") == 2


def test_a_document_placed_by_another_program_is_kept_aside(store, folder):
    replace(folder / DOCUMENT, b"written by hand")
    write_some(store, 1, "after")
    assert (folder / f"{DOCUMENT}.bak-replaced").read_bytes() == b"written by hand"


def test_writes_are_refused_while_the_disk_takes_no_document(store, folder, monkeypatch):
    """The journal is deleted, and the disk takes no document."""
    all_rows = everything(store)
    with monkeypatch.context() as patch:
        patch.setattr(document, "write", full)
        (folder / JOURNAL).unlink()
        for _ in range(2):
            with pytest.raises(AppError) as refusal:
                write_some(store, 1, "refused")
            assert refusal.value.status == 503
    assert everything(store) == all_rows
    write_some(store, 1, "after")
    assert restarted(folder, fold=False) == everything(store)
    assert len(everything(store)["customers"]) == len(all_rows["customers"]) + 1


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_journal_that_vanishes_during_a_background_fold(store, folder, monkeypatch):
    monkeypatch.setattr(engine, "FOLD_AT_BYTES", 0)
    began, go_on = threading.Event(), threading.Event()
    write = document.write

    def slow(*args):
        if threading.current_thread().name == "foyer-fold":
            began.set()
            assert go_on.wait(20)
        write(*args)

    monkeypatch.setattr(document, "write", slow)
    write_some(store, 40, "many")
    assert began.wait(20)
    for path in folder.glob(f"{JOURNAL}*"):
        path.unlink()
    writing = threading.Thread(target=write_some, args=(store, 1, "noticed"))
    writing.start()
    go_on.set()
    writing.join()
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 45
    assert restarted(folder, fold=False) == all_rows


def test_the_files_of_a_process_that_took_over_the_folder_are_not_overwritten(store, folder):
    shutil.rmtree(folder)
    other = filled(folder)
    other_rows = everything(other)
    with pytest.raises(AppError) as refusal:
        write_some(store, 1, "refused")
    assert refusal.value.status == 503
    store.close()
    write_some(other, 1, "theirs")
    other.close()
    all_rows = restarted(folder, fold=False)
    assert len(all_rows["customers"]) == len(other_rows["customers"]) + 1


KILLED = """
import os, sys
from pathlib import Path
from tests.support.rows import filled, write_some

folder = Path(sys.argv[1])
store = filled(folder)
write_some(store, 3, "before")
(folder / sys.argv[2]).unlink()
write_some(store, 1, "acknowledged")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("name", [DOCUMENT, JOURNAL])
def test_a_kill_right_after_the_acknowledgement_loses_nothing(folder, name):
    command = [sys.executable, "-c", KILLED, str(folder), name]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    store = open_store(folder)
    emails = {row["email"] for row in everything(store)["customers"]}
    store.close()
    assert emails == {"ada@example.com", "acknowledged0@example.com", *(f"before{n}@example.com" for n in range(3))}


def test_a_stop_that_cannot_save_the_data_in_memory_logs_it(store, folder, monkeypatch, caplog):
    (folder / JOURNAL).unlink()
    monkeypatch.setattr(document, "write", full)
    store.close()
    assert "LOST" in caplog.text


def test_a_start_without_the_document_is_refused_with_a_sentence(store, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock", "*.sqlite*"))
    (copy / DOCUMENT).unlink()
    with pytest.raises(StorageError, match="is missing although its journal"):
        open_store(copy)
