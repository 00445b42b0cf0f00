"""Silent conversations: a warning, then the end; and a person's reply is mailed when the customer is away."""

import pytest

from jobs.handlers import close_silent_chats
from tests.support.clock import Clock

ADA = {"customer_email": "ada@example.com"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


@pytest.fixture
def sweep(runtime):
    return lambda: close_silent_chats(runtime)


def say(caller, message="Hello", **fields):
    return caller.data(caller.post("/api/chat", {"message": message, **ADA, **fields}))


def state(admin, conversation):
    seen = admin.data(admin.get(f"/api/chat/{conversation}"))
    return seen["status"], [message["role"] for message in seen["messages"]], seen["ended_by"]


@pytest.mark.every_engine
def test_after_the_silence_there_is_a_warning_and_then_the_end(admin, clock, sweep, mailer, run_jobs):
    conversation = say(admin)["conversation_id"]
    clock.forward(minutes=24, seconds=59)
    sweep()
    assert state(admin, conversation) == ("ai_responded", ["customer", "ai"], "")
    clock.forward(seconds=1)
    sweep()
    sweep()
    assert state(admin, conversation) == ("ai_responded", ["customer", "ai", "system"], "")
    clock.forward(minutes=4, seconds=59)
    sweep()
    assert state(admin, conversation)[0] == "ai_responded"
    clock.forward(seconds=1)
    sweep()
    assert state(admin, conversation) == ("closed", ["customer", "ai", "system", "system"], "silence")
    run_jobs()
    assert mailer.sent == []
    again = say(admin, conversation_id=conversation)
    assert (again["conversation_id"], again["status"]) == (conversation, "ai_responded")


def test_a_message_after_the_warning_keeps_the_conversation_open(admin, clock, sweep):
    conversation = say(admin)["conversation_id"]
    clock.forward(minutes=26)
    sweep()
    say(admin)
    clock.forward(minutes=24)
    sweep()
    assert state(admin, conversation)[:2] == ("ai_responded", ["customer", "ai", "system", "customer", "ai"])


def test_a_clock_that_jumps_ahead_skips_no_warning(admin, clock, sweep):
    conversation = say(admin)["conversation_id"]
    clock.forward(days=30)
    sweep()
    assert state(admin, conversation) == ("ai_responded", ["customer", "ai", "system"], "")
    clock.forward(minutes=5)
    sweep()
    assert state(admin, conversation)[0] == "closed"


def test_a_clock_that_is_set_back_restarts_the_wait(admin, clock, sweep):
    conversation = say(admin)["conversation_id"]
    clock.forward(days=-2)
    sweep()
    clock.forward(minutes=25)
    sweep()
    assert state(admin, conversation)[1] == ["customer", "ai", "system"]


@pytest.mark.parametrize("message", ["I want to speak to a person", "There was fraud on my account"])
def test_a_conversation_that_waits_for_a_person_never_ends_by_silence(admin, clock, sweep, message):
    conversation = say(admin, message)["conversation_id"]
    clock.forward(days=3)
    sweep()
    assert state(admin, conversation)[0] == "handoff"


@pytest.mark.parametrize(("minutes", "warned_after", "ends_after"), [(0, None, None), (4, 2, 4), (60, 55, 60)])
def test_the_setting_says_how_long_silence_may_last(admin, clock, sweep, minutes, warned_after, ends_after):
    admin.data(admin.put("/api/settings", {"chat_idle_minutes": minutes}))
    conversation = say(admin)["conversation_id"]
    changes = {}
    for minute in range(1, 70):
        clock.forward(minutes=1)
        sweep()
        status, roles, _ = state(admin, conversation)
        if "system" in roles:
            changes.setdefault("warned", minute)
        if status == "closed":
            changes.setdefault("ended", minute)
    assert (changes.get("warned"), changes.get("ended")) == (warned_after, ends_after)


@pytest.mark.parametrize(("polls_at", "mails"), [((), 1), ((60,), 0)])
def test_a_persons_reply_is_mailed_when_the_customer_does_not_ask_for_two_minutes(
    runtime, admin, customer, clock, mailer, run_jobs, polls_at, mails
):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    clock.forward(minutes=1)
    admin.data(admin.post(f"/api/tickets/{conversation}/replies", {"body": "Hello, I am Bob."}), 201)
    for seconds in polls_at:
        clock.forward(seconds=seconds)
        customer.data(customer.get(f"/api/chat/{conversation}/messages"))
        runtime.chat_presence.flush(runtime.storage)
    clock.forward(seconds=121)
    run_jobs()
    assert len([notice for notice in mailer.sent if "I am Bob" in notice.text]) == mails


def test_a_reply_to_a_customer_who_left_is_mailed_at_once(admin, customer, clock, mailer, run_jobs):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    clock.forward(minutes=3)
    admin.data(admin.post(f"/api/tickets/{conversation}/replies", {"body": "Hello, I am Bob."}), 201)
    run_jobs()
    assert [notice.to for notice in mailer.sent] == ["ada@example.com"]


def test_a_sweep_that_runs_twice_does_each_step_once(admin, clock, sweep):
    conversation = say(admin)["conversation_id"]
    for minutes in (25, 5):
        clock.forward(minutes=minutes)
        for _ in range(2):
            sweep()
    assert state(admin, conversation)[1].count("system") == 2
