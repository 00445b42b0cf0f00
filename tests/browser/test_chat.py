"""The chat: guests and customers, the assistant and people, and what happens when the network or the tab goes."""

import re

from tests.browser.axe import assert_accessible
from tests.browser.chats import file, names_of_files, only_chat, reply_with_a_file
from tests.browser.test_portal import HOSTILE, lose
from tools.screenshots.desk import Desk

QUESTION = "How do I reset the kettle?"


def fill_knowledge(company: Desk) -> None:
    body = f"Hold the power button of the kettle for ten seconds to reset it. <script>alert(1)</script> {HOSTILE}"
    company.call("POST", "/api/knowledge", {"title": f"How to reset the kettle {HOSTILE}", "body": body})


def said(desk: Desk, conversation: str) -> list[str]:
    messages = desk.call("GET", f"/api/chat/{conversation}")["messages"]
    return [one["body"] for one in messages if one["role"] == "customer"]


WITHIN = """() => [...document.querySelectorAll(".message")].every(
    (one) => one.getBoundingClientRect().right <= document.querySelector(".chat-page").getBoundingClientRect().right)"""


def test_a_guest_is_answered_from_articles_then_by_a_person_and_rates(open_tab, company):
    fill_knowledge(company)
    company.call("PUT", "/api/settings", {"attachment_megabytes": 1})
    tab = open_tab(desk=company, accept_downloads=True)
    page = tab.open(f"/chat?company={company.company}")
    page.get_by_text("Hello. What can we help with?").wait_for()
    tab.shot("chat-new")
    files = page.locator("input[type=file]")
    first = f"first <b> {'of many words ' * 10}.txt"
    files.set_input_files([file(first), file("wrong.txt")])
    page.get_by_role("button", name="Remove wrong.txt").click()
    page.get_by_role("textbox", name="Write a message").fill(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".message.customer:not(.unsent) .button.file", has_text="first _b_ of many").wait_for()
    assert page.evaluate(WITHIN), "a long name stays in the chat"
    page.locator(".cited summary", has_text="[1] How to reset the kettle").click()
    page.locator(".cited", has_text="<script>alert(1)</script>").wait_for()
    page.get_by_role("textbox").fill(f"{HOSTILE} **bold**")
    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".message.customer .plain", has_text="**bold**").wait_for()
    assert page.locator("main :is(img, script, [onerror])").count() == 0
    assert page.get_by_role("log", name="Messages").get_attribute("aria-live") == "polite"
    tab.settle()
    tab.shot("chat")

    page.get_by_text("A person is asked").wait_for()
    conversation = only_chat(company)
    assert company.call("GET", f"/api/chat/{conversation}")["escalation_reason"] == "asked"
    page.get_by_label("E-mail address, in case you have to go").fill("guest@else.example")
    page.get_by_role("button", name="Leave the address").click()
    page.get_by_text("You reach me at guest@else.example.").wait_for()
    page.reload()
    page.locator(".message.customer", has_text=QUESTION).wait_for()
    files.set_input_files([file("large.txt", 2**20 + 1), file("tool.exe"), file("second.txt")])
    page.get_by_role("textbox", name="Write a message").fill("See here.")
    with tab.expecting(413), tab.expecting(400):
        page.keyboard.press("Enter")
        page.get_by_text("large.txt was not sent. The file is too large: at most 1 MiB are accepted.").wait_for()
        page.get_by_text("tool.exe was not sent. A file that ends in .exe is not accepted").wait_for()
    tab.shot("chat-files")
    page.get_by_role("button", name="Send the rest").click()
    page.locator(".message.customer:not(.unsent)", has_text="See here.").wait_for()
    reply_with_a_file(company, conversation, f"I am here. {HOSTILE}")
    page.get_by_text("I am here.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="answer.txt").click()
    assert download.value.suggested_filename == "answer.txt"
    files.set_input_files([file("third.txt")])
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="third.txt").wait_for()
    assert names_of_files(company, conversation) == {
        QUESTION: [first.replace("<b>", "_b_")],
        "See here.": ["second.txt"],
        f"I am here. {HOSTILE}": ["answer.txt"],
        "Here is a file.": ["third.txt"],
    }
    assert page.locator(".chat-head p").inner_text().endswith("answers")
    assert page.locator(".chat-foot", has_text="A person is asked").count() == 0

    page.get_by_role("button", name="End the chat").click()
    page.get_by_role("button", name="Good", exact=True).click()
    page.get_by_text("Thank you. You said: Good.").wait_for()
    tab.shot("chat-over")
    assert company.call("GET", f"/api/tickets/{conversation}")["csat_score"] == 4
    assert page.evaluate("localStorage.length") == 0, "a guest leaves nothing on the device"


