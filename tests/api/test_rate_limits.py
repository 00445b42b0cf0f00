"""The rate limit of each credential, in memory and in Redis (case 42)."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.http import rate_counters
from api.http.rate_counters import InMemory, InRedis
from config import ConfigError, Settings, load_settings
from tests.conftest import add_key
from tests.support.caller import Caller


@pytest.fixture
def engine() -> str:
    """Limits know no storage."""
    return "json"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(open_app: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    """Opens an app whose windows pass by the test's clock."""

    def make(rate_limit: str = "3 per minute", **more: Any) -> Any:
        app = open_app(rate_limit=rate_limit, **more)
        app.extensions["limits"].counter = InMemory(clock)
        return app

    return make


def statuses(caller: Caller, times: int, **more: Any) -> list[int]:
    return [caller.get("/api/settings", **more).status_code for _ in range(times)]


def test_calls_above_the_limit_are_429_with_retry_after(limited, clock):
    admin = Caller(limited().test_client(), "admin-key")
    answers = [admin.get("/api/settings") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert {a.headers["X-RateLimit-Limit"] for a in answers} == {"3"}
    assert answers[3].json["data"] == {"code": "rate_limited", "errors": []}
    assert answers[3].json["message"] == "Too many requests: at most 3 per minute. Try again in 60 seconds."
    clock.seconds += 20.5
    assert admin.get("/api/settings").headers["Retry-After"] == "40", "39.5 s are left: whole seconds, never too early"
    clock.seconds += 39.4
    last = admin.get("/api/settings")
    assert (last.status_code, last.headers["Retry-After"]) == (429, "1")
    clock.seconds += 0.1
    assert admin.get("/api/settings").status_code == 200


def test_a_window_begins_with_its_first_call_not_with_the_last(limited, clock):
    admin = Caller(limited().test_client(), "admin-key")
    for seconds in (0, 30, 29):
        clock.seconds += seconds
        assert admin.get("/api/settings").status_code == 200
    clock.seconds += 1
    assert statuses(admin, 4) == [200, 200, 200, 429]


def test_each_key_has_its_own_limit(limited):
    app = limited()
    runtime = app.extensions["runtime"]
    admin = Caller(app.test_client(), "admin-key")
    assert statuses(admin, 4)[-1] == 429
    assert statuses(Caller(app.test_client(), add_key(runtime, "agent")), 4) == [200, 200, 200, 429]
    assert statuses(Caller(app.test_client(), add_key(runtime, "admin", company="other")), 4) == [200, 200, 200, 429]


def test_all_addresses_of_a_key_count_together(limited):
    """(case 10)"""
    admin = Caller(limited().test_client(), "admin-key")
    assert statuses(admin, 3) == [200] * 3
    for claim in ("X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP", "Forwarded"):
        assert admin.get("/api/settings", headers={claim: "198.51.100.7"}).status_code == 429
    assert admin.get("/api/settings", environ_base={"REMOTE_ADDR": "198.51.100.7"}).status_code == 429


def test_keys_behind_one_address_do_not_share_a_limit(limited):
    app = limited("1 per minute")
    keys = [add_key(app.extensions["runtime"], "admin", company=f"company {number}") for number in range(5)]
    assert [Caller(app.test_client(), key).get("/api/settings").status_code for key in keys] == [200] * 5


def test_calls_on_behalf_of_customers_count_for_the_key(limited):
    app = limited()
    for person in ("ada@example.com", "bob@example.com", "eve@example.com"):
        headers = {"X-On-Behalf-Of": person}
        assert Caller(app.test_client(), "admin-key", headers).get("/api/tickets").status_code == 200
    assert (
        Caller(app.test_client(), "admin-key", {"X-On-Behalf-Of": "joe@example.com"}).get("/api/tickets").status_code
        == 429
    )


def test_refused_calls_count_and_write_nothing_above_the_limit(limited):
    app = limited("2 per minute")
    agent = Caller(app.test_client(), add_key(app.extensions["runtime"], "agent"))
    new = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}
    assert [agent.put("/api/settings", {}).status_code for _ in range(3)] == [403, 403, 429]
    assert agent.post("/api/tickets", new, headers={"Idempotency-Key": "one"}).status_code == 429
    admin = Caller(app.test_client(), "admin-key")
    assert admin.get("/api/tickets").json["total"] == 0


def test_a_429_is_not_stored_for_the_idempotency_key(limited, clock):
    app = limited("1 per minute")
    admin = Caller(app.test_client(), "admin-key", {"Idempotency-Key": "one"})
    assert admin.get("/api/tickets").status_code == 200
    new = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}
    assert admin.post("/api/tickets", new).status_code == 429
    clock.seconds += 60
    assert admin.post("/api/tickets", new).status_code == 201


def test_several_limits_apply_at_once(limited, clock):
    admin = Caller(limited("2 per second, 3 per minute").test_client(), "admin-key")
    assert statuses(admin, 3) == [200, 200, 429]
    clock.seconds += 1
    third = admin.get("/api/settings")
    assert (third.status_code, third.headers["X-RateLimit-Remaining"], third.headers["X-RateLimit-Limit"]) == (
        200,
        "0",
        "3",
    )
    assert admin.get("/api/settings").headers["Retry-After"] == "59"


def test_retry_after_is_at_least_one_second(limited):
    """Redis says -2 ms of a key that is gone by the time it is asked."""

    class Gone(InMemory):
        def seconds_left(self, key: str) -> float:
            return -0.002

    app = limited("1 per minute")
    app.extensions["limits"].counter = Gone()
    admin = Caller(app.test_client(), "admin-key")
    assert [admin.get("/api/settings").headers.get("Retry-After") for _ in range(2)] == [None, "1"]


