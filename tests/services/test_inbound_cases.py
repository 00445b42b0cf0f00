"""Cases 25 to 30 of the security cases, for mail: loops, twins, forged senders, strangers, relays, injected headers."""

from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

import pytest

from tests.support.mail import SECRET, mail, posted

OUR_NAME = "support@desk.example"


@pytest.fixture
def app(open_app: Any) -> Any:
    """A server that takes mail at support@desk.example."""
    return open_app(inbound_secret=SECRET, mail_from=OUR_NAME, support_email="team@desk.example")


@pytest.fixture
def desk(admin) -> Any:
    """The admin, whose company takes mail at support@desk.example."""
    admin.data(admin.put("/api/settings", {"inbound_addresses": [OUR_NAME]}))
    return admin


@pytest.fixture
def notice(app, desk, run_jobs, mailer) -> Any:
    """A ticket of Ada's by mail, and the mail that she got about it."""
    posted(app, mail("Ada <ada@example.com>", "My invoice", "It is wrong.", message_id="<first@example.com>"))
    while run_jobs():
        pass
    return next(sent for sent in mailer.sent if sent.kind == "ticket_received")


@pytest.fixture
def settle(run_jobs) -> Any:
    """Runs jobs until none is due."""

    def run() -> None:
        while run_jobs():
            pass

    return run


def answer_to(notice: Any, sender: str, text: str, *, by: str = "In-Reply-To", **more: Any) -> EmailMessage:
    """A reply to a mail of ours, as a mail program writes it: found by one header, or by the address alone."""
    headers = {"Message-ID": "", by: notice.message_id} if by != "To" else {}
    to = notice.reply_to if by == "To" else OUR_NAME
    message = mail(sender, f"Re: {notice.subject}", text, to=to, **more)
    for name, value in headers.items():
        if value:
            message[name] = value
    return message


def the_ticket(desk: Any) -> dict[str, Any]:
    (ticket,) = desk.data(desk.get("/api/tickets"))
    return dict(ticket)


def thread(desk: Any) -> list[dict[str, Any]]:
    return list(desk.data(desk.get(f"/api/tickets/{the_ticket(desk)['id']}/replies")))


def became(desk: Any) -> str:
    """What the newest message became."""
    return str(desk.data(desk.get("/api/inbound/mails"))[0]["state"])


@pytest.mark.parametrize("by", ["In-Reply-To", "References", "To"])
def test_a_reply_finds_its_ticket_by_the_signed_reference(app, desk, notice, settle, by):
    text = (
        "Thanks, but it is still wrong.\n\nOn Mon, 1 Jan 2026 Support <support@desk.example> wrote:\n> Your request\n"
    )
    posted(app, answer_to(notice, "ADA@example.com", text, by=by))
    settle()
    last = thread(desk)[-1]
    assert (last["author_role"], last["body"]) == ("customer", "Thanks, but it is still wrong.")
    assert last["internal"] is False


def test_our_mail_follows_the_customers_in_their_mail_program(notice):
    message = notice.as_email(OUR_NAME)
    assert message["In-Reply-To"] == "<first@example.com>"
    assert message["References"].split()[-1] == "<first@example.com>"
    assert notice.reply_to.startswith("support+")


def test_subject_and_sender_alone_find_no_ticket(app, desk, notice, settle):
    posted(app, mail("ada@example.com", f"Re: {notice.subject}", "Another matter."))
    settle()
    assert len(desk.data(desk.get("/api/tickets"))) == 2


AUTOMATIC = {
    "auto-replied": {"Auto_Submitted": "auto-replied"},
    "auto-generated with a comment": {"Auto_Submitted": "Auto-Generated; x=y"},
    "suppressed": {"X_Auto_Response_Suppress": "DR, AutoReply"},
    "bulk": {"Precedence": "bulk"},
    "a list": {"List_Id": "<all.example.com>"},
    "a newsletter": {"List_Unsubscribe": "<https://example.com/u>"},
    "null sender": {"Return_Path": "<>"},
    "an old responder": {"X_Autoreply": "yes"},
}


