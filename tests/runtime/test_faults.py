"""Full disk, read-only folder, kill -9 and broken connections, on real files and real servers."""

import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
import requests

from app import create_app
from config import Settings
from core.models import LAST_MESSAGE_FIELDS
from storage import StorageError, open_storage
from tests.conftest import FILES
from tests.fakes.postgres_server import not_here
from tests.fakes.running_server import ROOT
from tests.fakes.server import Server
from tests.support.caller import Caller

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts, limits and kill -9 are Linux's")


TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}
KEY = "fk_the-key-of-a-faulty-server"


def mount(folder, *options):
    """A tmpfs at `folder`; skips where this process may not mount, which CI may."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        not_here(f"cannot mount: {done.stderr.decode()}")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MiB."""
    folder = tmp_path / "disk"
    mount(folder, "-o", "size=8m")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only_disk(tmp_path):
    """A disk nobody may write to, root included."""
    folder = tmp_path / "read-only"
    mount(folder, "-o", "ro")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Opened:
    """A server in this process on a folder, and its admin."""

    def __init__(self, folder, engine="json"):
        url = "json:" if engine == "json" else f"sqlite:///{folder / 'foyer.db'}"
        settings = Settings(_env_file=None, data_dir=folder, database_url=url, api_key=KEY)
        self.app = create_app(settings)
        self.admin = Caller(self.app.test_client(), KEY)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.app.extensions["runtime"].stop()

    def post(self, **headers):
        return self.admin.post("/api/tickets", TICKET, headers=headers)

    def tickets(self):
        answer = self.admin.get("/api/tickets?limit=200&sort=created_at")
        rows = self.admin.data(answer)
        return [{name: row[name] for name in row if name not in LAST_MESSAGE_FIELDS} for row in rows]


def fill(folder):
    """Takes every free byte of the disk; gives the file to remove."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def post_until_refused(uow, acknowledged):
    for _ in range(500):
        answer = uow.post()
        if answer.status_code != 201:
            return answer
        acknowledged.append(answer.json["data"])
    raise AssertionError("the disk is full and every ticket was taken")


def assert_unavailable(answer):
    """The envelope was checked by the caller."""
    assert (answer.status_code, answer.json["data"]["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert re.search(r"disk|data store", answer.json["message"])


@pytest.mark.parametrize("engine", FILES)
def test_a_full_disk_is_503_until_there_is_space(small_disk, engine):
    acknowledged = []
    with Opened(small_disk, engine) as uow:
        acknowledged += [uow.post().json["data"] for _ in range(3)]
        filler = fill(small_disk)
        assert_unavailable(post_until_refused(uow, acknowledged))
        for _ in range(5):
            assert_unavailable(uow.post())
        assert uow.tickets() == acknowledged
        filler.unlink()
        acknowledged += [uow.post().json["data"] for _ in range(3)]
        assert uow.tickets() == acknowledged
    with Opened(small_disk, engine) as uow:
        assert uow.tickets() == acknowledged
    assert [ticket["number"] for ticket in acknowledged] == list(range(1, len(acknowledged) + 1))


@pytest.mark.parametrize("engine", FILES)
def test_a_full_disk_at_the_stop_loses_nothing(small_disk, engine):
    acknowledged = []
    with Opened(small_disk, engine) as uow:
        acknowledged += [uow.post().json["data"] for _ in range(3)]
        filler = fill(small_disk)
        assert_unavailable(post_until_refused(uow, acknowledged))
    filler.unlink()
    with Opened(small_disk, engine) as uow:
        assert uow.tickets() == acknowledged


def test_a_full_disk_at_the_start_stops_it_with_a_sentence(small_disk):
    with Opened(small_disk) as uow:
        made = uow.post().json["data"]
    filler = fill(small_disk)
    before = (small_disk / "foyer.json").read_bytes()
    with pytest.raises(StorageError, match=r"^The data in .*disk cannot be opened: .*(full|space)"):
        open_storage("json:", small_disk)
    assert (small_disk / "foyer.json").read_bytes() == before
    filler.unlink()
    with Opened(small_disk) as uow:
        assert uow.tickets() == [made]


def test_a_file_size_limit_is_503_until_it_is_lifted(tmp_path):
    """The same without a mount: the system refuses every byte beyond a limit, in the middle of a line."""
    import resource

    with Opened(tmp_path) as uow:
        acknowledged = [uow.post().json["data"] for _ in range(3)]
        journal = tmp_path / "foyer.json.journal"
        usual = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = journal.read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, usual[1]))
        try:
            answer = uow.post()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert_unavailable(answer)
        assert journal.read_bytes() == before
        assert uow.tickets() == acknowledged
        acknowledged.append(uow.post().json["data"])
    with Opened(tmp_path) as uow:
        assert uow.tickets() == acknowledged


@pytest.mark.parametrize("engine", FILES)
def test_a_read_only_data_folder_stops_the_start_in_a_sentence(read_only_disk, engine):
    for folder in (read_only_disk, read_only_disk / "new"):
        url = "json:" if engine == "json" else f"sqlite:///{folder / 'foyer.db'}"
        with pytest.raises(StorageError, match=r"read-only.* cannot be (used|opened): .*[Rr]ead-only") as refused:
            open_storage(url, folder)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("engine", FILES)
def test_a_data_folder_that_is_a_file_stops_the_start_in_a_sentence(tmp_path, engine):
    place = tmp_path / "file"
    place.write_text("mine")
    url = "json:" if engine == "json" else f"sqlite:///{place / 'foyer.db'}"
    with pytest.raises(StorageError, match=r"file.* cannot be (used|opened): "):
        open_storage(url, place)
    assert place.read_text() == "mine"


# --- kill -9 ------------------------------------------------------------------------------------------------------------

KILLED_AT_COMMIT = """
import os, sys
from pathlib import Path
from database.json_store.engine import JsonFile
from database.sqlite_engine import SqliteFile
from tests.runtime.test_faults import Opened

