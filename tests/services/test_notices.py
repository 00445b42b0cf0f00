"""Notices that a company words itself, what nobody can take out of them, unsubscribing, and the digest."""

import re
from datetime import UTC, datetime

import pytest

from channels.notice_words import KINDS, SIGN_IN_KINDS, STAFF_KINDS
from core.models import Actor
from database.tables import companies, jobs, notice_texts
from jobs.notices import send_digests
from notifier import SmtpMailer
from storage import open_storage
from tests.fakes.fake_smtp import FakeSmtp
from tests.support.accounts import GOOD, bearing
from tests.support.caller import Caller
from tests.support.clock import Clock

PATH = "/api/settings/notices"
URL = "https://desk.example.com"


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock, public_url=URL, support_email="team@example.com")


def put(admin, kind, **words):
    return admin.data(admin.put(PATH, {"kind": kind, **words}))


def mailed(mailer, run_jobs, kind):
    run_jobs()
    found = [notice for notice in mailer.sent if notice.kind == kind]
    mailer.sent.clear()
    return found


def person(admin, name, **fields):
    """A new user and a caller signed in as them."""
    address = f"{name}@desk.example.com"
    values = {"name": name, "email": address, "role": "agent", "password": GOOD, **fields}
    user = admin.data(admin.post("/api/users", values), 201)
    signed = Caller(admin.client).post("/api/auth/login", {"email": address, "password": GOOD}).json["data"]
    return user, bearing(Caller(admin.client), signed["access_token"])


def test_each_kind_is_listed_with_its_words_and_variables(admin, agent, customer):
    rows = admin.data(admin.get(PATH))
    assert [row["kind"] for row in rows] == list(KINDS)
    assert all(row["texts"] == [] and row["default_text"] and row["variables"] and row["always"] for row in rows)
    assert agent.get(PATH).status_code == 200
    assert agent.put(PATH, {"kind": "resolved"}).status_code == 403
    assert customer.get(PATH).status_code == 403


def test_own_words_are_mailed_until_they_are_emptied(admin, mailer, run_jobs):
    kind = put(admin, "ticket_received", subject="Hello from {{company_name}}", text="We call it {{ ticket_number }}.")
    assert kind["texts"] == [
        {"language": "", "subject": "Hello from {{company_name}}", "text": "We call it {{ ticket_number }}."}
    ]
    ticket = admin.ticket()
    (notice,) = mailed(mailer, run_jobs, "ticket_received")
    assert notice.subject == f"[#{ticket['number']}] Hello from default"
    assert notice.text.startswith(f"We call it {ticket['number']}.\n")
    assert put(admin, "ticket_received", subject="", text=None)["texts"] == []
    admin.ticket()
    (notice,) = mailed(mailer, run_jobs, "ticket_received")
    assert "We have received your request" in notice.subject


def test_the_first_mail_names_the_support_address_in_a_whole_sentence(admin):
    admin.data(admin.put("/api/settings", {"support_email": "team@example.com"}))
    mail = admin.data(admin.post("/api/settings/notices/preview", {"kind": "ticket_received"}))
    assert "please name it when you ask again, or write to team@example.com." in mail["text"]


