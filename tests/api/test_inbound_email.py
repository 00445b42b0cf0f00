"""Mail over HTTP: who may post it, in which forms, which company gets it, and what becomes of it."""

import base64
from typing import Any

import orjson
import pytest

from tests.support.mail import SECRET, as_mailgun, as_postmark, as_sendgrid, mail, posted

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def app(open_app: Any) -> Any:
    """A server that takes mail."""
    return open_app(inbound_secret=SECRET)


def test_a_mail_becomes_a_ticket_of_its_sender(app, admin, run_jobs):
    posted(app, mail("Ada <ada@example.com>", "Invoice 7 is wrong", "I was charged twice.\n-- \nAda\n+44 123"))
    run_jobs()
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert (ticket["title"], ticket["description"]) == ("Invoice 7 is wrong", "I was charged twice.")
    assert (ticket["customer_email"], ticket["customer_name"], ticket["source"]) == ("ada@example.com", "Ada", "email")
    assert ticket["status"] == "ai_responded"


def test_the_original_is_kept_to_the_byte_and_only_staff_get_it(app, admin, agent, customer, stranger, run_jobs):
    raw = mail("ada@example.com", "Hello", "Text\n-- \nsignature").as_bytes()
    mail_id = posted(app, raw)["id"]
    run_jobs()
    (row,) = admin.data(admin.get("/api/inbound/mails"))
    assert (row["id"], row["state"], row["sender"]) == (mail_id, "ticket", "ada@example.com")
    path = f"/api/inbound/mails/{mail_id}/original"
    response = agent.client.get(path, headers={"X-API-Key": agent.key})
    assert response.get_data() == raw
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Type"].startswith("message/rfc822")
    assert customer.get(path).status_code == 403
    assert stranger.get(path).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"X-Inbound-Secret": "wrong"}, {"Authorization": "Basic dXNlcjp3cm9uZw=="}])
def test_without_the_secret_no_mail_is_taken(app, headers):
    response = app.test_client().post("/api/inbound/email", data=b"From: a@b.example\n\nx", headers=headers)
    assert response.status_code == 401
    assert "INBOUND_SECRET in the header X-Inbound-Secret" in response.json["message"]


def test_a_server_without_a_secret_takes_no_mail(open_app):
    response = (
        open_app()
        .test_client()
        .post("/api/inbound/email", data=b"From: a@b.example\n\nx", headers={"X-Inbound-Secret": ""})
    )
    assert response.status_code == 401


def test_many_wrong_secrets_are_locked_out_and_the_right_one_is_still_taken(app):
    client, statuses = app.test_client(), []
    for _ in range(31):
        statuses.append(client.post("/api/inbound/email", data=b"x", headers={"X-Inbound-Secret": "guess"}).status_code)
    assert statuses[-1] == 429
    posted(app, mail("ada@example.com", "Hello", "Text"))


def test_the_secret_may_be_the_password_of_basic_authentication(app, admin, run_jobs):
    basic = base64.b64encode(f"anybody:{SECRET}".encode()).decode()
    raw = mail("ada@example.com", "Hello", "Text").as_bytes()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "message/rfc822"}
    assert app.test_client().post("/api/inbound/email", data=raw, headers=headers).status_code == 200


FORMS = {
    "SendGrid, raw": lambda message: as_sendgrid(message, raw=True),
    "SendGrid, taken apart": lambda message: as_sendgrid(message, raw=False),
    "Mailgun, raw": lambda message: as_mailgun(message, raw=True),
    "Mailgun, taken apart": lambda message: as_mailgun(message, raw=False),
    "Postmark": as_postmark,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_services_that_receive_mail(app, admin, run_jobs, form):
    message = mail("Ada <ada@example.com>", "Größe fehlt", "Die Größe ✓ fehlt.", to="support@desk.example")
    message.add_attachment(b"%PDF \x00\xff\r\n--x", maintype="application", subtype="pdf", filename="größe.pdf")
    posted(app, **FORMS[form](message))
    run_jobs()
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert (ticket["title"], ticket["customer_email"]) == ("Größe fehlt", "ada@example.com")
    assert ticket["description"].startswith("Die Größe ✓ fehlt.")
    (file,) = admin.data(admin.get(f"/api/tickets/{ticket['id']}/attachments"))
    assert (file["name"], file["size"], file["author_role"]) == ("größe.pdf", 12, "customer")


def test_a_file_that_is_not_accepted_is_named_and_stays_in_the_original(app, admin, run_jobs):
    message = mail("ada@example.com", "A program", "See it.")
    message.add_attachment(b"MZ program", maintype="application", subtype="octet-stream", filename="invoice.exe")
    posted(app, message)
    run_jobs()
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert ticket["description"] == "See it.\n\n[Not attached, see the original mail: invoice.exe]"
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}/attachments")) == []


