"""The page of customers: they ask, write, are answered, and say how it went."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.tab import Tab
from tests.fakes.fake_model import FakeModel
from tests.fakes.running_server import KEY, running_server
from tools.screenshots.desk import PASSWORD, Desk

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"  # SECURITY_CASES 31
ARTICLE = (
    f"# {HOSTILE}\n\nHold the power button of the kettle for ten seconds. "
    "[here](javascript:alert(1)) [there](JaVa\tScRiPt:alert(1)) [data](data:text/html,x) <svg/onload=alert(1)> "
    "<math><mtext></mtext></math> <style>*{color:red}</style> ![picture](https://elsewhere.example/a.png) "
    "<script>alert(1)</script>"
)
# What the hostile article must not make.
MADE = (
    "main :is(img, script, style, math, [onerror], [onload], .answer svg:not(.icon), a[href*=script i], a[href^=data])"
)


@pytest.fixture
def customer_tab(open_tab, company: Desk) -> Tab:
    """A customer of a new company that has one article, whose text is hostile."""
    company.call("POST", "/api/knowledge", {"title": f"Reset the kettle {HOSTILE}", "body": ARTICLE})
    tab: Tab = open_tab(desk=company, accept_downloads=True)
    return tab


def replies(desk: Desk, ticket: str) -> list[str]:
    return [
        one["body"] for one in desk.call("GET", f"/api/tickets/{ticket}/replies") if one["author_role"] == "customer"
    ]


@contextmanager
def tab_of(open_tab: Callable[..., Tab], desk: Desk) -> Iterator[Tab]:
    """A tab at a server that ends with the test: it is left before the server goes."""
    tab = open_tab(desk=desk)
    yield tab
    tab.check()
    tab.page.goto("about:blank")
    tab.problems.clear()


def lose(page, path: str, *, reached: bool) -> None:
    """Loses the network for calls of a path: before they reach the server, or with their answer."""

    def handle(route):
        if reached:
            route.fetch()
        route.abort("aborted")

    page.route(re.compile(path), handle)


def test_a_customer_asks_writes_is_answered_and_says_how_it_went(customer_tab, company):
    page = customer_tab.open_as("customer", "/portal")
    page.get_by_text("You have no tickets yet").wait_for()
    page.get_by_role("searchbox").fill("How do I reset the kettle?")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"Reset the kettle {HOSTILE}").wait_for()
    page.get_by_role("button", name="Read the whole article").click()
    page.get_by_text("<script>alert(1)</script>").wait_for()
    assert page.locator(MADE).count() == 0
    assert "here)" not in page.locator(".answer").inner_text()

    page.get_by_role("button", name="Open a ticket").click()
    what = page.get_by_label("What happened?")
    assert what.input_value() == "How do I reset the kettle?"
    what.fill(f"The kettle {HOSTILE} is cold.\nIt was warm yesterday.")
    assert page.get_by_label("Subject").input_value() == f"The kettle {HOSTILE} is cold."
    page.get_by_label("I cannot work").check()
    page.locator("input[type=file]").set_input_files(
        [{"name": "kettle <b>.txt", "mimeType": "text/plain", "buffer": b"cold"}]
    )
    page.reload()
    assert what.input_value().endswith("It was warm yesterday.")
    page.locator("input[type=file]").set_input_files(
        [{"name": "kettle <b>.txt", "mimeType": "text/plain", "buffer": b"cold"}]
    )
    customer_tab.shot("portal-new")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name=f"The kettle {HOSTILE} is cold.")).to_be_focused()
    ticket = page.url.rpartition("/")[2]
    assert "I cannot work" in company.call("GET", f"/api/tickets/{ticket}")["description"]
    with page.expect_download() as download:
        page.locator(".message.customer").get_by_role("button", name="kettle").click()
    assert "kettle" in download.value.suggested_filename

    company.call("POST", f"/api/tickets/{ticket}/replies", {"body": f"**Hold** the button. {HOSTILE}"})
    page.locator(".message.agent strong", has_text="Hold").wait_for()
    page.get_by_text("Waiting for you").wait_for()
    assert page.locator("main img").count() == 0
    customer_tab.shot("portal-ticket")

    page.get_by_role("button", name="It is solved").click()
    page.get_by_role("button", name="Very good").click()
    page.get_by_label("Would you like to add a word?").fill("Quick.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("Thank you. We read every word.").wait_for()
    solved = company.call("GET", f"/api/tickets/{ticket}")
    assert (solved["status"], solved["csat_score"]) == ("resolved", 5)

    page.reload()
    page.get_by_role("button", name="It is back").click()
    page.get_by_label("What is back?").fill("It is cold again.")
    page.get_by_role("button", name="Send the reply").click()
    page.get_by_text("We are on it").wait_for()
    expect(page.locator("body")).not_to_be_focused()
    assert replies(company, ticket) == ["It is cold again."]
    page.goto(f"{company.url}/portal")
    page.get_by_role("link", name=re.compile("The kettle")).wait_for()
    customer_tab.shot("portal")
    page.get_by_role("link", name=re.compile("The kettle")).press("Enter")
    expect(page.get_by_role("heading", name=f"The kettle {HOSTILE} is cold.")).to_be_focused()


def test_a_network_that_drops_loses_nothing_and_sends_nothing_twice(customer_tab, company):
    mail = company.person("customer").email
    new = {"title": "Kettle", "description": "It is cold.", "customer_email": mail}
    ticket = company.call("POST", "/api/tickets", new)["id"]
    page = customer_tab.open_as("customer", f"/portal/tickets/{ticket}")
    page.get_by_label("Your reply").fill("Still cold.")
    for reached in (False, True):
        lose(page, "/replies$", reached=reached)
        page.get_by_role("button", name="Send the reply").click()
        page.get_by_text("Not sent: the server does not answer.").wait_for()
        page.unroute_all()
        assert page.get_by_label("Your reply").input_value() == "Still cold."
    page.reload()
    expect(page.get_by_label("Your reply")).to_have_value("Still cold.")
    page.get_by_role("button", name="Send the reply").click()
    page.locator(".message", has_text="Still cold.").wait_for()
    expect(page.get_by_label("Your reply")).to_have_value("")
    assert replies(company, ticket) == ["Still cold."]


def test_a_customer_signs_in_with_the_form_and_stays_signed_in_on_the_device(customer_tab, company):
    person = company.person("customer")
    company.call("PUT", "/api/settings", {"chat_guests": True})
    page = customer_tab.open(f"/portal?company={company.company}")
    chat = page.get_by_role("link", name="Chat without signing in")
    expect(chat).to_have_attribute("href", re.compile(r"^/chat\?company="))
    page.get_by_role("heading", name=company.company).wait_for()
    page.get_by_role("searchbox").fill("How do I reset the kettle?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Read the whole article").click()
    page.get_by_text("<script>alert(1)</script>").wait_for()
    assert page.locator(MADE).count() == 0
    customer_tab.shot("portal-guest")
    page.get_by_role("button", name="Open a ticket").click()
    page.get_by_text("your question becomes the new ticket").wait_for()
    with customer_tab.expecting(401):
        page.get_by_label("E-mail").fill(person.email)
        page.get_by_label("Password").fill("a wrong password")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Stay signed in on this device").check()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("What happened?").wait_for()
    assert page.get_by_label("What happened?").input_value() == "How do I reset the kettle?"
    page.goto(f"{company.url}/portal")
    page.get_by_text("You have no tickets yet").wait_for()
    other = customer_tab.context.new_page()
    other.goto(f"{company.url}/portal")
    other.get_by_text("You have no tickets yet").wait_for()
    assert "eyJ" not in other.evaluate("JSON.stringify(localStorage)"), "the device keeps no token that a script reads"


@pytest.mark.parametrize("ended", [False, True])
def test_what_one_person_wrote_is_not_shown_to_the_next_in_the_same_tab(customer_tab, company, ended):
    person, other = company.person("customer"), f"bo@{company.domain}"
    company.call("POST", "/api/users", {"name": "Bo", "email": other, "role": "customer", "password": PASSWORD})
    page = customer_tab.open_as(person, "/portal/new")
    page.get_by_label("What happened?").fill("A secret of the first.")
    if ended:
        page.evaluate("sessionStorage.removeItem('foyer.credentials')")
        page.reload()
    else:
        page.locator(".bar [id^=me]").click()
        page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("E-mail").fill(other)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    what = page.get_by_label("What happened?")
    what.wait_for()
    assert what.input_value() == ""
    assert "secret" not in page.evaluate("Object.values(sessionStorage).join()")


def test_staff_see_the_page_but_no_tickets(tab):
    page = tab.open_as("agent", "/portal")
    page.get_by_text("This is the page of your customers.").wait_for()
    page.get_by_role("searchbox").fill("How do I reset my password?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Talk to a person").wait_for()
    assert page.get_by_role("button", name="Open a ticket").count() == 0


def test_the_answer_of_a_slow_model_comes_by_itself(open_tab, tmp_path):
    with FakeModel() as model:
        model.mode, model.seconds = "slow", 2.0
        model.reply = {"reply": "Hold **the button**. <img src=x onerror=alert(1)>"}
        ai = {"OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": model.url}
        with running_server(tmp_path, **ai, RATE_LIMIT="off") as url, tab_of(open_tab, Desk(url, KEY)) as tab:
            page = tab.open_as("customer", "/portal/new")
            page.get_by_label("What happened?").fill("The kettle is cold.")
            page.get_by_role("button", name="Send").click()
            page.get_by_text("The assistant looks for an answer.").wait_for()
            page.locator(".message.agent strong", has_text="the button").wait_for()
            assert page.locator("main img").count() == 0


@pytest.mark.parametrize("path", ["/accept", "/reset"])
def test_a_link_to_a_password_page_without_its_token_says_so(tab, path):
    page = tab.open(path)
    page.get_by_text("Open this page with the link from the mail.").wait_for()
    page.goto(f"{tab.desk.url}/#")  # a fragment alone loads nothing
    page.goto(f"{tab.desk.url}{path}#a-token")
    page.get_by_label("New password").wait_for()
    assert page.url == f"{tab.desk.url}{path}", "the token is in no history"


def test_the_portal_is_accessible(open_tab):
    tab = open_tab()
    page = tab.open("/portal")
    page.get_by_label("E-mail").wait_for()
    assert_accessible(page)
    page = tab.open_as("customer", "/portal")
    page.locator(".ticket-row").first.wait_for()
    page.get_by_role("searchbox").fill("How do I reset my password?")
    page.keyboard.press("Enter")
    page.locator(".answer").first.wait_for()
    assert_accessible(page)
    page.locator(".ticket-row").first.click()
    page.locator(".message").first.wait_for()
    assert_accessible(page)
    tab.open("/portal/new")
    assert_accessible(page)