server = Opened(Path(sys.argv[1]), sys.argv[2])
server.post()
owner = (JsonFile if sys.argv[2] == "json" else SqliteFile)
commit = owner._commit
def committed(self, connection):
    commit(self, connection)
    os._exit(9)
if sys.argv[3] == "after the commit":
    owner._commit = committed
else:
    append = JsonFile._append
    JsonFile._append = lambda self, changes: (append(self, changes), os._exit(9))
server.post(**{"Idempotency-Key": "once"})
"""


@pytest.mark.parametrize(
    ("engine", "moment"),
    [("json", "after the line"), ("json", "after the commit"), ("sqlite", "after the commit")],
)
def test_case_15_after_a_kill_before_the_response_the_same_key_gets_the_same_ticket(tmp_path, engine, moment):
    command = [sys.executable, "-c", KILLED_AT_COMMIT, str(tmp_path), engine, moment]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 9, ended.stderr
    with Opened(tmp_path, engine) as uow:
        there = uow.tickets()
        assert [ticket["number"] for ticket in there] == [1, 2]
        again = uow.post(**{"Idempotency-Key": "once"})
        assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
        assert again.json["data"]["id"] == there[1]["id"]
        assert uow.tickets() == there


def load(server, acknowledged, *, threads, enough):
    """Creates tickets from several threads until `enough` are acknowledged, then kills the server under them."""
    lock, killed = threading.Lock(), threading.Event()

    def work():
        with requests.Session() as session:
            while not killed.is_set():
                try:
                    answer = server.call(session, "POST", "/api/tickets", TICKET)
                except requests.exceptions.RequestException:
                    return
                assert answer.status_code == 201, answer.text
                with lock:
                    acknowledged.append((answer.json()["data"]["id"], answer.json()["data"]["number"]))
                    if len(acknowledged) >= enough:
                        killed.set()

    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work) for _ in range(threads)]
        killed.wait(60)
        server.kill9()
        for worker in workers:
            worker.result()


def all_tickets(server):
    found, session = [], requests.Session()
    with session:
        while True:
            page = server.call(session, "GET", f"/api/tickets?limit=200&offset={len(found)}&sort=created_at").json()
            found += [(ticket["id"], ticket["number"]) for ticket in page["data"]]
            if len(found) >= page["total"]:
                return found


@pytest.mark.parametrize(("database", "times"), [("json", 5), ("sqlite", 2)])
def test_repeated_kills_under_load_lose_no_acknowledged_ticket_and_repeat_no_number(tmp_path, database, times):
    folder = tmp_path / "data"
    folder.mkdir()
    more = {} if database == "json" else {"DATABASE_URL": f"sqlite:///{folder / 'foyer.db'}"}
    acknowledged = []
    for turn in range(1, times + 1):
        with Server(folder, **more) as server:
            load(server, acknowledged, threads=6, enough=40 * turn)
    with Server(folder, **more) as server:
        found = all_tickets(server)
    assert len(acknowledged) >= 40 * times
    assert set(acknowledged) <= set(found)
    assert sorted(number for _, number in found) == list(range(1, len(found) + 1))


def test_case_15_fifty_parallel_posts_with_one_key_make_one_ticket(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    together = threading.Barrier(50)

    def post(_):
        with requests.Session() as session:
            together.wait(60)
            return server.call(session, "POST", "/api/tickets", TICKET, **{"Idempotency-Key": "the-same"})

    with Server(folder) as server, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
        found = all_tickets(server)
    assert len(found) == 1
    done = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer.status_code != 201]
    assert {answer.content for answer in done} == {done[0].content}
    assert [answer.headers.get("Idempotent-Replay") for answer in done].count(None) == 1
    assert all(answer.json()["data"]["code"] == "in_progress" and answer.status_code == 409 for answer in others)


# --- the order of system calls ------------------------------------------------------------------------------------------

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>)?(.*)$")


def recorded(path):
    """(began, ended, call, arguments) of each system call; began and ended are places in the recording."""
    calls, open_calls = [], {}
    for place, line in enumerate(path.read_text(errors="replace").splitlines()):
        found = CALL.match(line)
        if not found:
            continue
        thread, name, rest = found.groups()
        if "resumed>" in line[:60]:
            began, arguments = open_calls.pop((thread, name), (place, ""))
            calls.append((began, place, name, arguments + rest))
        elif rest.endswith("<unfinished ...>"):
            open_calls[thread, name] = (place, rest)
        else:
            calls.append((place, place, name, rest))
    return sorted(calls)


def one(calls, names, *words, after=-1):
    """The first call of these names, with these words in its arguments, that began after a place."""
    for began, ended, name, arguments in calls:
        if began > after and name in names and all(word in arguments for word in words):
            return began, ended
    raise AssertionError(f"no {names} with {words} after {after}")


def test_the_response_follows_the_fsync_and_a_fold_is_synced_before_its_rename(tmp_path):
    if not shutil.which("strace"):
        not_here("there is no strace here; the loss of power in test_json_file.py shows the same")
    folder, record = tmp_path / "data", tmp_path / "calls"
    folder.mkdir()
    traced = "trace=write,fsync,fdatasync,sendto,sendmsg,writev,rename,renameat,renameat2,unlink,unlinkat"
    under = ("strace", "-f", "-y", "-s", "9999", "-o", str(record), "-e", traced)
    with Server(folder, under=under) as server, requests.Session() as session:
        made = server.call(session, "POST", "/api/tickets", TICKET | {"title": "The recorded ticket"})
        assert made.status_code == 201
        server.stop()
    calls = recorded(record)
    journal, temporary = f"<{folder}/foyer.json.journal>", f"<{folder}/foyer.json.tmp-"
    _, written = one(calls, {"write"}, journal, "The recorded ticket")
    _, synced = one(calls, {"fsync", "fdatasync"}, journal, "= 0", after=written)
    sent, _ = one(calls, {"sendto", "sendmsg", "write", "writev"}, "HTTP/1.1 201")
    assert written < synced < sent
    _, synced = one(calls, {"fsync"}, temporary, "= 0", after=sent)
    named, done = one(
        calls, {"rename", "renameat", "renameat2"}, "foyer.json.tmp-", f'{folder}/foyer.json"', after=synced
    )
    assert not [call for call in calls if synced < call[0] < named and call[2] == "write" and temporary in call[3]]
    _, kept = one(calls, {"fsync"}, f"<{folder}>", "= 0", after=done)
    one(calls, {"unlink", "unlinkat"}, "foyer.json.journal", after=kept)
    held = orjson.loads((folder / "foyer.json").read_bytes())["tables"]["tickets"]
    assert [ticket["title"] for ticket in held] == ["The recorded ticket"]


IMPATIENT = """
import sys
from database.json_store import engine as json_file
json_file.JsonFile.__init__.__kwdefaults__["lock_wait_seconds"] = 0.5
sys.argv = ["gunicorn", "app:app"]
from gunicorn.app.wsgiapp import run
run()
"""


def test_a_second_server_on_the_same_file_stops_with_a_sentence(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with Server(folder) as first, requests.Session() as session:
        second = Server(folder, command=(sys.executable, "-c", IMPATIENT))
        assert second.process.wait(60) != 0
        assert f"{folder}/foyer.json is in use by process " in second.log
        assert "waiting up to 0.5 s" in second.log
        assert "DATABASE_URL" in second.log
        assert "Traceback" not in second.log
        assert first.call(session, "POST", "/api/tickets", TICKET).status_code == 201