def test_rate_limit_off_counts_nothing(limited):
    admin = Caller(limited("off").test_client(), "admin-key")
    answers = [admin.get("/api/settings") for _ in range(20)]
    assert {a.status_code for a in answers} == {200}
    assert not [name for a in answers for name, _ in a.headers if name.startswith("X-RateLimit")]


def test_preflights_strangers_and_pages_are_not_counted(limited):
    app = limited("1 per minute")
    client = app.test_client()
    for _ in range(3):
        assert client.options("/api/tickets", headers={"X-API-Key": "admin-key"}).status_code == 200
        assert client.get("/api/health", headers={"X-API-Key": "admin-key"}).status_code == 200
        assert client.get("/api/settings", headers={"X-API-Key": "wrong"}).status_code == 401
        assert client.get("/docs").status_code == 200
    assert Caller(client, "admin-key").get("/api/settings").status_code == 200


@pytest.mark.parametrize("value", ["lots", "0 per minute", "5 per fortnight", "-1 per minute", "5 per minute or so"])
def test_an_unusable_limit_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("RATE_LIMIT", value)
    with pytest.raises(ConfigError, match="RATE_LIMIT: must be like `1200 per minute`"):
        load_settings()


@pytest.mark.parametrize("value", ["mongodb://x", "localhost:6379"])
def test_an_unknown_counter_stops_the_start_without_showing_its_value(monkeypatch, value):
    monkeypatch.setenv("RATE_LIMIT_STORAGE_URI", value)
    with pytest.raises(ConfigError, match="RATE_LIMIT_STORAGE_URI: must begin with memory://") as raised:
        load_settings()
    assert value not in str(raised.value)


@pytest.mark.parametrize("value", ["OFF", " 10/second ", "1200 per minute; 20000 per day"])
def test_a_limit_is_accepted_in_common_notations(value):
    assert Settings(_env_file=None, rate_limit=value).rate_limit == value.strip().lower()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_many_threads_are_counted_exactly():
    counter, counts, together = InMemory(), [], threading.Barrier(8)

    def call() -> None:
        together.wait()
        counts.extend([counter.hit("one", 60) for _ in range(2000)])

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 16001))


def test_ended_windows_are_deleted_and_memory_is_bounded(clock, monkeypatch):
    counter = InMemory(clock)
    for number in range(50):
        counter.hit(f"early {number}", 5)
    clock.seconds += rate_counters.SWEEP_SECONDS
    counter.hit("late", 5)
    assert set(counter._windows) == {"late"}
    monkeypatch.setattr(rate_counters, "MOST_COUNTED", 100)
    for number in range(1000):
        counter.hit(f"many {number}", 3600)
    assert len(counter._windows) == 100


def redis_server() -> str:
    """The program, where it is installed; in CI it must be."""
    found = shutil.which("redis-server")
    if not found:
        assert not os.environ.get("CI"), "CI installs redis-server"
        pytest.skip("redis-server is not installed")
    return found


@pytest.fixture
def redis(tmp_path, free_port) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a Redis of the test's own; calling it again starts it again."""
    program, started = redis_server(), []

    def start() -> subprocess.Popen[bytes]:
        command = [program, "--port", str(free_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", free_port), timeout=1):
                break
            time.sleep(0.05)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_two_apps_share_one_limit_through_redis(redis, open_app, postgresql, free_port):
    redis()
    with postgresql.fresh() as url:
        shared = {"database_url": url, "rate_limit_storage_uri": f"redis://127.0.0.1:{free_port}"}
        shared |= {"secret_key": "s" * 40, "api_key": "an admin key of 20 or more"}
        apps = [open_app(rate_limit="3 per minute", **shared) for _ in range(2)]
        first, second = (Caller(app.test_client(), shared["api_key"]) for app in apps)
        assert [caller.get("/api/settings").status_code for caller in (first, second, first)] == [200] * 3
        assert [caller.get("/api/settings").status_code for caller in (first, second)] == [429] * 2
        for app in apps:
            app.extensions["runtime"].stop()


def test_redis_counts_like_memory(redis, open_app, free_port):
    redis()
    app = open_app(rate_limit="2 per minute", rate_limit_storage_uri=f"redis://127.0.0.1:{free_port}")
    admin = Caller(app.test_client(), "admin-key")
    answers = [admin.get("/api/settings") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def test_without_redis_the_process_counts_in_memory_until_redis_is_back(redis, free_port, caplog, monkeypatch):
    process = redis()
    counter = InRedis(f"redis://127.0.0.1:{free_port}")
    assert [counter.hit("one", 60) for _ in range(3)] == [1, 2, 3]
    process.kill()
    process.wait()
    with caplog.at_level("WARNING"):
        assert [counter.hit("one", 60) for _ in range(3)] == [1, 2, 3], "counted anew, here"
        assert 0 < counter.seconds_left("one") <= 60
        monkeypatch.setattr(counter, "_away_until", 1e-9)  # the time to wait is over: it is still away
        assert counter.hit("one", 60) == 4
        assert [record.getMessage()[:21] for record in caplog.records] == ["Redis cannot be asked"]
        redis()
        monkeypatch.setattr(counter, "_away_until", 1e-9)
        assert [counter.hit("one", 60) for _ in range(2)] == [1, 2], "counted by Redis again, which has forgotten"
    assert [record.getMessage() for record in caplog.records][1:] == ["Redis counts calls again"]


def test_the_server_starts_and_works_without_its_redis(open_app, free_port):
    app = open_app(rate_limit="1 per minute", rate_limit_storage_uri=f"redis://127.0.0.1:{free_port}")
    assert statuses(Caller(app.test_client(), "admin-key"), 2) == [200, 429]
