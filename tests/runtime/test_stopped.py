"""After a stop the store stays closed: late requests get 503, and another process can open the store."""

import threading

import pytest

from core.errors import AppError
from tests.support.caller import Caller
from tests.support.rows import filled

pytestmark = pytest.mark.every_engine

NEW = {"title": "Late", "description": "d", "customer_email": "ada@example.com"}


def refused(answer):
    assert (answer.status_code, answer.json["data"]["code"]) == (503, "unavailable"), answer.text
    return int(answer.headers["Retry-After"]) > 0


def test_late_requests_are_503_with_retry_after(app, runtime, admin, nobody):
    ticket = admin.ticket()
    runtime.stop()
    assert refused(admin.post("/api/tickets", NEW))
    assert refused(admin.get(f"/api/tickets/{ticket['id']}"))
    assert refused(nobody.get("/api/health"))
    assert refused(nobody.post("/api/auth/login", {"email": "ada@example.com", "password": "not the one"}))


def test_a_stop_before_the_first_request_closes_the_store(app, runtime, admin):
    runtime.stop()
    assert refused(admin.get("/api/tickets"))


def test_late_requests_and_jobs_do_not_touch_the_files(runtime, admin, open_app, tmp_path):
    """The next process has the folder as soon as this one let go of it."""
    admin.ticket()
    runtime.stop()
    before = {path.name for path in tmp_path.iterdir()}
    admin.post("/api/tickets", NEW)
    with pytest.raises(AppError):
        runtime.runner.run_due()
    assert {path.name for path in tmp_path.iterdir()} == before
    other = Caller(open_app().test_client(), "admin-key")
    assert other.get("/api/tickets").json["total"] == 1
    assert refused(admin.get("/api/tickets"))


def test_a_start_opens_it_again(runtime, admin):
    admin.ticket()
    runtime.stop()
    runtime.start()
    assert admin.get("/api/tickets").json["total"] == 1


@pytest.mark.parametrize("engine", ["json"])
def test_a_response_read_after_the_stop_creates_no_file(tmp_path, engine):
    store = filled(tmp_path)
    held, go_on, answers = threading.Event(), threading.Event(), []

    def read():
        with store.unit_of_work(None):  # has the only connection
            held.set()
            assert go_on.wait(20)
        answers.append("read to the end")

    reader = threading.Thread(target=read)
    reader.start()
    assert held.wait(20)
    store.close()
    with pytest.raises(store._engine.failures), store._engine.read():  # as for somebody who came just before the stop
        pass
    go_on.set()
    reader.join()
    assert answers == ["read to the end"]
    assert not list(tmp_path.glob("*.sqlite*"))
    assert not store._engine._idle_readers, "no connection outlives the stop"


@pytest.fixture
def nobody(app):
    return Caller(app.test_client())
