"""A reply never repeats a text of another customer."""

import pytest

from ai.llm import open_model
from ai.reply_checks import guards
from tests.fakes.fake_model import FakeModel

SECRET = "Our merger with Contoso will be announced on Friday before the market opens."
COMMON = "If you need any further information, please let us know. We look forward to hearing from you soon."


@pytest.fixture
def fake():
    with FakeModel() as server:
        yield server


@pytest.fixture
def app(open_app, fake):
    return open_app(model=open_model("sk-test", fake.url, "test-model", 5.0), threads=8)


@pytest.fixture
def answered(admin, run_jobs, fake):
    """Opens a ticket that the model answers with the text; gives the ticket and the reason why the reply was not used."""

    def answer(reply, **fields):
        while run_jobs():
            pass
        fake.reply = {"reply": reply}
        ticket = admin.ticket(**fields)
        while run_jobs():
            pass
        path = f"/api/tickets/{ticket['id']}"
        events = admin.data(admin.get(f"{path}/history"))
        return admin.data(admin.get(path)), [event["to"] for event in events if event["action"] == "ai_failed"]

    return answer


def other(admin, **fields):
    return admin.ticket(customer_email="bob@example.com", **fields)


def check_refused(ticket, reasons):
    assert ticket["ai_source"] == "canned"
    assert "Contoso" not in ticket["ai_response"]
    assert ["another customer" in reason for reason in reasons] == [True]


def test_a_reply_with_another_customers_description_is_not_sent(admin, answered):
    other(admin, description=f"Hello. {SECRET} Can you help?")
    check_refused(*answered(f"Hello Ada. {SECRET.upper()} So please wait."))


def test_a_reply_with_what_another_customer_replied_is_not_sent(admin, answered):
    path = f"/api/tickets/{other(admin)['id']}/replies"
    admin.data(admin.post(path, {"body": SECRET, "author_role": "customer"}), 201)
    check_refused(*answered(f"Hello Ada. {SECRET}"))


def test_texts_of_similar_tickets_of_any_age_are_compared(admin, answered, monkeypatch):
    monkeypatch.setattr("services.tickets.similar.MAX_COMPARED", 1)
    for number, category in enumerate(("sales", "billing") * 2):
        ticket = other(admin, title="Merger", description=f"{SECRET} Question {number}.")
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": "general"}))
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": category}))
    for _ in range(2):
        admin.ticket(title="Newest", description="Something else.")
    check_refused(*answered(SECRET, title="Merger", description="Question about the merger with Contoso."))


def test_what_the_customer_wrote_may_be_repeated(admin, answered):
    other(admin, description=SECRET)
    ticket, reasons = answered(f"You wrote: {SECRET}", description=SECRET)
    assert (ticket["ai_source"], reasons) == ("model", [])


def test_what_the_customer_wrote_in_another_ticket_may_be_repeated(admin, answered):
    admin.ticket(description=SECRET)
    ticket, reasons = answered(f"You wrote: {SECRET}")
    assert (ticket["ai_source"], reasons) == ("model", [])


def test_common_phrases_of_other_customers_may_be_repeated(admin, answered):
    other(admin, description=COMMON.replace(" us ", " me ").replace("We", "I"))
    ticket, reasons = answered(COMMON)
    assert (ticket["ai_source"], reasons) == ("model", [])


def test_texts_of_other_companies_are_not_compared(stranger, answered):
    other(stranger, description=SECRET)
    ticket, reasons = answered(SECRET)
    assert (ticket["ai_source"], reasons) == ("model", [])


@pytest.mark.parametrize(
    ("written", "reply", "repeats"),
    [
        ("one two three four five six seven eight", "One, two - three four\nfive six SEVEN eight!", True),
        ("one two three four five six seven nine", "one two three four five six seven eight", False),
        ("我们公司下个月要和另一家公司合并了请保密", "好的，我们公司下个月要和另一家公司合并了。", True),
        ("我们公司下个月要搬家", "我们公司下个月开门", False),
        ("", "one two three four five six seven eight", False),
    ],
)
def test_eight_words_in_a_row_are_a_repetition(written, reply, repeats):
    why = guards.objection(reply, seen="", secret="", others=["Something before.", written])
    assert ("another customer" in why) is repeats
