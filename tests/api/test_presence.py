"""Who is at a ticket: for thirty seconds, in every process, and without a word in the journal."""

import pytest

from ai.llm import open_model
from database.tables import presence
from services.tickets.presence import Presence, purge
from tests.conftest import FILES
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller
from tests.support.chat import ADA
from tests.support.clock import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def be(caller, ticket, state="viewing", **body):
    return caller.data(caller.put(f"/api/tickets/{ticket['id']}/presence", {"state": state, **body}))


def names(caller, ticket):
    rows = caller.data(caller.get(f"/api/tickets/{ticket['id']}/presence"))
    return [(row["name"], row["state"]) for row in rows]


@pytest.mark.every_engine
def test_who_says_so_is_at_the_ticket_for_thirty_seconds(admin, agent, clock):
    ticket, other = admin.ticket(), admin.ticket()
    assert be(agent, ticket) == [{"name": "agent key", "state": "viewing", "since": "2026-03-01T08:00:00.000Z"}]
    clock.forward(seconds=20)
    assert [row["since"] for row in be(agent, ticket)] == ["2026-03-01T08:00:00.000Z"]
    be(admin, ticket, user="Eva", state="Replying")
    assert names(admin, ticket) == [("agent key", "viewing"), ("Eva", "replying")]
    assert names(admin, other) == []
    clock.forward(seconds=10)
    assert be(agent, ticket, "replying")[-1]["since"] == "2026-03-01T08:00:30.000Z"
    clock.forward(seconds=25)
    assert names(admin, ticket) == [("agent key", "replying")]
    clock.forward(seconds=5)
    assert names(admin, ticket) == []
    assert be(agent, ticket)[0]["since"] == "2026-03-01T08:01:00.000Z", "they have come back"


@pytest.mark.every_engine
def test_many_agents_of_one_app_are_told_apart_and_companies_see_their_own(admin, other_admin):
    ticket = admin.ticket()
    for name in ("Bob", "Eva", "Bob"):
        be(admin, ticket, user=name)
    assert names(admin, ticket) == [("Bob", "viewing"), ("Eva", "viewing")]
    path = f"/api/tickets/{ticket['id']}/presence"
    assert other_admin.get(path).status_code == other_admin.put(path, {"state": "viewing"}).status_code == 404


def test_a_user_is_there_by_name(app, admin):
    ticket = admin.ticket()
    user = {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": "a few good words"}
    admin.data(admin.post("/api/users", user), 201)
    signed = admin.data(Caller(app.test_client()).post("/api/auth/login", user | {"name": None, "role": None}))
    bob = Caller(app.test_client(), headers={"Authorization": f"Bearer {signed['access_token']}"})
    assert [row["name"] for row in be(bob, ticket)] == ["Bob"]


@pytest.mark.every_engine
def test_a_clock_that_jumps_leaves_nobody_there_for_good(admin, clock):
    ticket = admin.ticket()
    clock.forward(days=2)
    be(admin, ticket)
    clock.forward(days=-2)
    assert names(admin, ticket) == []


@pytest.mark.parametrize("engine", FILES)
def test_presence_writes_nothing_where_one_process_serves(admin, tmp_path, runtime):
    ticket = admin.ticket()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".journal", ".json")}
    for number in range(50):
        be(admin, ticket, user=f"Agent {number}")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".journal", ".json")}
    assert after == before
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.find(uow.query(presence)) == []


@pytest.mark.parametrize("engine", ["postgresql"])
def test_two_instances_show_the_same_and_old_rows_go(open_app, clock):
    apps = [open_app(clock=clock) for _ in range(2)]
    one, two = (Caller(app.test_client(), "admin-key") for app in apps)
    ticket = one.ticket()
    be(one, ticket, user="Bob")
    be(two, ticket, user="Eva")
    clock.forward(seconds=5)
    be(two, ticket, "replying", user="Bob")
    gone = one.ticket()
    be(two, gone, user="Zoe")
    one.data(one.delete(f"/api/tickets/{gone['id']}"))
    for app in apps:
        runtime = app.extensions["runtime"]
        runtime.presence.flush(runtime.storage)
    assert names(one, ticket) == names(two, ticket) == [("Eva", "viewing"), ("Bob", "replying")]
    clock.forward(minutes=5)
    with apps[0].extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        assert purge(uow) == 2


def test_the_ai_is_there_while_it_writes(open_app, clock):
    with FakeModel() as fake:
        app = open_app(model=open_model("sk-test", fake.url, "test-model", 2.0), clock=clock)
        admin = Caller(app.test_client(), "admin-key")
        ticket = admin.ticket()
        assert names(admin, ticket) == [("AI", "replying")]
        app.extensions["runtime"].runner.run_due()
        assert names(admin, ticket) == []


def test_the_ai_is_at_a_chat_until_it_has_answered(admin, runtime, monkeypatch):
    chat = admin.data(admin.post("/api/chat", {"message": "Which colour does the moon have?", **ADA}))
    ticket = {"id": chat["ticket_id"]}
    assert names(admin, ticket) == []
    admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Hello?", "author_role": "customer"}),
        201,
    )
    assert names(admin, ticket) == [("AI", "replying")]


@pytest.mark.parametrize("state", ["", None, "typing", 1, ["viewing"]])
def test_an_unknown_state_is_refused(admin, state):
    answer = admin.put(f"/api/tickets/{admin.ticket()['id']}/presence", {"state": state})
    assert answer.status_code == 400
    assert answer.json["data"]["errors"][0]["field"] == "state"


def test_so_many_are_at_a_ticket_at_most(admin, runtime):
    ticket = admin.ticket()
    for number in range(120):
        be(admin, ticket, user=f"Agent {number}")
    present = names(admin, ticket)
    assert len(present) == 100
    assert ("Agent 119", "viewing") in present


def test_memory_holds_no_ticket_that_everybody_left(admin, runtime, clock, monkeypatch):
    monkeypatch.setattr("services.tickets.presence.MOST_IN_MEMORY", 3)
    runtime.presence = Presence()
    for _ in range(4):
        be(admin, admin.ticket())
        clock.forward(minutes=1)
    assert len(runtime.presence._rows) == 1