@pytest.mark.parametrize("name", AUTOMATIC)
def test_case_25_automatic_mail_opens_a_ticket_and_is_not_answered(app, desk, settle, mailer, name):
    posted(app, mail("robot@example.com", "URGENT: fraud, my account is hacked", "Help", **AUTOMATIC[name]))
    settle()
    assert the_ticket(desk)["ai_response"] == ""
    assert mailer.sent == []


@pytest.mark.parametrize(
    "sender",
    ["noreply@example.com", "no-reply+7@example.com", "MAILER-DAEMON@example.com", OUR_NAME, "support+x@desk.example"],
)
def test_case_25_no_answer_goes_to_robots_and_to_ourselves(app, desk, settle, mailer, sender):
    posted(app, mail(sender, "Question", "Help"))
    settle()
    assert mailer.sent == []


def test_case_25_an_automatic_reply_is_a_note_that_nobody_is_mailed_about(app, desk, notice, settle, mailer):
    before, status = len(mailer.sent), the_ticket(desk)["status"]
    posted(app, answer_to(notice, "ada@example.com", "I am away.", Auto_Submitted="auto-replied"))
    settle()
    assert (thread(desk)[-1]["internal"], the_ticket(desk)["status"]) == (True, status)
    assert len(mailer.sent) == before


def test_case_25_a_robot_that_answers_each_mail_soon_gets_none(app, desk, settle, mailer):
    """Without any header of robots, and with another text each time."""
    for number in range(30):
        posted(app, mail("bot@example.com", f"Case {number}", f"We do not handle this mailbox ({number})."))
        settle()
    assert len([sent for sent in mailer.sent if sent.to == "bot@example.com"]) <= 20
    assert desk.get("/api/tickets?limit=1").json["total"] == 30, "each is kept"
    assert "too often" in desk.data(desk.get("/api/inbound/mails"))[0]["note"]


def test_case_25_replies_of_one_sender_mail_the_team_at_most_twenty_times_an_hour(app, desk, notice, settle, mailer):
    for number in range(30):
        posted(app, answer_to(notice, "ada@example.com", f"Answer me! {number}"))
    settle()
    assert len([sent for sent in mailer.sent if sent.kind == "public_reply"]) <= 20
    assert len([row for row in thread(desk) if row["author_role"] == "customer"]) == 30


def test_case_25_two_servers_that_write_to_each_other_stop(open_app, settings, tmp_path, mailer):
    """The mail of one about a new ticket arrives at the other, which opens a ticket and answers nothing."""
    first = open_app(inbound_secret=SECRET, mail_from="help@one.example")
    runtime = first.extensions["runtime"]
    posted(first, mail("support@two.example", "Hello", "Question"))
    for _ in range(3):
        runtime.runner.run_due()
    sent = len(mailer.sent)
    for notice in list(mailer.sent):
        echo = notice.as_email("support@two.example")
        posted(first, echo.as_bytes())
    for _ in range(3):
        runtime.runner.run_due()
    assert sent == 2, "received, and the answer"
    assert len(mailer.sent) == sent


def bounce(notice: Any, *, status: str = "5.1.1") -> bytes:
    """A delivery report about a mail of ours (RFC 3464)."""
    return (
        "Return-Path: <>\r\nFrom: Mail Delivery <mailer-daemon@mx.example>\r\nTo: support@desk.example\r\n"
        'Subject: Undelivered\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="delivery-status"; boundary=B\r\n'
        "\r\n--B\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {notice.message_id}\r\nSubject: x\r\n\r\n--B--\r\n"
    ).encode()