def test_the_language_of_the_ticket_chooses_the_text(admin, mailer, run_jobs):
    put(admin, "ticket_received", text="We have it.")
    put(admin, "ticket_received", language="de", text="Wir haben Ihre Anfrage.")
    for description, expected in (
        ("Ich kann die Rechnung nicht öffnen, bitte helfen Sie mir.", "Wir haben Ihre Anfrage."),
        ("Je ne peux pas ouvrir la facture, que dois-je faire ?", "We have it."),
        ("Мне нужна помощь с оплатой счета за этот месяц", "We have it."),
    ):
        admin.ticket(title="1042", description=description)
        (notice,) = mailed(mailer, run_jobs, "ticket_received")
        assert notice.text.startswith(expected)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"kind": "ticket_received", "text": "Hello {{customer_name}}"}, "text", "ticket_number, company_name"),
        ({"kind": "resolved", "subject": "{{ password }}"}, "subject", "customer_name"),
        ({"kind": "resolved", "text": "{{#if x}}"}, "text", "customer_name"),
        ({"kind": "assigned", "text": "x {{ticket_title}}"}, "text", "ticket_number"),
        ({"kind": "assigned", "language": "de", "text": "x"}, "language", "one text"),
        ({"kind": "nonsense", "text": "x"}, "kind", "ticket_received"),
        ({"kind": "resolved", "language": "xx", "text": "x"}, "language", "de"),
        ({"kind": "resolved", "subject": "x" * 201}, "subject", "200"),
        ({"kind": "resolved", "text": "x" * 4001}, "text", "4000"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_is_accepted(admin, body, field, words):
    for method, path in ((admin.put, PATH), (admin.post, f"{PATH}/preview")):
        answer = method(path, body)
        assert answer.status_code == 400
        (error,) = answer.json["data"]["errors"]
        assert error["field"] == field
        assert words in error["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_notice_must_hold_stays_whatever_a_company_writes(admin, kind):
    words = {"kind": kind, "subject": "x", "text": "y"}
    bare, standard = (admin.data(admin.post(f"{PATH}/preview", body)) for body in (words, {"kind": kind}))
    assert bare["text"].startswith("y\n")
    kept = bare["text"] + bare["subject"]
    assert kind in SIGN_IN_KINDS or "#1042" in kept
    for paragraph in standard["text"].split("\n\n")[1:]:
        assert paragraph.strip() in bare["text"]
    if kind == "ai_answer":
        assert "written automatically" in bare["text"]
        assert "a person will read it" in bare["text"]


def test_the_link_to_rate_stays_in_a_worded_resolution(admin, mailer, run_jobs):
    put(admin, "resolved", subject="Done", text="Bye, {{customer_name}}.")
    ticket = admin.ticket(customer_name="Ada")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "It works."}))
    (notice,) = mailed(mailer, run_jobs, "resolved")
    assert notice.text.startswith("Bye, Ada.")
    assert re.search(rf"{URL}/rate#\S+", notice.text)
    assert "It works." in notice.text


EVIL = "{{company_name}} {{ 7*7 }}\r\nBcc: eve@example.com <script>alert(1)</script> {% x %}"


def test_case_30_customers_texts_in_own_words_are_neither_headers_nor_templates_nor_html(admin, mailer, run_jobs):
    put(
        admin,
        "resolved",
        subject="{{customer_name}}: {{ticket_title}}",
        text="<b>{{ticket_title}}</b> {{customer_name}}",
    )
    ticket = admin.ticket(title=EVIL.replace("\r\n", " "), customer_name="{{ticket_title}} <i>")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": EVIL}))
    (notice,) = mailed(mailer, run_jobs, "resolved")
    message = notice.as_email("desk@example.com")
    assert message["Bcc"] is None
    assert "{{ticket_title}} <i>: {{company_name}} {{ 7*7 }} Bcc:" in notice.subject
    assert "<script>" in notice.text
    assert "<script>" not in notice.html
    assert "<b>" not in notice.html
    assert "&lt;b&gt;" in notice.html


@pytest.mark.parametrize(
    "subject", ["a\r\nBcc: eve@example.com", "a\nb", "=?utf-8?q?=0D=0ABcc:_eve@example.com?=", "a\x85b"]
)
def test_case_30_a_worded_subject_is_one_line(admin, mailer, run_jobs, subject):
    if admin.put(PATH, {"kind": "ticket_received", "subject": subject}).status_code == 400:
        return
    admin.ticket()
    (notice,) = mailed(mailer, run_jobs, "ticket_received")
    message = notice.as_email("desk@example.com")
    assert message["Bcc"] is None
    assert len(message["Subject"].splitlines()) == 1


def test_words_without_a_word_left_give_way_to_the_default(admin, mailer, run_jobs):
    put(admin, "resolved", subject="{{customer_name}}", text="{{customer_name}}")
    ticket = admin.ticket()
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    (notice,) = mailed(mailer, run_jobs, "resolved")
    assert "Resolved: " in notice.subject
    assert "has been resolved" in notice.text


def test_a_company_that_is_not_confirmed_mails_none_of_its_words(admin, runtime, mailer, run_jobs):
    put(admin, "assigned", text="Click here: https://evil.example")
    person(admin, "bob", role="admin")
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update(companies, "default", {"confirmed_at": None})
    admin.ticket(assigned_to="bob@desk.example.com")
    for notice in mailed(mailer, run_jobs, "assigned"):
        assert "evil" not in notice.text


