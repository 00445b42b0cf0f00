"""The JSON-file engine on failing disks, after a power loss, and after a kill at any step of folding."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from core.errors import AppError
from database.json_store import document, engine, journal
from tests.support.rows import add_ticket, everything, filled, open_store, restarted, write_some

ROOT = Path(__file__).resolve().parent.parent.parent


REAL_FSYNC = os.fsync


class FailingOnce:
    """os.fsync that counts its calls and raises EIO at one of them."""

    def __init__(self):
        self.calls = 0

    def __call__(self, handle):
        self.calls += 1
        if self.calls == 1:
            raise OSError(5, "Input/output error")
        REAL_FSYNC(handle)


def test_a_write_with_failed_fsync_is_503_and_not_kept(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    store = filled(folder)
    before = everything(store)
    failing = FailingOnce()
    monkeypatch.setattr(journal.os, "fsync", failing)
    with pytest.raises(AppError) as error_info:
        write_some(store, 1, "lost")
    assert (error_info.value.status, error_info.value.headers["Retry-After"]) == (503, "10")
    assert failing.calls == 1, "a failed fsync is never tried again"
    assert everything(store) == before
    write_some(store, 1, "next")
    all_rows = everything(store)
    assert [row["email"] for row in all_rows["customers"]] == ["ada@example.com", "next0@example.com"]
    assert restarted(folder, fold=False) == all_rows
    write_some(store, 1, "later")
    all_rows = everything(store)
    store.close()
    assert restarted(folder, fold=False) == all_rows


def test_a_stop_after_a_failed_fsync_leaves_the_write_out(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    store = filled(folder)
    before = everything(store)
    monkeypatch.setattr(journal.os, "fsync", FailingOnce())
    with pytest.raises(AppError):
        write_some(store, 1, "lost")
    store.close()
    assert restarted(folder, fold=False) == before


def test_recovery_waits_for_a_running_fold(tmp_path, monkeypatch):
    """Otherwise the fold would replace the newer document, whose journal is deleted, with its older one."""
    monkeypatch.setattr(engine, "FOLD_AT_BYTES", 0)
    folder = tmp_path / "data"
    store = filled(folder)
    store._engine._folding.join()
    began, go_on = threading.Event(), threading.Event()
    write = document.write

    def slow(*args):
        if threading.current_thread().name == "foyer-fold":
            began.set()
            assert go_on.wait(20)
        write(*args)

    monkeypatch.setattr(document, "write", slow)
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
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 42
    assert restarted(folder, fold=False) == all_rows
    store.close()


def test_a_failed_commit_removes_its_line_from_the_journal(tmp_path):
    folder = tmp_path / "data"
    store = filled(folder)
    before, journalled = everything(store), (folder / "foyer.json.journal").read_bytes()

    def break_a_reference():
        with store.unit_of_work(None, write=True) as uow:
            # Checked at the commit only, so that SQLite refuses when the line is already on disk.
            uow._connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            add_ticket(uow, "nobody", 3)

    with pytest.raises(IntegrityError):
        break_a_reference()
    assert (folder / "foyer.json.journal").read_bytes() == journalled
    assert everything(store) == before
    write_some(store, 2, "after")
    all_rows = everything(store)
    for fold in (False, True):
        assert restarted(folder, fold=fold) == all_rows
    store.close()


def test_an_interrupt_between_line_and_commit_is_repaired_by_the_next_write(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    store = filled(folder)
    append = journal.Journal.append

    def interrupted(self, *args):
        append(self, *args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_some(store, 1, "interrupted")
    write_some(store, 2, "after")
    all_rows = everything(store)
    assert len(all_rows["customers"]) == 3
    assert restarted(folder, fold=False) == all_rows
    store.close()


class Platter:
    """The content of a folder after a power loss: only fsynced data, and names as of the last fsync of the folder."""

    def __init__(self):
        self.content = {}
        self.names = {}

    def fsync(self, handle):
        REAL_FSYNC(handle)
        place, inode = Path(f"/proc/self/fd/{handle}").readlink(), os.fstat(handle).st_ino
        if place.is_dir():
            self.names[place] = {path.name: path.stat().st_ino for path in place.iterdir() if path.is_file()}
        else:
            self.content[inode] = Path(f"/proc/self/fd/{handle}").read_bytes()

    def after_power_loss(self, folder, target):
        """The folder after the power loss."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for name, inode in self.names[folder].items():
            if name.startswith("foyer.json") and ".sqlite" not in name:
                (target / name).write_bytes(self.content.get(inode, b""))
        store = open_store(target)
        all_rows = everything(store)
        store.close()
        return all_rows


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_every_acknowledged_write_survives_a_power_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "FOLD_AT_BYTES", 1_500)
    platter = Platter()
    monkeypatch.setattr(os, "fsync", platter.fsync)
    folder = tmp_path / "data"
    store = filled(folder)
    for number in range(12):
        write_some(store, 1, f"n{number}-")
        all_rows = everything(store)
        assert platter.after_power_loss(folder, tmp_path / "found") == all_rows, number
    store.close()
    assert platter.after_power_loss(folder, tmp_path / "found") == all_rows


KILLED = """
import os, sys, threading
from pathlib import Path
from database.json_store import document as json_document
from database.json_store import engine as json_file
from tests.support.rows import add_company, open_store, write_some

store = open_store(Path(sys.argv[1]))
add_company(store)
real = {"replace": os.replace, "fsync": os.fsync, "unlink": Path.unlink}

def die(*given, **more):
    if threading.current_thread().name != "foyer-fold":
        return real[sys.argv[2]](*given, **more)
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
def test_a_kill_at_any_step_of_folding_loses_nothing_and_leftovers_are_removed(tmp_path, call, moment):
    folder = tmp_path / "data"
    command = [sys.executable, "-c", KILLED, str(folder), call, moment]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert ended.returncode == 9, ended.stderr
    acknowledged = set(ended.stdout.split())
    assert acknowledged
    file_names = {path.name for path in folder.iterdir()}
    assert any(name.startswith("foyer.json.tmp-") for name in file_names) is ((call, moment) in MID_WRITE)
    store = open_store(folder)
    emails = {row["email"] for row in everything(store)["customers"]}
    assert acknowledged <= emails
    assert len(emails) <= len(acknowledged) + 1
    file_names = {path.name for path in folder.iterdir()}
    assert not [name for name in file_names if "tmp-" in name or ".journal." in name]
    store.close()


MID_WRITE = {("fsync", "before"), ("fsync", "after"), ("replace", "before")}
