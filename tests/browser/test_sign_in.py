"""Signing in on every page: second factor, codes and links that are mailed, registering."""

import re
from collections.abc import Iterator

import pyotp
import pytest
import requests
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.fakes.fake_smtp import FakeSmtp
from tests.fakes.running_server import KEY, running_server
from tools.screenshots.desk import PASSWORD, Desk

PUBLIC_URL = "https://desk.example.com"  # which the links name; the server itself has a free port
LINK = re.compile(re.escape(PUBLIC_URL) + r"/\S+#\S+")


def test_a_second_factor_is_asked_for_after_the_password(open_tab, company):
    person = company.person("agent")
    own = Desk(company.url, token=company.log_in(person)["access_token"])
    secret = own.call("POST", "/api/auth/totp", {})["secret"]
    code = pyotp.TOTP(secret).now()
    recovery = own.call("POST", "/api/auth/totp/confirm", {"code": code})["recovery_codes"][0]

    tab = open_tab(desk=company)
    page = tab.open(f"/desk?company={company.company}")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    with tab.expecting(401):
        page.keyboard.press("Enter")
        page.get_by_label("Code of your authenticator app").fill("000000")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
    tab.shot("sign-in-second-factor")
    page.get_by_label("Code of your authenticator app").fill(recovery)
    page.keyboard.press("Enter")
    page.locator(".who", has_text=person.name).wait_for()
    assert page.get_by_label("Password").count() == 0


