import inspect
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import notices
from notifier import NOTICES, MailFailed, Notice, SmtpMailer, well_formed
from tests.fakes.fake_smtp import FakeSmtp

ROOT = "<ticket.0192-abc@desk.example.com>"
ABOUT = {"job_id": "job-7", "domain": "desk.example.com", "support_email": "support@example.com", "from_name": "Föyer"}
PASSWORD = "sesame-öffne-dich"
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }} {% if x %} {0} %s %(name)s'


def ticket(**changes: Any) -> dict[str, Any]:
    return {
        "id": "0192-abc",
        "number": 12,
        "title": "Printer on fire",
        "description": "It burns, see http://evil.example/",
        "customer_email": "jane@example.com",
        "customer_name": "Jane",
        "category": "technical",
        "urgency": 4.5,
        "next_action": "Call the customer",
        "assigned_to": "agent@example.com",
        "ai_response": "Please unplug it.",
        "resolution": "We replaced the fuse.",
        "headline": "Overdue",
        "watcher": "boss@example.com",
        "quoted": "We replaced the fuse.",
        "reason": "eve@example.com is not the customer",
        "sentence": "The resolution of ticket #12 was due by 2026-03-02 08:00 UTC.",
    } | changes


def reply(role: str = "agent", **changes: Any) -> dict[str, Any]:
    words = {"author_role": role, "author_name": "Sam", "author_email": "sam@staff.example.com"}
    return words | {"body": "Is it still burning?", "internal": False} | changes


def compose(kind: str, row: dict[str, Any] | None = None, **changes: Any) -> Notice:
    notice = compose_or_none(kind, row, **changes)
    assert notice is not None
    return notice


def compose_or_none(kind: str, row: dict[str, Any] | None = None, **changes: Any) -> Notice | None:
    return NOTICES[kind](row or ticket(), **({"reply": reply()} | ABOUT | changes))


def parse(notice: Notice) -> EmailMessage:
    """The mail as a mail program parses its bytes."""
    raw = notice.as_email("support@example.com").as_bytes()
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