def test_a_recipient_decides_the_company_and_every_other_mail_is_the_operators(app, admin, other_admin, run_jobs):
    assert other_admin.put("/api/settings", {"inbound_addresses": ["help@acme.example"]}).status_code == 403
    admin.data(admin.call("PATCH", "/api/companies", {"company": "other", "inbound_allowed": True}))
    other_admin.data(other_admin.put("/api/settings", {"inbound_addresses": ["Help@Acme.Example"]}))
    posted(app, mail("ada@example.com", "For Acme", "Text", to="Help <HELP+x@acme.example>, boss@else.example"))
    posted(app, mail("ada@example.com", "For nobody", "Text", to="unknown@else.example"))
    run_jobs()
    assert [row["title"] for row in other_admin.data(other_admin.get("/api/tickets"))] == ["For Acme"]
    assert [row["title"] for row in admin.data(admin.get("/api/tickets"))] == ["For nobody"]


def test_the_envelope_counts_more_than_the_headers(app, admin, other_admin, run_jobs):
    admin.data(admin.call("PATCH", "/api/companies", {"company": "other", "inbound_allowed": True}))
    other_admin.data(other_admin.put("/api/settings", {"inbound_addresses": ["help@acme.example"]}))
    admin.data(admin.put("/api/settings", {"inbound_addresses": ["support@desk.example"]}))
    message = mail("ada@example.com", "Bcc", "Text", to="help@acme.example")
    posted(app, **as_sendgrid(message, raw=True, to="support@desk.example"))
    run_jobs()
    assert [row["title"] for row in admin.data(admin.get("/api/tickets"))] == ["Bcc"]
    assert other_admin.data(other_admin.get("/api/tickets")) == []


def test_an_address_belongs_to_the_first_company_that_names_it(app, admin, other_admin):
    admin.data(admin.put("/api/settings", {"inbound_addresses": ["support@desk.example"]}))
    admin.data(admin.call("PATCH", "/api/companies", {"company": "other", "inbound_allowed": True}))
    response = other_admin.put("/api/settings", {"inbound_addresses": ["Support@Desk.example"]})
    assert (response.status_code, response.json["data"]["code"]) == (409, "inbound_address_taken")
    admin.data(admin.put("/api/settings", {"clear": ["inbound_addresses"]}))
    other_admin.data(other_admin.put("/api/settings", {"inbound_addresses": ["support@desk.example"]}))


def test_a_body_of_another_kind_or_none_is_refused(app):
    client, headers = app.test_client(), {"X-Inbound-Secret": SECRET}
    assert client.post("/api/inbound/email", data=b"", headers=headers).status_code == 400
    sent = client.post("/api/inbound/email", data=b"<x/>", headers=headers, content_type="application/xml")
    assert sent.status_code == 415
    large = client.post(
        "/api/inbound/email", data=b"x" * (25 * 1024 * 1024 + 1), headers=headers, content_type="message/rfc822"
    )
    assert large.status_code == 413


def test_a_mail_of_25_mib_is_taken_whole(app, admin, run_jobs):
    raw = mail("ada@example.com", "Large", "Text").as_bytes()
    message = raw + b"\r\n" + b"x" * (25 * 1024 * 1024 - len(raw) - 2)
    mail_id = posted(app, message)["id"]
    run_jobs()
    path = f"/api/inbound/mails/{mail_id}/original"
    assert admin.client.get(path, headers={"X-API-Key": admin.key}).get_data() == message
    assert len(admin.data(admin.get("/api/tickets"))) == 1


def test_json_that_is_no_mail_is_kept_and_shown_as_unreadable(app, admin, run_jobs):
    posted(app, data=orjson.dumps([1, 2]), content_type="application/json")
    run_jobs()
    (row,) = admin.data(admin.get("/api/inbound/mails"))
    assert row["state"] == "ticket"
    assert row["note"] == "not read whole: the mail is broken"


def test_two_broken_mails_are_two_tickets_even_if_nothing_of_them_can_be_read(app, admin, run_jobs):
    for body in (b'{"From": "ada@example.com", "TextBody": "One', b'{"From": "bob@example.com", "TextBody": "Two'):
        posted(app, body, content_type="application/json")
    run_jobs()
    assert [row["state"] for row in admin.data(admin.get("/api/inbound/mails"))] == ["ticket", "ticket"]


def test_health_says_how_mail_comes_in(app, admin, open_app):
    assert admin.data(admin.get("/api/health"))["inbound"] == {"mode": "http", "note": ""}