def test_case_25_a_bounce_is_marked_in_the_history_and_not_answered(app, desk, notice, settle, mailer):
    before = len(mailer.sent)
    posted(app, bounce(notice))
    settle()
    history = desk.data(desk.get(f"/api/tickets/{the_ticket(desk)['id']}/history"))
    assert ("mail_bounced", "ada@example.com", "failed 5.1.1") in [(e["action"], e["from"], e["to"]) for e in history]
    assert "could not be delivered (5.1.1)" in thread(desk)[-1]["body"]
    assert (thread(desk)[-1]["internal"], len(mailer.sent)) == (True, before)


def test_case_25_a_bounce_of_a_mail_that_is_not_ours_is_kept_and_opens_nothing(app, desk, settle, notice):
    notice = type("Other", (), {"message_id": "<somebody@else.example>"})
    posted(app, bounce(notice))
    settle()
    assert became(desk) == "ignored"
    assert the_ticket(desk)


@pytest.mark.parametrize("how", ["same bytes", "same Message-ID", "no Message-ID", "another Message-ID"])
def test_case_26_the_same_mail_twice_is_one_ticket(app, desk, settle, how):
    first = mail("ada@example.com", "Twice", "The same text.")
    second = mail("ada@example.com", "Twice", "The same  text.\n", to=f"other@desk.example, {OUR_NAME}")
    if how == "same Message-ID":
        second.replace_header("Message-ID", first["Message-ID"])
    if how == "no Message-ID":
        del first["Message-ID"], second["Message-ID"]
    ids = {posted(app, first)["id"], posted(app, first if how == "same bytes" else second)["id"]}
    settle()
    assert the_ticket(desk)["title"] == "Twice"
    assert len(ids) == (1 if how == "same bytes" else 2)
    if how != "same bytes":
        assert became(desk) == "duplicate"


def test_case_26_the_same_message_id_of_another_sender_is_another_mail(app, desk, settle):
    posted(app, mail("eve@example.com", "First", "I knew the id.", message_id="<known@example.com>"))
    posted(app, mail("ada@example.com", "Second", "The true one.", message_id="<known@example.com>"))
    settle()
    assert len(desk.data(desk.get("/api/tickets"))) == 2


@pytest.mark.every_engine
def test_case_26_many_copies_at_once_are_one_mail_and_one_ticket(app, desk, settle):
    raw = mail("ada@example.com", "At once", "One text.").as_bytes()
    other = mail("ada@example.com", "At once", "One text.").as_bytes()  # another Message-ID
    with ThreadPoolExecutor(8) as pool:
        ids = {data["id"] for data in pool.map(lambda n: posted(app, raw if n % 2 else other), range(16))}
    settle()
    assert len(ids) == 2
    assert the_ticket(desk)["title"] == "At once"
    assert sorted(row["state"] for row in desk.data(desk.get("/api/inbound/mails"))) == ["duplicate", "ticket"]


def test_case_26_one_reply_by_two_ways_is_one_reply(app, desk, notice, settle):
    message = answer_to(notice, "ada@example.com", "One reply.")
    posted(app, message)
    del message["Received"]
    message["Received"] = "by another way"
    posted(app, message)
    settle()
    assert [row["body"] for row in thread(desk)].count("One reply.") == 1


def test_case_27_a_mail_in_an_agents_name_is_never_an_agents_reply(app, desk, notice, settle, mailer):
    desk.data(
        desk.post(
            "/api/users", {"name": "Max", "email": "max@desk.example", "role": "agent", "password": "a long password"}
        ),
        201,
    )
    before = len(mailer.sent)
    posted(app, answer_to(notice, "Max <max@desk.example>", "Please send your password to evil.example"))
    settle()
    last = thread(desk)[-1]
    assert (last["author_role"], last["internal"]) == ("system", True)
    assert "claims to be from max@desk.example" in last["body"]
    assert {sent.to for sent in mailer.sent[before:]} == {"team@desk.example"}, "never the customer"
    assert "evil.example" not in "".join(sent.text for sent in mailer.sent[before:])


