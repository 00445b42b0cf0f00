"""Writers that wait for one another are committed together, and nobody is answered before."""

import os
import threading

import pytest

from core.errors import AppError
from database.json_store import journal
from database.tables import companies, customers
from storage import open_storage
from tests.support.rows import ONE, actor, add_company

ADMIN = actor(ONE, "admin")


@pytest.fixture(params=["json:", "sqlite"])
def store(request, tmp_path):
    url = "json:" if request.param == "json:" else f"sqlite:///{tmp_path}/foyer.db"
    opened = open_storage(url, tmp_path)
    add_company(opened)
    yield opened
    opened.close()


class Writers:
    """Threads that write in the order they were added; the first one holds its turn until `run`."""

    def __init__(self, store):
        self.store = store
        self.outcomes = {}
        self.proceed = threading.Event()
        self.threads = []

    def add(self, name, block):
        begun = threading.Event()

        def work():
            try:
                with self.store.unit_of_work(ADMIN, write=True) as uow:
                    if not self.threads[1:]:
                        begun.set()
                        self.proceed.wait(10)
                    block(uow)
                self.outcomes[name] = "committed"
            except Exception as error:
                self.outcomes[name] = error

        thread = threading.Thread(target=work)
        self.threads.append(thread)
        before = self.store._engine.writers._waiting
        thread.start()
        if len(self.threads) == 1:
            assert begun.wait(10)
        else:
            while self.store._engine.writers._waiting == before:
                threading.Event().wait(0.001)

    def run(self):
        self.proceed.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.outcomes


def customer(email):
    return lambda uow: uow.insert(customers, {"email": email, "created_at": uow.now})


def emails(store):
    with store.unit_of_work(ADMIN) as uow:
        return {row["email"] for row in uow.find(uow.query(customers))}


def refuse(uow):
    uow.insert(customers, {"email": "refused@example.com", "created_at": uow.now})
    raise AppError("No.", "no", 409)


def test_writers_that_wait_are_committed_with_one_wait_for_the_disk(store, monkeypatch):
    writers, synced = Writers(store), []
    if store.name == "json":
        monkeypatch.setattr(journal.os, "fsync", lambda handle: synced.append(handle))
    for number in range(5):
        writers.add(number, customer(f"{number}@example.com"))
    assert set(writers.run().values()) == {"committed"}
    assert emails(store) == {f"{number}@example.com" for number in range(5)}
    assert len(synced) == (1 if store.name == "json" else 0)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_writer_that_is_refused_undoes_its_own_changes_only(store, place):
    writers = Writers(store)
    for number in range(3):
        writers.add(number, refuse if number == place else customer(f"{number}@example.com"))
    outcomes = writers.run()
    assert outcomes.pop(place).code == "no"
    assert set(outcomes.values()) == {"committed"}
    assert emails(store) == {f"{number}@example.com" for number in range(3) if number != place}


def test_when_the_commit_fails_every_writer_of_the_group_fails_and_nothing_is_changed(store, monkeypatch):
    writers, kind = Writers(store), type(store._engine)
    writers.add("first", customer("first@example.com"))
    writers.add("second", customer("second@example.com"))
    writers.add("refused", refuse)
    commit = kind._commit

    def fail(self, connection):
        raise OSError("no space")

    monkeypatch.setattr(kind, "_commit", fail)
    outcomes = writers.run()
    assert {name: str(error) for name, error in outcomes.items()} == dict.fromkeys(outcomes, "no space")
    assert len({id(error) for error in outcomes.values()}) == len(outcomes) == 3
    monkeypatch.setattr(kind, "_commit", commit)
    assert emails(store) == set()
    with store.unit_of_work(ADMIN, write=True) as uow:
        customer("later@example.com")(uow)
    assert emails(store) == {"later@example.com"}


def test_nobody_is_answered_and_nothing_is_seen_before_the_disk_has_confirmed(tmp_path, monkeypatch):
    store = open_storage("json:", tmp_path)
    add_company(store)
    fsync, waiting, confirm = os.fsync, threading.Event(), threading.Event()

    def slow(handle):
        waiting.set()
        confirm.wait(10)
        fsync(handle)

    writers = Writers(store)
    writers.add("first", customer("first@example.com"))
    writers.add("refused for what the first one wrote", refuse)
    monkeypatch.setattr(journal.os, "fsync", slow)
    writers.proceed.set()
    assert waiting.wait(10)
    assert writers.outcomes == {}
    assert emails(store) == set()
    confirm.set()
    writers.run()
    assert (writers.outcomes["first"], emails(store)) == ("committed", {"first@example.com"})
    store.close()


def test_the_group_is_one_line_of_the_journal_and_is_there_after_a_restart(tmp_path):
    store = open_storage("json:", tmp_path)
    add_company(store)
    before = (tmp_path / "foyer.json.journal").read_bytes().count(b"\n")
    writers = Writers(store)
    for number in range(4):
        writers.add(number, customer(f"{number}@example.com"))
    writers.run()
    assert (tmp_path / "foyer.json.journal").read_bytes().count(b"\n") == before + 1
    store._engine._lock.release()  # as after a kill: nothing is folded
    again = open_storage("json:", tmp_path)
    assert emails(again) == {f"{number}@example.com" for number in range(4)}
    with again.unit_of_work(None) as uow:
        assert len(uow.find(uow.query(companies))) == 1
    again.close()
