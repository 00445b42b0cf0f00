"""Polling for new and changed tickets: a poller that sends the newest time it saw as the next `after` misses none."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import add_key
from tests.fakes.three_stores import examples
from tests.support.caller import Caller

pytestmark = pytest.mark.every_engine

TIME = {"new": "created_at", "updated": "updated_at"}
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
COMPANIES = count()


class Poller:
    """A flow: it remembers the newest time it saw, and every row it was given."""

    def __init__(self, caller, trigger):
        self.caller, self.trigger, self.column = caller, trigger, TIME[trigger]
        self.mark = ""
        self.seen = []

    def poll(self, limit, tickets):
        """One poll; `tickets` is all there are. Tells how many rows came."""
        query = {"limit": limit, **({"after": self.mark} if self.mark else {})}
        answer = self.caller.get(f"/api/triggers/{self.trigger}-tickets", query_string=query)
        rows = self.caller.data(answer)
        later = sorted(ticket[self.column] for ticket in tickets if ticket[self.column] > self.mark)
        assert answer.json["total"] == len(later)
        assert [row[self.column] for row in rows] == sorted((row[self.column] for row in rows), reverse=True)
        if self.mark:
            last = later[: limit + 1][limit - 1 : limit] or later[-1:]
            assert sorted(row[self.column] for row in rows) == [moment for moment in later if [moment] <= last]
            self.seen += [(row["id"], row[self.column]) for row in rows]
        else:
            assert [row[self.column] for row in rows] == later[::-1][:limit]
        if rows:
            self.mark = rows[0][self.column]
        return len(rows)


def everything(caller):
    tickets = caller.data(caller.get("/api/tickets?limit=200"))
    assert len(tickets) < 200
    return tickets


CREATED = st.one_of(st.none(), st.integers(0, 25))  # milliseconds after the start, as an old system would say
STEPS = st.one_of(
    st.tuples(st.just("create"), st.integers(1, 4)),
    st.tuples(st.just("import"), st.lists(CREATED, min_size=1, max_size=7)),
    st.tuples(st.just("change"), st.integers(0, 50)),
    st.tuples(st.just("poll new"), st.integers(1, 5)),
    st.tuples(st.just("poll updated"), st.integers(1, 5)),
)


@pytest.fixture
def app(open_app):
    """A server whose clock stands still: each unit of work is a millisecond after the one before."""
    return open_app(clock=lambda: START, rate_limit="off")


class Flows:
    """A company, a flow on each trigger, and the rows each of them must be given."""

    def __init__(self, admin):
        self.admin = admin
        self.pollers = {trigger: Poller(admin, trigger) for trigger in TIME}
        self.expected = {trigger: set() for trigger in TIME}

    def take(self, step, value):
        before = {(ticket["id"], ticket["updated_at"]) for ticket in everything(self.admin)}
        if step.startswith("poll"):
            self.pollers[step.split()[1]].poll(value, everything(self.admin))
        elif step == "create":
            for _ in range(value):
                self.admin.ticket()
        elif step == "import":
            import_ticket(self.admin, value)
        elif before:
            ticket_id = sorted(before)[value % len(before)][0]
            self.admin.data(self.admin.put(f"/api/tickets/{ticket_id}", {"title": f"Changed {value} {len(before)}"}))
        self.expect(row for row in everything(self.admin) if (row["id"], row["updated_at"]) not in before)

    def expect(self, written):
        """A row that came in with an old created_at is new to no flow that has seen later ones."""
        for ticket in written:
            for trigger, poller in self.pollers.items():
                if poller.mark and ticket[poller.column] > poller.mark:
                    self.expected[trigger] |= {(ticket["id"], ticket[poller.column])}


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_a_poller_sees_every_new_and_changed_ticket(app, runtime, steps):
    admin = Caller(app.test_client(), add_key(runtime, "admin", company=f"c{next(COMPANIES)}"))
    flows = Flows(admin)
    for step, value in steps:
        flows.take(step, value)
    for trigger, poller in flows.pollers.items():
        while poller.poll(3, everything(admin)):
            pass
        current = {(ticket["id"], ticket[poller.column]) for ticket in everything(admin)}
        # Of a ticket that changed twice between two polls, the later state is enough.
        assert flows.expected[trigger] & current <= set(poller.seen)
        assert len(set(poller.seen)) == len(poller.seen)


def import_ticket(admin, created):
    present = START + timedelta(milliseconds=1)
    rows = []
    for number, milliseconds in enumerate(created):
        row = {"description": f"Row {number} of {milliseconds}", "user_id": 7, "external_id": f"x{next(COMPANIES)}"}
        if milliseconds is not None:
            row["created_at"] = (present + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
        rows.append(row)
    result = admin.data(admin.post("/api/import", rows))
    assert {error["field"] for error in result["errors"]} <= {"created_at"}  # later than the present


@pytest.mark.parametrize("trigger", TIME)
def test_more_than_200_rows_between_two_polls_come_in_several(admin, trigger):
    poller = Poller(admin, trigger)
    poller.mark = admin.ticket()[poller.column]
    rows = [{"description": f"Row {number}", "user_id": 7} for number in range(250)]
    assert admin.data(admin.post("/api/import", rows))["created"] == 250
    numbers = []
    while rows := admin.data(admin.get(f"/api/triggers/{trigger}-tickets?after={poller.mark}")):
        numbers = [row["number"] for row in rows] + numbers
        poller.mark = rows[0][poller.column]
    assert sorted(numbers) == list(range(2, 252))


def test_rows_with_the_same_time_are_returned_together(admin):
    before, moment = "2024-05-01T07:59:59Z", "2024-05-01T08:00:00Z"
    rows = [{"description": f"Row {n}", "user_id": 7, "created_at": moment} for n in range(250)]
    assert admin.data(admin.post("/api/import", rows))["created"] == 250
    later = {"description": "Later", "user_id": 7, "created_at": "2024-05-01T08:00:01Z"}
    assert admin.data(admin.post("/api/import", [later]))["created"] == 1
    answer = admin.get(f"/api/triggers/new-tickets?after={before}&limit=10")
    assert {row["created_at"] for row in admin.data(answer)} == {"2024-05-01T08:00:00.000Z"}
    assert (len(answer.json["data"]), answer.json["total"], answer.json["limit"]) == (250, 251, 10)


def test_an_imported_old_ticket_counts_as_changed_now(admin):
    mark = admin.ticket()["updated_at"]
    row = {
        "description": "Old",
        "user_id": 7,
        "created_at": "2020-01-01",
        "status": "closed",
        "closed_at": "2020-01-02",
    }
    assert admin.data(admin.post("/api/import", [row]))["created"] == 1
    assert admin.data(admin.get(f"/api/triggers/new-tickets?after={mark}")) == []
    (told,) = admin.data(admin.get(f"/api/triggers/updated-tickets?after={mark}"))
    assert (told["description"], told["closed_at"]) == ("Old", "2020-01-02T00:00:00.000Z")
