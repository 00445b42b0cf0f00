"""One write under a clock that is a day ahead: rows stay in order, and expiry and due times use the real clock."""

from datetime import UTC, datetime, timedelta

import pytest

from auth import tokens
from core.timestamps import stamp
from database.tables import idempotency
from database.tables import jobs as jobs_table
from jobs import runner
from jobs.handlers import tidy
from notifier import MailFailed
from services import outbox
from services.accounts import lockout, sessions
from tests.support.caller import Caller
from tests.support.rows import everything

pytestmark = pytest.mark.every_engine

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
GOOD = "correct horse battery"
ACME = {"company": "Acme", "name": "Zoë", "email": "zoe@acme.example", "password": GOOD}


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.present = START

    def __call__(self):
        return self.present

    def forward(self, **time):
        self.present += timedelta(**time)


class Mailer:
    """Accepts mail, or refuses it while `away`."""

    mode = "memory"

    def __init__(self):
        self.sent = []
        self.away = False

    def send(self, notice):
        if self.away:
            raise MailFailed("the server is away", permanent=False)
        self.sent.append(notice)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def mailer():
    return Mailer()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


@pytest.fixture
def nobody(app):
    return Caller(app.test_client())


@pytest.fixture
def write_ahead(admin, clock):
    """Creates one ticket under a clock that is a day ahead, then puts the clock right."""

    def write():
        clock.present += DAY
        ticket = admin.ticket()
        clock.present -= DAY
        return ticket

    return write


def rows_of(runtime, table):
    return everything(runtime.storage)[table.name]


def bearing(caller, token):
    return Caller(caller.client, "", {"Authorization": f"Bearer {token}"})


def is_replay(answer):
    return answer.headers.get("Idempotent-Replay") == "true"


def test_rows_keep_the_order_of_writing_also_after_a_restart(open_app, clock):
    moments = []
    for ahead in (False, True, False, False):
        app = open_app(clock=clock)
        clock.present += DAY * ahead
        ticket = Caller(app.test_client(), "admin-key").ticket()
        clock.present -= DAY * ahead
        moments += [ticket["created_at"], ticket["updated_at"]]
        app.extensions["runtime"].stop()
    created = moments[::2]
    assert created == sorted(set(created))
    assert created[1] >= stamp(START + DAY)


def test_a_key_ends_by_the_real_clock(app, admin, clock, write_ahead):
    def make(hours):
        expires = stamp(clock.present + timedelta(hours=hours))
        body = {"name": f"for {hours}", "role": "agent", "expires_at": expires}
        return admin.data(admin.post("/api/keys", body), 201)["key"]

    before = make(2)
    write_ahead()
    after = make(3)
    statuses = []
    for _ in range(4):
        statuses.append([Caller(app.test_client(), key).get("/api/tickets").status_code for key in (before, after)])
        clock.forward(hours=1, seconds=1)
    assert statuses == [[200, 200], [200, 200], [401, 200], [401, 401]]


def test_the_last_use_of_a_key_is_by_the_real_clock(app, admin, clock, write_ahead):
    def last_used_at():
        return admin.data(admin.get("/api/keys"))[0]["last_used_at"]

    write_ahead()
    clock.forward(minutes=11)
    last_used_at()
    assert last_used_at() == stamp(clock.present)


def test_a_rotated_key_works_for_one_real_day(app, admin, clock, write_ahead):
    key = admin.data(admin.post("/api/keys", {"name": "app", "role": "agent"}), 201)
    write_ahead()
    admin.data(admin.post(f"/api/keys/{key['id']}/rotate"), 201)
    old_caller = Caller(app.test_client(), key["key"])
    clock.forward(hours=23)
    assert old_caller.get("/api/tickets").status_code == 200
    clock.forward(hours=1, seconds=1)
    assert old_caller.get("/api/tickets").status_code == 401


def test_access_and_refresh_tokens_end_by_the_real_clock(nobody, clock, write_ahead):
    before = nobody.data(nobody.post("/api/companies", ACME), 201)
    write_ahead()
    after = nobody.data(nobody.post("/api/auth/login", {"email": ACME["email"], "password": GOOD}))
    for answer in (before, after):
        assert bearing(nobody, answer["access_token"]).get("/api/me").status_code == 200
    clock.forward(seconds=tokens.ACCESS_SECONDS + 1)
    for answer in (before, after):
        assert bearing(nobody, answer["access_token"]).get("/api/me").status_code == 401
    clock.forward(seconds=sessions.LASTS_SECONDS)
    for answer in (before, after):
        body = {"refresh_token": answer["refresh_token"]}
        assert nobody.post("/api/auth/refresh", body).status_code == 401


def test_a_refresh_token_can_be_used_again_for_thirty_real_seconds(nobody, clock, write_ahead):
    first = nobody.data(nobody.post("/api/companies", ACME), 201)["refresh_token"]
    write_ahead()
    second = nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": first}))
    clock.forward(seconds=29)
    repeated = nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": first}))
    assert repeated["refresh_token"] == second["refresh_token"]
    clock.forward(seconds=2)
    assert nobody.post("/api/auth/refresh", {"refresh_token": first}).status_code == 401


