"""Signing in on every page: second factor, codes and links that are mailed, registering."""

import re
from collections.abc import Iterator

import pyotp
import pytest
import requests

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

    def link() -> str:
        """The link of the newest mail, which is waited for, at this server."""
        tab.wait_until(lambda: bool(smtp.messages), "no mail came")
        text = smtp.messages.pop().get_body(("plain",)).get_content()
        return LINK.search(text)[0].replace(PUBLIC_URL, desk.url)

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

    desk.call("POST", "/api/auth/invite", {"email": "bo@foyer.example", "role": "agent", "name": "Bo"})
    guest = open_tab(desk=desk)
    guest.page.goto(link())
    guest.page.get_by_label("Name").fill("Bo Berg")
    guest.page.get_by_label("New password").fill("a password of Bo's own")
    guest.page.get_by_label("The same once more").fill("a password of Bo's own")
    guest.page.get_by_role("button", name="Accept the invitation").click()
    guest.page.wait_for_url("**/desk")
    guest.page.get_by_text("Bo Berg").first.wait_for()