def test_a_preview_shows_a_ticket_and_sends_and_saves_nothing(admin, stranger, mailer, run_jobs):
    ticket = admin.ticket(title="Printer on fire", customer_name="Ada")
    run_jobs()
    mailer.sent.clear()
    body = {
        "kind": "resolved",
        "subject": "{{ticket_title}}",
        "text": "Dear {{customer_name}}",
        "ticket_id": ticket["id"],
    }
    shown = admin.data(admin.post(f"{PATH}/preview", body))
    assert shown["subject"] == f"[#{ticket['number']}] Printer on fire"
    assert shown["text"].startswith("Dear Ada\n")
    run_jobs()
    assert mailer.sent == []
    assert all(row["texts"] == [] for row in admin.data(admin.get(PATH)))
    assert stranger.post(f"{PATH}/preview", body).status_code == 404


def test_texts_belong_to_their_company_and_outlive_a_restart(admin, other_admin, runtime):
    put(admin, "resolved", language="fr", text="Bonjour {{customer_name}}")
    assert all(row["texts"] == [] for row in other_admin.data(other_admin.get(PATH)))
    runtime.stop()
    store = open_storage("json:", runtime.settings.data_dir)
    with store.unit_of_work(None) as uow:
        (row,) = uow.find(uow.query(notice_texts))
    store.close()
    assert (row["kind"], row["language"], row["text"]) == ("resolved", "fr", "Bonjour {{customer_name}}")


def test_a_person_ends_kinds_and_takes_them_back(admin, mailer, run_jobs, agent):
    _, bob = person(admin, "bob")
    assert bob.data(bob.get("/api/me"))["notices_off"] == []
    bob.data(bob.call("PATCH", "/api/me", {"notices_off": ["sla_reminder", "assigned", "assigned"]}))
    assert bob.data(bob.get("/api/me"))["notices_off"] == ["assigned", "sla_reminder"]
    admin.ticket(assigned_to="bob@desk.example.com")
    assert mailed(mailer, run_jobs, "assigned") == []
    bob.data(bob.call("PATCH", "/api/me", {"notices_off": []}))
    admin.ticket(assigned_to="bob@desk.example.com")
    assert len(mailed(mailer, run_jobs, "assigned")) == 1
    assert bob.call("PATCH", "/api/me", {"notices_off": ["ticket_received"]}).status_code == 400
    assert bob.call("PATCH", "/api/me", {}).status_code == 400
    assert agent.call("PATCH", "/api/me", {"notices_off": ["assigned"]}).status_code == 403


def test_one_click_on_the_link_of_a_mail_ends_that_kind_for_that_person(admin, mailer, run_jobs, clock):
    _, bob = person(admin, "bob")
    admin.ticket(assigned_to="bob@desk.example.com")
    (notice,) = mailed(mailer, run_jobs, "assigned")
    message = notice.as_email("desk@example.com")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe: {message['List-Unsubscribe']}\r\n".encode() in message.as_bytes()
    path = message["List-Unsubscribe"].removeprefix(f"<{URL}").removesuffix(">")
    assert admin.client.get(path).status_code == 405  # a scanner that follows links ends nothing
    assert bob.data(bob.get("/api/me"))["notices_off"] == []
    for _ in range(2):
        answer = admin.client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.json["data"]) == (200, {"unsubscribed": True, "kind": "assigned"})
    assert bob.data(bob.get("/api/me"))["notices_off"] == ["assigned"]
    assert admin.client.post(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    clock.forward(days=366)
    assert admin.client.post(path).status_code == 404


def test_customers_mail_has_no_link_to_end_it(admin, mailer, run_jobs):
    person(admin, "ada", role="customer")
    admin.ticket(customer_email="ada@desk.example.com")
    (notice,) = mailed(mailer, run_jobs, "ticket_received")
    assert notice.as_email("desk@example.com")["List-Unsubscribe"] is None


def test_an_alert_leaves_out_only_who_ended_it(admin, mailer, run_jobs):
    _, bob = person(admin, "bob")
    bob.data(bob.call("PATCH", "/api/me", {"notices_off": ["urgent_alert"]}))
    admin.data(admin.put("/api/settings", {"support_email": "bob@desk.example.com, team@example.com"}))
    admin.ticket(priority="urgent")
    (notice,) = mailed(mailer, run_jobs, "urgent_alert")
    assert notice.to == "team@example.com"


@pytest.mark.every_engine
def test_the_digest_lists_what_is_urgent_and_unassigned_once_in_an_interval(admin, runtime, mailer, run_jobs, clock):
    (bob, _), (_, caller) = person(admin, "bob"), person(admin, "eve")
    caller.data(caller.call("PATCH", "/api/me", {"notices_off": ["urgent_digest"]}))
    urgent = admin.ticket(title="Card 4111 1111 1111 1111 was stolen", priority="urgent")
    admin.ticket(title="Taken", priority="urgent", assigned_to=bob["email"])
    admin.ticket(title="Calm", priority="low")
    send_digests(runtime.storage)
    assert mailed(mailer, run_jobs, "urgent_digest") == []  # off until somebody wants it
    admin.data(admin.put("/api/settings", {"urgent_digest_minutes": 60}))
    for _ in range(2):
        send_digests(runtime.storage)
    (notice,) = mailed(mailer, run_jobs, "urgent_digest")
    assert notice.to == bob["email"]
    assert notice.subject == "Urgent tickets that nobody has: 1"
    assert f"#{urgent['number']} Card" in notice.text
    assert f"{URL}/#tickets/{urgent['id']}" in notice.text
    assert "4111 1111" not in notice.text
    assert "Taken" not in notice.text
    assert notice.unsubscribe_url.startswith(f"{URL}/api/notices/unsubscribe/")
    clock.forward(minutes=59)
    send_digests(runtime.storage)
    assert mailed(mailer, run_jobs, "urgent_digest") == []
    clock.forward(minutes=1)
    send_digests(runtime.storage)
    assert len(mailed(mailer, run_jobs, "urgent_digest")) == 1
    admin.data(admin.post(f"/api/tickets/{urgent['id']}/assign", {"agent_email": bob["email"]}))
    clock.forward(hours=2)
    send_digests(runtime.storage)
    assert mailed(mailer, run_jobs, "urgent_digest") == []


def test_a_digest_whose_tickets_were_taken_meanwhile_is_not_sent(admin, runtime, mailer, run_jobs):
    person(admin, "bob")
    admin.data(admin.put("/api/settings", {"urgent_digest_minutes": 60}))
    ticket = admin.ticket(priority="urgent")
    send_digests(runtime.storage)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "bob@desk.example.com"}))
    assert mailed(mailer, run_jobs, "urgent_digest") == []