def test_a_refresh_token_used_under_a_clock_ahead_is_not_valid_for_the_whole_day(nobody, clock):
    first = nobody.data(nobody.post("/api/companies", ACME), 201)["refresh_token"]
    clock.present += DAY
    nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": first}))
    clock.present -= DAY
    clock.forward(minutes=5)
    assert nobody.post("/api/auth/refresh", {"refresh_token": first}).status_code == 401


def wrong_tries(caller, count=lockout.MAX_ATTEMPTS):
    body = {"email": "mallory@example.com", "password": "not the one"}
    return [caller.post("/api/auth/login", body).status_code for _ in range(count)]


def test_a_lock_out_ends_by_the_real_clock(nobody, clock, write_ahead):
    write_ahead()
    wrong_tries(nobody)
    assert wrong_tries(nobody, 1) == [429]
    clock.forward(seconds=lockout.WINDOW_SECONDS + 1)
    assert wrong_tries(nobody, 1) == [401]


def test_a_write_under_a_clock_ahead_does_not_end_a_lock_out(nobody, clock, write_ahead):
    wrong_tries(nobody)
    write_ahead()
    assert wrong_tries(nobody, 1) == [429]


def test_a_lock_out_that_began_under_a_clock_ahead_does_not_last_the_whole_day(nobody, clock):
    clock.present += DAY
    wrong_tries(nobody)
    assert wrong_tries(nobody, 1) == [429]
    clock.present -= DAY
    assert wrong_tries(nobody, 1) == [401]


def test_a_stored_answer_is_kept_for_one_real_day(admin, runtime, clock, write_ahead):
    def create():
        return admin.post(
            "/api/tickets",
            {"title": "Help", "description": "d", "customer_email": "a@example.com"},
            headers={"Idempotency-Key": "once"},
        )

    assert create().status_code == 201
    write_ahead()
    tidy(runtime)
    clock.forward(hours=23, minutes=59)
    assert is_replay(create())
    clock.forward(minutes=2)
    assert not is_replay(create())


def test_stored_answers_and_done_jobs_are_purged_by_the_real_clock(admin, runtime, clock, write_ahead):
    write_ahead()
    body = {"title": "Help", "description": "d", "customer_email": "a@example.com"}
    admin.post("/api/tickets", body, headers={"Idempotency-Key": "once"})
    runtime.runner.check_heartbeats()
    runtime.runner.run_due()
    clock.forward(hours=23)
    tidy(runtime)
    assert len(rows_of(runtime, idempotency)) == 1
    clock.forward(hours=2)
    tidy(runtime)
    assert not rows_of(runtime, idempotency)
    assert rows_of(runtime, jobs_table)
    clock.forward(days=7)
    tidy(runtime)
    assert not rows_of(runtime, jobs_table)


def test_mail_is_tried_again_by_the_real_clock(admin, runtime, clock, mailer, write_ahead):
    mailer.away = True
    admin.ticket()
    runtime.runner.run_due()
    write_ahead()
    runtime.runner.run_due()
    mailer.away = False
    clock.forward(seconds=1)
    runtime.runner.run_due()
    assert not mailer.sent, "no pause is cut short"
    clock.forward(seconds=runner.DELAYS_SECONDS[1] * 1.2)
    runtime.runner.run_due()
    assert len(mailer.sent) >= 2


def test_mail_of_tickets_written_later_is_sent_at_once(admin, runtime, mailer, write_ahead):
    write_ahead()
    admin.ticket(customer_email="later@example.com")
    runtime.runner.run_due()
    assert "later@example.com" in [notice.to for notice in mailer.sent]


def test_mail_of_the_write_under_a_clock_ahead_does_not_wait_for_a_day(runtime, mailer, write_ahead):
    write_ahead()
    runtime.runner.check_heartbeats()
    runtime.runner.run_due()
    assert mailer.sent
    assert {job["state"] for job in rows_of(runtime, jobs_table)} == {"done"}


def test_no_job_has_a_delay_longer_than_the_maximum(runtime):
    with runtime.storage.unit_of_work(None, write=True) as uow, pytest.raises(ValueError, match="put off"):
        outbox.enqueue(uow, [outbox.Job("mail", "received", delay_seconds=outbox.LONGEST_WAIT_SECONDS + 1)])


def test_health_and_one_log_line_say_how_far_the_clock_differs(admin, clock, caplog, write_ahead):
    def note():
        return admin.data(admin.get("/api/health"))["storage"]["note"]

    assert "clock" not in note()
    clock.forward(seconds=-50)
    admin.ticket()
    assert "clock" not in note(), "less than a minute is no matter"
    write_ahead()
    for _ in range(3):
        admin.ticket()
    assert "1 day" in note()
    assert caplog.text.count("ahead of the clock") == 1
    clock.forward(days=1, minutes=1)
    admin.ticket()
    assert "clock" not in note()
    write_ahead()
    admin.ticket()
    assert caplog.text.count("ahead of the clock") == 2