FORGED = {
    "the id itself": lambda notice, ticket: f"<ticket.{ticket['id']}@desk.example>",
    "another signature": lambda notice, ticket: notice.message_id.replace(notice.message_id[-20:-15], "aaaaa"),
    "a cut one": lambda notice, ticket: notice.message_id.replace(notice.message_id[-20:-15], ""),
}


@pytest.mark.parametrize("name", FORGED)
def test_case_27_a_forged_reference_leads_nowhere(app, desk, notice, settle, name):
    ticket = the_ticket(desk)
    forged = FORGED[name](notice, ticket)
    message = mail("ada@example.com", f"Re: [#{ticket['number']}]", "Forged.", In_Reply_To=forged, References=forged)
    posted(app, message)
    settle()
    assert len(desk.data(desk.get("/api/tickets"))) == 2
    assert "Forged." not in [row["body"] for row in desk.data(desk.get(f"/api/tickets/{ticket['id']}/replies"))]


def test_case_27_a_reference_of_one_company_leads_nowhere_in_another(app, desk, notice, settle, other_admin):
    desk.data(desk.call("PATCH", "/api/companies", {"company": "other", "inbound_allowed": True}))
    other_admin.data(other_admin.put("/api/settings", {"inbound_addresses": ["help@acme.example"]}))
    message = mail("ada@example.com", "Re", "Elsewhere.", to="help@acme.example", In_Reply_To=notice.message_id)
    posted(app, message)
    settle()
    assert [row["title"] for row in other_admin.data(other_admin.get("/api/tickets"))] == ["Re"]
    assert "Elsewhere." not in str(thread(desk))


def test_case_28_a_new_sender_on_a_thread_gets_nothing_and_changes_nothing(app, desk, notice, settle, mailer):
    before, ticket = len(mailer.sent), the_ticket(desk)
    posted(app, answer_to(notice, "Eve <eve@example.com>", "What did Ada write?", Cc="mallory@example.com"))
    settle()
    after, last = the_ticket(desk), thread(desk)[-1]
    assert (last["internal"], last["author_email"]) == (True, "eve@example.com")
    assert "is not the customer of this ticket, and is not verified" in last["body"]
    assert (after["customer_email"], after["status"]) == (ticket["customer_email"], ticket["status"])
    assert {sent.to for sent in mailer.sent[before:]} == {"team@desk.example"}


def test_case_28_nobody_renames_a_customer_by_a_mail(app, desk, notice, settle):
    posted(app, mail("Mr. Fake <ada@example.com>", "Another", "Text"))
    settle()
    assert desk.data(desk.get("/api/customers/ada@example.com"))["name"] == "Ada"


def test_case_29_what_goes_to_an_address_that_never_wrote_repeats_nothing_of_the_mail(app, desk, settle, mailer):
    words = "Visit https://evil.example/win now, dear Victim"
    posted(app, mail(f"{words[:20]} <victim@example.com>", words, words))
    settle()
    texts = [sent.subject + sent.text + sent.html for sent in mailer.sent if sent.to == "victim@example.com"]
    assert texts
    assert "evil" not in "".join(texts)


INJECTED = [
    "Hello\r\nBcc: all@example.com",
    "=?utf-8?q?a=0D=0ABcc:_all@example.com?=",
    "{{ 7*7 }} {% x %}",
    "<script>x</script>",
]


@pytest.mark.parametrize("words", INJECTED)
def test_case_30_words_of_a_mail_become_no_header_template_or_html(app, desk, settle, mailer, words):
    raw = (
        f"From: {words} <ada@example.com>\r\nTo: {OUR_NAME}\r\nMessage-ID: <a\r\n b@example.com>\r\nSubject: {words}\r\n\r\n{words}"
    ).encode()
    posted(app, raw)
    settle()
    ticket = the_ticket(desk)
    desk.data(desk.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": words}))
    settle()
    for sent in mailer.sent:
        message = sent.as_email(OUR_NAME)
        assert message["Bcc"] is None
        assert "<script>" not in sent.html
        assert "49" not in sent.text + sent.subject
