"""The agent desk: working a queue, two people at one ticket, what is kept when something breaks, hostile text."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.chats import file
from tests.browser.tab import Tab
from tools.screenshots.browser import show
from tools.screenshots.desk import Desk, Person

# Case 31: what a field may hold, to be shown as text.
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>\u202egnp.exe [x](javascript:alert(1)) {{7*7}}'
HOLD = "localStorage.setItem('foyer.desk.hold', '{}')"


def open_desk(tab: Tab, who: str | Person, path: str = "/desk", *, hold: int = 0) -> Page:
    """The desk with its queue loaded; what is sent is held so many seconds.

    A reply whose ticket changed meanwhile is refused with 412, and the page sends it again or asks: whether one comes is chance.
    """
    tab.tolerated.add(412)
    tab.page.add_init_script(HOLD.format(hold))
    page = tab.open_as(who, path)
    expect(page.locator(".side .views a[aria-current=page]")).to_be_visible()
    return page


def ticket(desk: Desk, **fields: Any) -> dict[str, Any]:
    """A new ticket of a customer."""
    values = {"title": "VPN drops", "description": "Every hour.", "customer_email": "ana@example.com"}
    made: dict[str, Any] = desk.call("POST", "/api/tickets", {**values, **fields})
    return made


def expect_focus(page: Page, name: str) -> None:
    """Waits until the row of that key, or the element of that id or class, has the focus."""
    page.wait_for_function(
        "name => { const e = document.activeElement;"
        " return [e.closest('.row')?.dataset.key, e.id, ...e.classList].includes(name); }",
        arg=name,
    )


def test_an_agent_works_a_queue_with_the_keyboard_alone(open_tab, company):
    first, second = ticket(company, title="Printer"), ticket(company, title="Scanner", customer_name="Bo")
    agent = company.person("agent")
    tab = open_tab(desk=company)
    page = open_desk(tab, "agent")
    keys = page.keyboard
    expect(page.locator("h1")).to_contain_text("All open")
    expect(page.locator(".row")).to_have_count(2)
    keys.press("j")
    expect_focus(page, first["id"])
    # Both are picked, changed at once, and put back.
    for key in ("x", "j", "x", "p"):
        keys.press(key)
    keys.type("urg")
    keys.press("Enter")
    expect(page.locator(".row .chip", has_text="Urgent")).to_have_count(2)
    keys.press("z")
    expect(page.locator(".row .chip", has_text="Urgent")).to_have_count(0)
    keys.press("Escape")
    # The second one is taken, answered by a note and a reply, and resolved.
    keys.press("i")
    expect(page.locator(f"[data-key='{second['id']}'] .avatar")).to_be_visible()
    keys.press("Enter")
    expect(page.locator(".subject-line")).to_have_text("Scanner")
    expect_focus(page, "subject-line")
    keys.press("n")
    keys.type("Ask for the model.")
    keys.press("Control+Enter")
    expect(page.locator(".message.note:not(.held)", has_text="Ask for the model.")).to_be_visible()
    keys.press("r")
    keys.type("Which model is it?")
    page.locator(".composer input[type=file]").set_input_files([file("models.txt")])
    keys.press("Escape")
    keys.press("u")
    expect_focus(page, second["id"])
    expect(page.locator(f"[data-key='{second['id']}'] .draft")).to_be_visible()
    keys.press("Enter")
    expect(page.locator("#words")).to_have_value("Which model is it?")
    expect(page.locator(".composer .file")).to_contain_text("models.txt")
    keys.press("r")
    keys.press("Control+Enter")
    expect(
        page.locator(".message.agent", has_text="Which model").get_by_role("button", name="models.txt")
    ).to_be_visible()
    expect(page.locator(".composer .file")).to_have_count(0)
    expect(page.locator(".message.agent:not(.held)", has_text="Which model")).to_be_visible()
    row = page.locator(f"[data-key='{second['id']}']")
    expect(row.locator(".words")).to_have_text("Agent: Which model is it?")
    expect(row.locator(".chip", has_text="Waiting for customer")).to_be_visible()
    keys.press("Shift+e")
    keys.type("A new cable helped.")
    keys.press("Control+Enter")
    expect(page.locator(".rows > li")).to_have_count(1)
    stored = company.call("GET", f"/api/tickets/{second['id']}")
    assert (stored["status"], stored["resolution"], stored["assigned_to"]) == (
        "resolved", "A new cable helped.", agent.email
    )  # fmt: skip
    # Single keys can be switched off; those with Ctrl stay.
    keys.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Resolve and next")
    page.get_by_role("checkbox", name="Keys without Ctrl").uncheck()
    keys.press("Escape")
    keys.press("g")
    keys.press("t")
    expect(page.locator("h1")).not_to_contain_text("Mine")
    keys.press("Control+k")
    expect(page.get_by_role("option").first).to_contain_text(f"#{second['number']} Scanner")
    tab.shot("desk-palette", whole=False)
    keys.type("go to: mine")
    keys.press("Enter")
    expect(page.locator("h1")).to_contain_text("Mine")
    expect(page.locator(".state h2")).to_have_text("All answered.")
    tab.shot("desk-worked", whole=False)


def test_two_agents_at_one_ticket_see_each_other_and_overwrite_nothing(open_tab, company):
    made = ticket(company, priority="medium")
    path = f"/desk/tickets/{made['id']}"
    tab, other_tab = open_tab(desk=company), open_tab(desk=company)
    page = open_desk(tab, "agent", path)
    # The words of the first one come after those of the second: the poll has not told them yet.
    page.route("**/api/events**", lambda route: route.fulfill(status=304))
    page.locator("#words").fill("Please restart it.")
    other = open_desk(other_tab, "admin", path)
    expect(other.locator(".presence")).to_contain_text("Tom Becker is replying")
    other.locator("#words").fill("We have restarted it.")
    other.keyboard.press("Control+Enter")
    expect(other.locator(".message.agent:not(.held)", has_text="We have restarted it.")).to_be_visible()
    with tab.expecting(412):
        page.locator("#words").press("Control+Enter")
        expect(page.locator(".notices [role=alert]")).to_contain_text("Ines Moreau wrote while you were writing")
    expect(page.locator(".message", has_text="We have restarted it.")).to_be_visible()
    expect(page.locator("#words")).to_have_value("Please restart it.")
    page.get_by_role("button", name="Keep editing").click()
    # The same field at the same time: both values are shown.
    company.call("PATCH", f"/api/tickets/{made['id']}", {"priority": "low"})
    page.locator(".panel").get_by_role("button", name="Priority").click()
    page.get_by_role("option", name="Urgent").click()
    expect(page.locator(".notices [role=alert]")).to_contain_text("→ Low")
    page.get_by_role("button", name="Keep yours").click()
    expect(page.locator(".toast").last).to_contain_text("Priority is Urgent")
    assert company.call("GET", f"/api/tickets/{made['id']}")["priority"] == "urgent"
    # Another field meanwhile is no conflict.
    company.call("PATCH", f"/api/tickets/{made['id']}", {"product": "VPN"})
    page.locator(".panel").get_by_role("button", name="Category").click()
    page.get_by_role("option", name="Billing").click()
    expect(page.locator(".toast").last).to_contain_text("Category is Billing")


def test_a_reply_that_came_in_below_the_shown_part_asks_before_anything_is_sent(open_tab, company):
    made = ticket(company, description="Every hour.\n\n" * 90)
    path = f"/api/tickets/{made['id']}/replies"
    company.call("POST", path, {"body": "Known before."})
    page = open_desk(open_tab(desk=company), "agent", f"/desk/tickets/{made['id']}", hold=60)
    expect(page.locator(".message", has_text="Known before.")).to_be_visible()
    page.locator(".ticket-scroll").evaluate("(pane) => { pane.scrollTop = 0; }")
    page.locator("#words").fill("Please restart it.")
    company.call("POST", path, {"body": "We have restarted it.", "author_name": "Bo"})
    expect(page.locator(".below .button")).to_have_text("New message")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".notices [role=alert]")).to_contain_text("Bo wrote while you were writing")
    expect(page.locator(".message", has_text="We have restarted it.")).to_be_in_viewport()
    expect(page.locator(".message.held")).to_have_count(0)
    page.get_by_role("button", name="Keep editing").click()
    expect_focus(page, "words")
    # What was seen is not asked about again. What is sent is in view, wherever the thread stood, under the same name.
    page.locator(".ticket-scroll").evaluate("(pane) => { pane.scrollTop = 0; }")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".message.held .button", has_text="Undo")).to_be_in_viewport()
    expect(page.locator(".message.held")).to_contain_text("Tom Becker")
    expect(page.locator(".toast .left")).not_to_have_text("60s")
    # In a chat somebody waits.
    chat = company.call("POST", "/api/chat", {"message": "Are you there?", "customer_email": "ana@example.com"})
    page.goto(f"/desk/tickets/{chat['conversation_id']}")
    page.locator("#words").fill("Yes.")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".message.agent:not(.held)", has_text="Yes.")).to_be_visible()


def test_what_is_sent_while_the_network_is_gone_is_sent_once_when_it_is_back(open_tab, company):
    made = ticket(company)
    tab = open_tab(desk=company)
    page = open_desk(tab, "agent", f"/desk/tickets/{made['id']}")
    # The assistant has answered: nothing but the network stands in the way.
    expect(page.locator(".thread .message")).to_have_count(2)
    tab.context.set_offline(True)
    page.locator("#words").fill("Please wait.")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".message.held")).to_contain_text("Not sent")
    expect(page.locator(".message.held")).to_be_in_viewport()
    expect(page.locator(".offline")).to_be_visible()
    expect(page.locator(".row")).to_have_count(1)
    tab.context.set_offline(False)
    expect(page.locator(".message.agent:not(.held)", has_text="Please wait.")).to_be_visible()
    expect(page.locator(".offline")).to_be_hidden()
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in tab.problems)
    tab.problems.clear()
    # What is held is sent when the page is left, once, and a reload shows it.
    page.evaluate(HOLD.format(60))
    page.locator("#words").fill("And try again.")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".message.held")).to_be_visible()
    page.locator(".composer input[type=file]").set_input_files([file("lost.txt")])
    page.reload()
    expect(page.locator(".composer .notice")).to_contain_text("no longer here: lost.txt.")
    expect(page.locator(".message.agent:not(.held)", has_text="And try again.")).to_have_count(1)
    # Whoever signs out has sent what was held, and leaves no draft to the next person.
    page.evaluate(HOLD.format(60))
    page.locator("#words").fill("Good night.")
    page.locator("#words").press("Control+Enter")
    page.locator("#words").fill("Half a sentence")
    page.locator(".side > .button").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("button", name="Sign in", exact=True).wait_for()
    assert page.evaluate("Object.keys(sessionStorage).filter((name) => /draft|outbox/.test(name))") == []
    thread = company.call("GET", f"/api/tickets/{made['id']}/replies")
    assert [reply["body"] for reply in thread][-3:] == ["Please wait.", "And try again.", "Good night."]


def test_a_key_that_is_revoked_while_somebody_writes_asks_to_sign_in_and_keeps_the_words(open_tab, company):
    made = ticket(company)
    agent = company.person("agent")
    key = company.call("POST", "/api/keys", {"name": "Laptop", "role": "agent"})
    tab = open_tab(desk=company)
    tab.page.add_init_script(HOLD.format(0))
    page = tab.open(f"/desk/tickets/{made['id']}#key={key['key']}")
    assert "#" not in page.url
    page.locator("#words").fill("Half a sentence")
    page.route("**/api/events?*", lambda route: route.fulfill(json={"success": True, "message": "", "data": []}))
    tab.settle()  # no poll is under way: the reply is the first request with the revoked key
    with tab.expecting(401):
        company.call("DELETE", f"/api/keys/{key['id']}")
        page.locator("#words").press("Control+Enter")
        page.get_by_role("button", name="Sign in", exact=True).wait_for()
    page.get_by_label("E-mail").fill(agent.email)
    page.get_by_label("Password").fill(agent.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#words")).to_be_visible()
    expect(page.locator("#words")).to_have_value("Half a sentence")
    page.locator("#words").press("Control+Enter")
    expect(page.locator(".message.agent", has_text="Half a sentence")).to_have_count(1)


def test_case_31_hostile_text_in_every_field_is_shown_as_text(open_tab, company):
    made = ticket(
        company, title=HOSTILE[:190], description=HOSTILE, customer_name=HOSTILE[:90], product=HOSTILE[:90],
        tags=[HOSTILE[:40]],
    )  # fmt: skip
    path = f"/api/tickets/{made['id']}"
    company.call("POST", f"{path}/replies", {"body": HOSTILE, "author_name": HOSTILE[:90]})
    company.call("POST", f"{path}/replies", {"body": HOSTILE, "author_role": "customer"})
    company.call("POST", f"{path}/attachments", {"name": "<b>x</b>.txt", "content": "aGVsbG8="})
    company.call("POST", "/api/macros", {"name": HOSTILE[:90], "body": HOSTILE.replace("{{7*7}}", "")})
    company.call("POST", "/api/views", {"name": HOSTILE[:90], "filter": {"status": "open"}})
    tab = open_tab(desk=company)
    page = open_desk(tab, "agent", f"/desk/tickets/{made['id']}")
    expect(page.locator(".subject-line")).to_contain_text("<img src=x")
    expect(page.locator(".message.customer").first).to_contain_text("<script>")
    for name in ("Details", "Help"):
        page.get_by_role("tab", name=name).click()
        tab.settle()
        assert page.locator("img[src=x], script:not([src]), a[href^=javascript]").count() == 0
        assert_accessible(page)
        show(page, tab.look)
    page.keyboard.press("Control+k")
    assert_accessible(page)
    assert page.title().startswith("#1 <img")
    tab.shot("desk-hostile", whole=False)


def test_the_focus_stays_where_somebody_works_and_a_guest_is_called_one(open_tab, company):
    made = ticket(company, title="Printer", customer_email="", customer_id="guest:01a2", customer_name="Ana")
    ticket(company, title="Scanner")
    tab = open_tab(desk=company)
    page = open_desk(tab, "agent", "/desk/open")
    expect(page.locator(".row .who", has_text="Guest · Ana")).to_be_visible()
    # Back after a search leads to the whole list.
    page.keyboard.press("/")
    page.keyboard.type("printer")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row a")).to_be_focused()
    page.go_back()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".search")).to_have_value("")
    page.wait_for_timeout(400)
    expect(page.locator(".row")).to_have_count(2)
    page.locator(f"[data-key='{made['id']}'] a").click()
    expect(page.locator(".panel")).to_contain_text("Guest · Ana")
    expect(page.locator(".panel")).not_to_contain_text("guest:")
    # The assistant has answered: nothing else draws the panel anew. What is drawn anew after a change keeps the focus.
    expect(page.locator(".thread .message")).to_have_count(2)
    page.locator(".panel").get_by_role("button", name="Status").press("Enter")
    page.get_by_role("option", name="Waiting for customer").click()
    expect(page.locator(".panel").get_by_role("button", name="Status: Waiting")).to_be_focused()
    tab.shot("desk-waiting", whole=False)
    page.get_by_role("tab", name="Help").click()
    page.get_by_role("button", name="Summarise").press("Enter")
    expect(page.locator(".panel h4").first).to_be_visible()
    assert page.evaluate("document.activeElement.closest('.panel') !== null")
    page.keyboard.press("m")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_attribute("href", "/admin/macros")
    page.keyboard.press("Escape")
    # A resolved ticket is neither snoozed nor merged.
    company.call("POST", f"/api/tickets/{made['id']}/resolve", {"resolution": "New cable."})
    page.get_by_role("tab", name="Details").click()
    expect(page.locator(".verbs").get_by_role("button", name="Reopen")).to_be_visible()
    expect(page.locator(".panel").get_by_role("button", name="Snooze")).to_have_count(0)
    expect(page.locator(".panel").get_by_role("button", name="Merge")).to_have_count(0)


def test_filters_say_what_they_are_in_words(open_tab, company):
    ticket(company)
    page = open_desk(open_tab(desk=company), "agent", "/desk/mine?status=open&priority=high")
    expect(page.locator(".list-header .filter-chip")).to_have_text(["Status: Open", "Priority: High"])


@pytest.mark.parametrize("width", [390, 1000])
def test_a_narrow_window_shows_one_thing_at_a_time_and_back_is_the_browsers(open_tab, company, width):
    made = ticket(company)
    tab = open_tab(desk=company)
    page = open_desk_narrow(tab, width)
    page.locator(".row a").click()
    expect(page.locator(".thread .message").first).to_be_visible()
    assert page.locator(".list-pane").is_visible() == (width > 900)
    page.locator(".panel-toggle").click()
    expect(page.locator(".panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    page.go_back()
    expect(page.locator(".row")).to_be_visible()
    expect_focus(page, made["id"])


def open_desk_narrow(tab: Tab, width: int) -> Page:
    """The desk in a window of that width."""
    tab.page.set_viewport_size({"width": width, "height": 800})
    page = tab.open_as("agent", "/desk")
    expect(page.locator(".row")).to_have_count(1)
    return page