def test_who_came_by_a_key_that_ends_goes_on_with_another_and_reads_plain_words(open_tab, company):
    first, second = (company.call("POST", "/api/keys", {"name": name, "role": "admin"}) for name in ("old", "new"))
    tab = open_tab(desk=company)
    page = tab.open(f"/admin/keys#key={first['key']}")
    page.get_by_role("heading", name="API keys").wait_for()
    company.call("DELETE", f"/api/keys/{first['id']}")
    with tab.expecting(401):
        page.reload()
        page.get_by_label("E-mail").fill("nobody@company.example")
        page.get_by_label("Password").fill("a wrong password")
        page.keyboard.press("Enter")
        page.get_by_text("E-mail or password is wrong.", exact=True).wait_for()
        page.get_by_role("button", name="Use a key").click()
        page.get_by_label("Key", exact=True).fill("fk_of_nobody")
        page.keyboard.press("Enter")
        page.get_by_text("This key is not valid.", exact=True).wait_for()
    page.get_by_label("Key", exact=True).fill(second["key"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="API keys").wait_for()


@pytest.fixture
def mailing(tmp_path) -> Iterator[tuple[Desk, FakeSmtp]]:
    """A server that mails, whose customers may register themselves."""
    with FakeSmtp() as smtp:
        mail = {"SMTP_HOST": smtp.host, "SMTP_PORT": str(smtp.port), "SMTP_SECURITY": "none", "PUBLIC_URL": PUBLIC_URL}
        with running_server(tmp_path, **mail, MAIL_FROM="desk@foyer.example", RATE_LIMIT="off") as url:
            desk = Desk(url, KEY)
            desk.call("PUT", "/api/settings", {"registration": True})
            yield desk, smtp


def test_people_come_in_by_mail(mailing, open_tab):
    desk, smtp = mailing

    tab = open_tab(desk=desk)

    def link(page: str = "") -> str:
        """The link of a mail to that page, which is waited for, at this server."""

        def links() -> list[str]:
            texts = [message.get_body(("plain",)).get_content() for message in smtp.messages]
            return [found[0] for text in texts if (found := LINK.search(text)) and f"/{page}" in found[0]]

        tab.wait_until(lambda: bool(links()), "no mail came")
        last = links()[-1]
        smtp.messages.clear()
        return last.replace(PUBLIC_URL, desk.url)

    page = tab.open("/portal")
    page.get_by_role("button", name="Register").click()
    page.get_by_label("Name").fill("Ada <img src=x onerror=alert(1)>")
    page.get_by_label("E-mail").fill("ada@customer.example")
    assert_accessible(page)
    page.get_by_role("button", name="Register").click()
    page.get_by_text("If there is an account with ada@customer.example").wait_for()
    mailed = link()
    assert "/portal#code=" in mailed
    other_tab = open_tab(desk=desk)
    other = other_tab.page
    other.goto(mailed)
    other.get_by_text("signs you in as ada@customer.example").wait_for()
    assert_accessible(other)
    desk_url = desk.url + "/api/auth/code/confirm"
    for _ in range(5):  # a stranger uses up the six digits; the link still works
        requests.post(desk_url, json={"email": "ada@customer.example", "code": "000000"}, timeout=10)
    assert "#" not in other.url
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.get_by_text("You have no tickets yet").wait_for()

    tab.open("/portal")
    page.get_by_role("button", name="Password forgotten?").click()
    page.get_by_label("E-mail").fill("ada@customer.example")
    page.get_by_role("button", name="Mail me a link").click()
    page.get_by_role("status").filter(has_text="a link is on its way").wait_for()
    tab.open("/confirm")  # a page of ours, so that the link loads anew
    page.goto(link())
    page.get_by_label("New password").fill("a new password of Ada")
    page.get_by_label("The same once more").fill("a new password of Ada")
    assert_accessible(page)
    with other_tab.expecting(401):  # a new password ends every session
        page.get_by_role("button", name="Set a new password").click()
        page.get_by_text("You have no tickets yet").wait_for()
        other.get_by_text("Your session has ended.").wait_for()

    _ticket_is_rated_by_link(desk, open_tab, link)
    _company_is_confirmed_by_link(desk, open_tab, link)

    desk.call("POST", "/api/auth/invite", {"email": "bo@foyer.example", "role": "agent", "name": "Bo"})
    guest = open_tab(desk=desk)
    guest.page.goto(link())
    guest.page.get_by_label("Name").fill("Bo Berg")
    guest.page.get_by_label("New password").fill("a password of Bo's own")
    guest.page.get_by_label("The same once more").fill("a password of Bo's own")
    guest.page.get_by_role("button", name="Accept the invitation").click()
    guest.page.wait_for_url("**/desk")
    guest.page.get_by_text("Bo Berg").first.wait_for()


def _ticket_is_rated_by_link(desk, open_tab, link):
    ticket = {"title": "A leak", "description": "Water.", "customer_email": "ada@customer.example"}
    path = f"/api/tickets/{desk.call('POST', '/api/tickets', ticket)['id']}"
    desk.call("POST", f"{path}/resolve", {"resolution": "Mended."})
    tab = open_tab(desk=desk, locale="de-DE")
    page = tab.page
    page.goto(link("rate"))
    page.get_by_role("heading", name="Wie war unsere Hilfe?").wait_for()
    assert "#" not in page.url
    assert_accessible(page)
    tab.shot("rate-by-link")
    with tab.expecting(409):
        desk.call("POST", f"{path}/reopen", {})
        page.get_by_role("button", name="Gut", exact=True).click()
        page.get_by_text("Dieses Ticket ist noch nicht gelöst.").wait_for()
    desk.call("POST", f"{path}/resolve", {"resolution": "Mended again."})
    assert "csat_score" not in desk.call("GET", path), "opening the page rates nothing"
    page.get_by_role("button", name="Sehr gut").click()
    page.get_by_role("status").filter(has_text="Danke. Sie sagten: Sehr gut.").wait_for()
    page.get_by_label("Möchten Sie etwas hinzufügen?").fill("Schnell.")
    page.get_by_role("button", name="Senden").click()
    page.get_by_text("Danke. Wir lesen jedes Wort.").wait_for()
    assert desk.call("GET", path)["csat_score"] == 5
    with tab.expecting(404):
        tab.open("/portal")  # another page, so that the next one loads anew
        page.goto(f"{desk.url}/rate#x.eyJzdWIiOiIxIn0.x")
        promise = page.get_by_text("Sie können Ihre Bewertung eine Woche lang ändern.")
        expect(promise).to_have_count(1)
        page.get_by_role("button", name="Gut", exact=True).click()
        page.get_by_role("alert").filter(has_text="Dieser Link gilt nicht mehr.").wait_for()
        expect(promise).to_have_count(0)
    tab.open("/portal")
    page.goto(f"{desk.url}/rate#x.eyJzdWIiOiIxIiwiZXhwIjoxfQ.x")  # ended in 1970
    page.get_by_role("alert").filter(has_text="Dieser Link gilt nicht mehr.").wait_for()
    expect(promise).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)


def _company_is_confirmed_by_link(desk, open_tab, link):
    admin = {"company": "Böhm & Co", "name": "Zoë", "email": "zoe@boehm.example", "password": PASSWORD}
    assert requests.post(f"{desk.url}/api/companies", json=admin, timeout=30).status_code == 201
    tab = open_tab(desk=desk)
    mailed = link("confirm")
    tab.page.goto(mailed)
    tab.page.get_by_text("Did you register the company Böhm & Co?").wait_for()
    assert "#" not in tab.page.url
    assert_accessible(tab.page)
    tab.shot("confirm-by-link")
    tab.page.get_by_role("button", name="Confirm").click()
    tab.page.get_by_role("status").filter(has_text="Böhm & Co is confirmed.").wait_for()
    with tab.expecting(400):
        tab.open("/portal")
        tab.page.goto(mailed)
        tab.page.get_by_role("button", name="Confirm").click()
        tab.page.get_by_role("alert").wait_for()