class ParsedPage(HTMLParser):
    """The tags and the visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def mailer(server: FakeSmtp, **changes: Any) -> SmtpMailer:
    settings = {"username": "", "password": "", "security": "none", "mail_from": "Föyer <support@example.com>"}
    return SmtpMailer(server.host, server.port, **(settings | changes))


def failure(sender: SmtpMailer, notice: Notice | None = None) -> MailFailed:
    with pytest.raises(MailFailed) as error_info:
        sender.send(notice or compose("assigned"))
    return error_info.value


# --- text and recipient of each notice


def test_each_kind_of_notice_has_one_function() -> None:
    kinds = {"ticket_received", "ai_answer", "assigned", "public_reply", "resolved", "urgent_alert", "handoff_alert"}
    kinds |= {"sla_alert", "sla_reminder", "watched", "mail_alert"}
    assert set(NOTICES) == kinds
    assert all(NOTICES[kind] is getattr(notices, kind) and inspect.getdoc(NOTICES[kind]) for kind in kinds)
    assert all(compose(kind).kind == kind for kind in kinds)


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_names_the_ticket_and_belongs_to_its_thread(kind: str) -> None:
    notice = compose(kind)
    message = parse(notice)
    assert notice.number == 12
    assert message["Subject"].startswith("[#12] ")
    assert "#12" in part(message, "plain")
    assert "#12" in part(message, "html")
    assert message["Message-ID"] == "<job-7@desk.example.com>"
    assert message["In-Reply-To"] == message["References"] == ROOT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["From"] == "Föyer <support@example.com>"
    assert message.get_content_type() == "multipart/alternative"
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None


def test_a_second_attempt_carries_the_same_message_id() -> None:
    assert compose("resolved").message_id == compose("resolved").message_id
    assert compose("resolved").message_id != compose("resolved", job_id="job-8").message_id


def test_long_ids_are_not_folded() -> None:
    domain = "support.subsidiary.department." * 4 + "example.com"
    raw = compose("resolved", job_id="j" * 36, domain=domain).as_email("a@example.com").as_bytes()
    for header in (f"References: <ticket.0192-abc@{domain}>", f"Message-ID: <{'j' * 36}@{domain}>"):
        assert header.encode() in raw.split(b"\r\n")


def test_the_receipt_holds_no_text_of_the_sender() -> None:
    text = str(
        compose("ticket_received", ticket(title="Buy at http://evil.example/", customer_name="Click me")).as_email(
            "a@b.test"
        )
    )
    assert "evil" not in text
    assert "Click" not in text
    assert "jane@example.com" in text


def test_the_ai_answer_says_that_it_is_automatic_and_how_to_reach_a_person() -> None:
    notice = compose("ai_answer")
    assert notice.to == "jane@example.com"
    assert "Please unplug it." in notice.text
    assert "written automatically" in notice.text
    assert "support@example.com: a person" in notice.text


@pytest.mark.parametrize("answer", ["", None, "  \n "])
def test_without_an_ai_answer_no_mail_is_sent(answer: str | None) -> None:
    assert compose_or_none("ai_answer", ticket(ai_response=answer)) is None


def test_the_assignee_gets_number_and_link_and_no_customer_text() -> None:
    notice = compose("assigned", public_url="https://desk.example.com/")
    assert notice.to == "agent@example.com"
    assert "https://desk.example.com/#tickets/0192-abc" in notice.text
    assert 'href="https://desk.example.com/#tickets/0192-abc"' in notice.html
    for secret in ("Printer", "burns", "jane", "Jane"):
        assert secret not in notice.subject + notice.text + notice.html


def test_without_a_public_address_there_is_no_link() -> None:
    notice = compose("assigned")
    assert "http" not in notice.text
    assert "href" not in notice.html


def test_an_agents_reply_goes_to_the_customer_without_the_agents_address() -> None:
    notice = compose("public_reply")
    assert (notice.to, notice.subject) == ("jane@example.com", "[#12] Printer on fire")
    assert "Sam has answered" in notice.text
    assert "Is it still burning?" in notice.text
    assert "staff.example.com" not in notice.text + notice.html


def test_a_notice_of_a_customers_reply_holds_none_of_its_text() -> None:
    notice = compose("public_reply", reply=reply("customer", body="My PIN is 1234"))
    assert notice.to == "agent@example.com"
    assert "1234" not in notice.subject + notice.text + notice.html


def test_a_customers_reply_goes_to_support_in_full_when_the_assignee_has_no_address() -> None:
    notice = compose("public_reply", ticket(assigned_to="Sam"), reply=reply("customer", body="Still burning"))
    assert notice.to == "support@example.com"
    assert "Still burning" in notice.text
    assert compose_or_none("public_reply", ticket(assigned_to=""), reply=reply("customer"), support_email="") is None


@pytest.mark.parametrize(
    "words", [None, reply(internal=True), reply("customer", internal=True), reply("ai"), reply("system")]
)
def test_internal_notes_and_automatic_entries_are_never_mailed(words: dict[str, Any] | None) -> None:
    assert compose_or_none("public_reply", reply=words) is None


def test_the_resolution_goes_to_the_customer() -> None:
    notice = compose("resolved")
    assert (notice.to, notice.subject) == ("jane@example.com", "[#12] Resolved: Printer on fire")
    assert "We replaced the fuse." in notice.text


def test_the_alert_tells_support_what_to_do_next() -> None:
    notice = compose("urgent_alert")
    assert notice.to == "support@example.com"
    assert "Title: Printer on fire\nCategory: technical\nUrgency: 4.5\nNext action: Call the customer" in notice.text


@pytest.mark.parametrize(
    ("kind", "row", "changes"),
    [
        ("ticket_received", {"customer_email": ""}, {}),
        ("ai_answer", {"customer_email": "jane"}, {}),
        ("public_reply", {"customer_email": None}, {}),
        ("assigned", {"assigned_to": "Sam"}, {}),
        ("assigned", {"assigned_to": ""}, {}),
        ("urgent_alert", {}, {"support_email": ""}),
    ],
)
def test_without_a_usable_address_there_is_no_notice(kind: str, row: dict[str, Any], changes: dict[str, Any]) -> None:
    assert compose_or_none(kind, ticket(**row), **changes) is None


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError):
        compose("assigned", suport_email="x@example.com")


@pytest.mark.parametrize(
    ("kind", "row", "changes"),
    [
        ("resolved", {"customer_email": "jane@example.com, eve@example.com"}, {}),
        ("ticket_received", {"customer_email": "jürgen@example.com"}, {}),
        ("urgent_alert", {}, {"support_email": "support@"}),
    ],
)
def test_an_address_that_cannot_be_mailed_is_a_permanent_failure(
    kind: str, row: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(MailFailed, match="cannot take mail") as error_info:
        compose(kind, ticket(**row), **changes)
    assert error_info.value.permanent


# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com",
        "a.b+c@sub.example.co.uk",
        "o'neil@example.com",
        "a@desk.test",
        "a@bücher.example.com",
        "a@localhost",
        "a..b@example.com",
    ],
)
def test_an_ordinary_address_is_well_formed(address: str) -> None:
    assert well_formed(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "jane", "jane@", "@example.com", "a@[127.0.0.1]", "a b@example.com", "jürgen@example.com"),
        *(
            "Jane <a@example.com>",
            "a@example.com,b@example.com",
            '"a b"@example.com',
            "a@example..com",
        ),
        *("a@example.com\r\nBcc: b@example.com", "a\nb@example.com", "a@example.com\x00"),
        *("=?utf-8?q?=0D=0ABcc?=@example.com", "a" * 250 + "@example.com", "a\ud800@example.com"),
    ],
)
def test_anything_but_one_plain_address_is_refused(address: str) -> None:
    assert not well_formed(address)


def test_an_international_domain_is_mailed_in_its_ascii_form() -> None:
    assert compose("resolved", ticket(customer_email="a@bücher.example.com")).to == "a@xn--bcher-kva.example.com"


# --- hostile texts

HOSTILE_LINES = [
    "a\r\nBcc: eve@example.com",
    "a\nBcc: eve@example.com\n\nbody",
    "a\rBcc: eve@example.com",
    "a\x0bBcc: eve@example.com\x0c\x1c\x1d\x1e\x85\u2028\u2029Bcc: eve@example.com",
    "=?utf-8?q?a=0D=0ABcc:_eve@example.com?=",
    "=\u202e?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=",
    "ü" * 100 + "\r\nBcc: eve@example.com",
    "nul\x00and \ud800 surrogate",
]


@pytest.mark.parametrize("text", HOSTILE_LINES)
@pytest.mark.parametrize("kind", NOTICES)
def test_no_field_can_add_a_header(kind: str, text: str) -> None:
    row = ticket(title=text, customer_name=text, category=text, next_action=text, ai_response=text, resolution=text)
    ordinary = parse(compose(kind))
    hostile = parse(compose(kind, row, reply=reply(author_name=text, body=text), from_name=text, reply_to=text))
    (sender,) = hostile["From"].addresses
    assert sender.addr_spec == "support@example.com"
    assert hostile.keys() == ordinary.keys()
    assert len(hostile["Subject"].splitlines()) == 1
    assert len(list(hostile.iter_parts())) == 2


@given(text=st.text(max_size=120))
@settings(max_examples=100, deadline=None, database=None)
def test_any_name_gives_one_sender_at_the_operators_address(text: str) -> None:
    notice = compose("resolved", from_name=text, reply_to="a@bücher.example")
    message = parse(notice)
    (sender,) = message["From"].addresses
    assert sender.display_name.replace(" ", "") == notice.from_name.replace(" ", "")
    assert sender.addr_spec == "support@example.com"
    assert message["Reply-To"] == "a@xn--bcher-kva.example"
    assert message.keys() == [
        *parse(compose("resolved")).keys()[:2],
        "Reply-To",
        *parse(compose("resolved")).keys()[2:],
    ]


@given(text=st.text(max_size=200))
@settings(max_examples=100, deadline=None, database=None)
def test_any_title_gives_one_subject_line_that_can_be_parsed(text: str) -> None:
    notice = compose("resolved", ticket(title=text, resolution=text))
    message = parse(notice)
    assert message.keys() == parse(compose("resolved")).keys()
    # Python's own folding may lose a space between two encoded words.
    assert "".join(message["Subject"].split()) == "".join(notice.subject.split())
    assert part(message, "plain") == notice.text
    assert notice.as_email("a@example.com").as_bytes().isascii()


@pytest.mark.parametrize("kind", ["ai_answer", "public_reply", "resolved", "urgent_alert"])
def test_markup_and_template_signs_are_shown_as_text(kind: str) -> None:
    row = ticket(title=EVIL, category=EVIL, next_action=EVIL, ai_response=EVIL, resolution=EVIL)
    message = parse(compose(kind, row, reply=reply(author_name=EVIL, body=EVIL), public_url='https://x.test/"><b>'))
    page = ParsedPage(part(message, "html"))
    assert set(page.tags) <= {"meta", "body", "div", "br", "a"}
    assert EVIL in page.text
    assert EVIL in part(message, "plain")


def test_line_breaks_are_kept_in_both_parts() -> None:
    notice = compose("resolved", ticket(resolution="one\r\ntwo\rthree\n\nfour"))
    assert "one\ntwo\nthree\n\nfour" in notice.text
    assert "one<br>\ntwo<br>\nthree<br>\n<br>\nfour" in notice.html


def test_the_repr_of_a_notice_holds_no_address_and_no_text() -> None:
    assert "jane" not in repr(compose("resolved"))
    assert "fuse" not in repr(compose("resolved"))