def test_what_does_not_arrive_stays_and_is_sent_once_also_when_the_conversation_is_gone(open_tab, company):
    tab = open_tab(desk=company)
    page = tab.open(f"/chat?company={company.company}")
    page.get_by_role("textbox").fill("Hello, is the shop open?")
    lose(page, "/api/auth/guest$", reached=False)
    page.keyboard.press("Enter")
    page.get_by_text("Not sent").wait_for()
    page.unroute_all()
    page.reload()
    page.get_by_text("Hello, is the shop open?").wait_for()
    lose(page, "/api/chat$", reached=True)
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Not sent").wait_for()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    page.locator(".message.agent").first.wait_for()
    assert page.locator(".unsent").count() == 0
    assert said(company, only_chat(company)) == ["Hello, is the shop open?"]
    with tab.expecting(404):
        company.call("DELETE", f"/api/tickets/{only_chat(company)}")
        page.get_by_role("textbox").fill("Are you still there?")
        page.keyboard.press("Enter")
        page.get_by_text("Not sent").wait_for()
    page.locator(".unsent").get_by_role("button", name="Try again").click()
    page.locator(".message.customer:not(.unsent)", has_text="Are you still there?").wait_for()
    assert said(company, only_chat(company)) == ["Are you still there?"]


def test_a_customer_brings_a_question_from_the_portal_to_a_person(open_tab, company):
    fill_knowledge(company)
    tab = open_tab(desk=company)
    page = tab.open_as("customer", "/portal")
    page.get_by_role("searchbox").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".message.customer", has_text=QUESTION).wait_for()
    page.get_by_text("A person is asked").wait_for()
    page.goto(f"{company.url}/portal/tickets/{only_chat(company)}")
    page.locator(".message.customer").first.wait_for()
    assert page.locator(".message.customer").count() == 1, "the question is the description and the first message"
    page.go_back()
    (ticket,) = company.call("GET", "/api/tickets?source=chat")
    assert (ticket["customer_email"], ticket["status"]) == (company.person("customer").email, "handoff")
    assert page.get_by_label("E-mail address, in case you have to go").count() == 0
    page.evaluate("sessionStorage.removeItem(Object.keys(sessionStorage).find((name) => name.endsWith('.id')))")
    page.reload()
    page.locator(".message.customer", has_text=QUESTION).wait_for()  # found by who they are


def test_the_chat_names_no_company_that_has_no_name(tab):
    page = tab.open("/chat")
    page.get_by_role("heading", name="Help", level=1).wait_for()
    assert page.title() == "Chat"


def test_staff_try_the_chat_as_a_guest_and_are_told_so(open_tab, company):
    tab = open_tab(desk=company)
    page = tab.open_as("agent", f"/chat?company={company.company}")
    page.get_by_text("You try the chat as a guest").wait_for()
    page.get_by_role("textbox").fill("Hello from the maker.")
    page.keyboard.press("Enter")
    page.locator(".message.agent").first.wait_for()
    assert company.call("GET", f"/api/tickets/{only_chat(company)}")["customer_id"].startswith("guest:")
    page.goto(f"{company.url}/desk")
    page.get_by_role("heading", level=1).first.wait_for()
    assert page.get_by_label("Password").count() == 0, "their own session goes on"


def test_a_company_without_guests_asks_to_sign_in(open_tab, company):
    company.call("PUT", "/api/settings", {"chat_guests": False, "mail_name": f"Tea {HOSTILE}"})
    page = open_tab(desk=company).open(f"/chat?company={company.company}")
    page.get_by_role("heading", name=re.compile("Chat")).wait_for()
    page.get_by_label("Password").wait_for()
    assert page.locator("main img").count() == 0


def test_the_chat_is_accessible(open_tab, company):
    fill_knowledge(company)
    tab = open_tab(desk=company)
    page = tab.open(f"/chat?company={company.company}")
    assert_accessible(page)
    page.get_by_role("textbox").fill(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".cited summary").first.click()
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_text("A person is asked").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="End the chat").click()
    page.get_by_role("button", name="Very good").wait_for()
    assert_accessible(page)