def test_without_people_the_digest_goes_to_the_support_address(admin, runtime, mailer, run_jobs):
    admin.data(admin.put("/api/settings", {"urgent_digest_minutes": 60}))
    admin.ticket(priority="urgent")
    send_digests(runtime.storage)
    (notice,) = mailed(mailer, run_jobs, "urgent_digest")
    assert notice.to == "team@example.com"


def test_a_clock_that_is_set_back_sends_no_digest_too_many_and_stops_none(admin, runtime, mailer, run_jobs, clock):
    admin.data(admin.put("/api/settings", {"urgent_digest_minutes": 60}))
    admin.ticket(priority="urgent")
    send_digests(runtime.storage)
    assert len(mailed(mailer, run_jobs, "urgent_digest")) == 1
    clock.forward(days=-3)
    for _ in range(2):
        send_digests(runtime.storage)
    assert mailed(mailer, run_jobs, "urgent_digest") == []
    clock.forward(minutes=61)
    send_digests(runtime.storage)
    assert len(mailed(mailer, run_jobs, "urgent_digest")) == 1


def test_every_kind_to_staff_can_be_ended_and_no_other():
    assert set(STAFF_KINDS).isdisjoint({"ticket_received", "ai_answer", "public_reply", "resolved"})


def test_a_worded_notice_reaches_a_mail_server(open_app, clock):
    with FakeSmtp() as smtp:
        mailer = SmtpMailer(
            smtp.host, smtp.port, username="", password="", security="none", mail_from="desk@example.com"
        )
        app = open_app(clock=clock, mailer=mailer, public_url=URL)
        admin = Caller(app.test_client(), "admin-key")
        person(admin, "bob")
        put(admin, "assigned", subject="Für dich: {{ticket_number}}", text="Bitte schau nach №{{ticket_number}} 🙂")
        ticket = admin.ticket(assigned_to="bob@desk.example.com")
        app.extensions["runtime"].runner.run_due()
        message = next(one for one in smtp.messages if one.rcpt == ["bob@desk.example.com"])
        assert message["Subject"] == f"[#{ticket['number']}] Für dich: {ticket['number']}"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_digest_job_holds_no_words_of_customers(admin, runtime):
    person(admin, "bob")
    admin.data(admin.put("/api/settings", {"urgent_digest_minutes": 60}))
    admin.ticket(title="Secret matter", priority="urgent")
    send_digests(runtime.storage)
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        (job,) = uow.find(uow.query(jobs).where(jobs.c.kind == "urgent_digest"))
    assert "Secret" not in str(job["payload"])
