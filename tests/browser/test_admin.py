"""The admin pages: what an admin sets up is there and works, and hostile words in it stay words."""

import re

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.fakes.webhook_receiver import Receiver
from tools.screenshots.desk import Desk

HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)> [a](javascript:alert(4)) "
    "&lt;b&gt; {{7*7}} \u200b\u202e" + "long" * 60
)
READY = "main h1"


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def open_section(tab, section, who="admin"):
    page = tab.open_as(who, f"/admin/{section}")
    expect(page.locator(READY)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page


def go_to(page, section):
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=section, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=section)).to_be_focused()


def test_what_closes_or_opens_never_leaves_the_focus_nowhere(open_tab, company):
    company.call("POST", "/api/knowledge", {"title": "Roofs", "body": "Call the roofer."})
    page = open_section(open_tab(desk=company), "keys")
    for section, opener in (("People", "Add a person"), ("Teams", "Add a team")):
        go_to(page, section)
        button(page, opener).first.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(button(page, opener).first).to_be_focused()
    go_to(page, "Articles")
    page.get_by_role("link", name="Roofs").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Roofs")).to_be_focused()


def test_the_audit_and_the_thread_name_who_acted_in_plain_words(open_tab, company):
    key = company.call("POST", "/api/keys", {"name": "Laptop", "role": "agent"})["key"]
    company.call("PUT", "/api/settings", {"chat_guests": True})
    guest = Desk(
        company.url, token=company.call("POST", "/api/auth/guest", {"company": company.company})["access_token"]
    )
    made = guest.call("POST", "/api/chat", {"message": "My invoice is wrong. I want a person."})
    Desk(company.url, key).call("PATCH", f"/api/tickets/{made['ticket_id']}", {"priority": "urgent"})
    tab = open_tab(desk=company)
    page = open_section(tab, "audit")
    for name in ("API key Laptop", "Guest", company.person("admin").email):
        expect(page.locator("td strong", has_text=re.compile(f"^{re.escape(name)}$")).first).to_be_visible()
    assert "guest:" not in page.locator("#main").inner_text()
    page.goto(f"{company.url}/desk/tickets/{made['ticket_id']}")
    expect(page.locator(".thread .event strong", has_text="Laptop").first).to_be_visible()
    assert "guest:" not in page.locator("#main").inner_text()


@pytest.mark.parametrize(("before", "now"), [("people", "users"), ("moving", "import_export")])
def test_a_saved_link_to_a_renamed_section_still_leads_there(open_tab, company, before, now):
    page = open_section(open_tab(desk=company), f"{before}?from=saved")
    expect(page).to_have_url(re.compile(rf"/admin/{now}\?from=saved$"))
    expect(page.locator(".side [aria-current=page]")).to_have_count(1)


def test_an_admin_brings_in_a_person_and_a_key(open_tab, company):
    tab = open_tab(desk=company)
    page = open_section(tab, "users")
    button(page, "Add a person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Bo Chen")
    dialog.get_by_label("E-mail").fill("not an address")
    dialog.get_by_label("Team").select_option("finance")
    with tab.expecting(400):
        dialog.locator("[type=submit]").click()
    expect(dialog.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("E-mail")).to_be_focused()
    expect(dialog.get_by_label("Name")).to_have_value("Bo Chen")
    dialog.get_by_label("E-mail").fill(f"bo@{company.domain}")
    dialog.locator("[type=submit]").click()
    link = page.get_by_role("dialog", name="The link of the invitation")  # this server mails nothing
    expect(link.locator("code")).to_have_text(re.compile("/accept#"))
    button(page, "I have kept it").click()
    row = page.get_by_role("row", name=re.compile("Bo Chen"))
    expect(row).to_contain_text(re.compile("Finance.*Invited", re.DOTALL))

    button(page, "Actions for Bo Chen").click()
    page.get_by_role("menuitem", name="Keep out").click()
    button(page.get_by_role("dialog"), "Keep out").click()
    expect(row).to_contain_text("Kept out")
    expect(button(page, "Actions for Bo Chen")).to_be_focused()
    page.keyboard.press("z")  # takes back what the newest sentence at the bottom tells
    expect(row).to_contain_text("Invited")
    tab.shot("admin-users")

    go_to(page, "API keys")
    button(page, "Make a key").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Zapier")
    page.get_by_role("dialog").get_by_label("tickets.read").check()
    page.get_by_role("dialog").locator("[type=submit]").click()
    key = page.get_by_role("dialog", name="Key of Zapier").locator("code").inner_text()
    assert company.call("GET", "/api/tickets", key=key) == []
    button(page, "I have kept it").click()
    expect(page.get_by_role("row", name=re.compile("Zapier"))).to_contain_text("tickets.read")
    assert key not in page.content()


def test_an_article_is_written_and_answers_and_a_gap_becomes_one(open_tab, company):
    page = open_section(open_tab(desk=company), "knowledge/new")
    page.get_by_label("Title").fill("How to change the roof colour")
    page.get_by_role("textbox", name="Text").fill(
        "Open **Settings**, then choose a *roof colour*.\n\n- [Docs](https://example.com)"
    )
    preview = page.get_by_role("region", name="Preview")
    expect(preview.locator("strong")).to_have_text("Settings")
    expect(preview.get_by_role("link", name="Docs")).to_have_attribute("rel", re.compile("noopener"))
    button(page, "Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How to change the roof colour")
    article = page.url.rpartition("/")[2]

    company.call("PATCH", f"/api/knowledge/{article}", {"body": "Theirs."})
    page.get_by_role("textbox", name="Text").fill("Mine: open Settings, choose a roof colour.")
    page.on("dialog", lambda dialog: dialog.dismiss())
    go_back = page.get_by_role("main").get_by_role("link", name="Articles")
    go_back.click()
    expect(page.get_by_role("textbox", name="Text")).to_have_value(re.compile("^Mine"))


def test_a_conflict_of_an_article_shows_both_and_loses_neither(open_tab, company):
    article = company.call("POST", "/api/knowledge", {"title": "Roof colour", "body": "Choose it in Settings."})
    tab = open_tab(desk=company)
    page = open_section(tab, f"knowledge/{article['id']}")
    company.call("PATCH", f"/api/knowledge/{article['id']}", {"body": "Theirs."})
    page.get_by_role("textbox", name="Text").fill("Mine: the roof colour is in Settings.")
    with tab.expecting(412):
        button(page, "Save").click()
    page.get_by_text("Show theirs").click()
    expect(page.get_by_role("alert").get_by_text("Theirs.")).to_be_visible()
    button(page, "Save mine over it").click()
    expect(page.locator(".toast", has_text="Saved.").last).to_be_visible()
    expect(page.get_by_role("alert").get_by_text("Theirs.")).to_have_count(0)
    assert company.call("GET", f"/api/knowledge/{article['id']}")["body"].startswith("Mine")

    go_to(page, "Articles")
    page.get_by_label("Question").fill("Where do I change the roof colour?")
    button(page, "Try it").click()
    expect(page.locator(".passage").first).to_contain_text("Mine: the roof colour")


def test_rules_are_added_moved_and_tried(open_tab, company):
    company.call(
        "POST",
        "/api/routing/rules",
        {"name": "Bills", "conditions": [{"field": "word", "op": "is", "value": "bill"}], "team": "sales"},
    )
    tab = open_tab(desk=company)
    page = open_section(tab, "routing")
    button(page, "Add a rule").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Roofs")
    dialog.get_by_label("Value").fill("roof")
    dialog.get_by_label("Team").select_option("finance")
    dialog.get_by_label("Tags").fill("roof, colour")
    dialog.locator("[type=submit]").click()
    rules = page.get_by_role("list", name="Routing rules").get_by_role("listitem")
    expect(rules).to_contain_text(["Bills", "Roofs"])
    up = button(page, "Move Roofs up")
    up.focus()
    page.keyboard.press("Enter")
    expect(rules).to_contain_text(["Roofs", "Bills"])
    page.get_by_label("Subject").fill("A bill for the roof")
    page.get_by_label("What the customer writes").fill("The bill for my roof is wrong")
    button(page, "Try it").click()
    expect(page.locator(".answer")).to_contain_text("Finance")
    expect(page.locator(".reasons")).to_contain_text("Roofs")
    tab.shot("admin-routing")


def test_a_wrong_setting_is_told_at_its_field_and_loses_nothing(open_tab, company):
    tab = open_tab(desk=company)
    page = open_section(tab, "settings")
    page.get_by_label("Name of the sender").fill("Roof help")
    page.get_by_label("Customers that make an incident").fill("1")
    expect(page.get_by_text("2 changes are not saved.")).to_be_visible()
    with tab.expecting(400):
        button(page, "Save").click()
    wrong = page.get_by_label("Customers that make an incident")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_accessible_description(re.compile("from 2 to 100"))
    expect(page.get_by_label("Name of the sender")).to_have_value("Roof help")
    assert company.call("GET", "/api/settings")["mail_name"] == ""
    tab.shot("admin-settings")
    wrong.fill("7")
    button(page, "Save").click()
    expect(page.get_by_text("changes are not saved")).to_be_hidden()
    stored = company.call("GET", "/api/settings")
    assert (stored["mail_name"], stored["incident_customers"]) == ("Roof help", 7)
    page.get_by_label("Name of the sender").fill("")
    button(page, "Save").click()
    expect(page.get_by_text("is not saved")).to_be_hidden()
    assert company.call("GET", "/api/settings")["mail_name"] == ""

    go_to(page, "Agreed times")
    first = page.get_by_label("First answer (min)").first
    first.fill("45")
    page.get_by_label("Closes").first.fill("17:00")
    button(page, "Save").click()
    expect(page.get_by_text("changes are not saved")).to_be_hidden()
    stored = company.call("GET", "/api/settings")
    assert (stored["sla"][0]["first_response_minutes"], stored["hours"]["days"][0]["closes"]) == (45, "17:00")


def test_a_webhook_gets_a_sample_and_tells_what_became_of_it(open_tab, company):
    tab = open_tab(desk=company)
    page = open_section(tab, "webhooks")
    with Receiver() as receiver:
        button(page, "Add a webhook").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Address").fill(receiver.url)
        dialog.get_by_label("Name").fill("Ops")
        dialog.locator("[type=submit]").click()
        expect(page.get_by_role("dialog", name="The secret of this webhook").locator("code")).to_have_text(
            re.compile("^whsec_")
        )
        button(page, "I have kept it").click()
        page.get_by_role("link", name="Ops").click()
        button(page, "Send a sample").click()
        receiver.wait(1)
        expect(page.get_by_role("row", name=re.compile("Delivered"))).to_contain_text("200")
        tab.shot("admin-webhook")


@pytest.mark.parametrize(
    ("role", "sections", "hidden"),
    [
        ("agent", ("Teams", "Articles", "My account"), ("People", "API keys", "Audit", "Webhooks")),
        ("customer", ("My account",), ("Teams", "Articles", "People")),
    ],
)
def test_nobody_sees_more_than_their_role(open_tab, company, role, sections, hidden):
    tab = open_tab(desk=company)
    page = open_section(tab, "me", role)
    navigation = page.get_by_role("navigation", name="Sections")
    for name in sections:
        expect(navigation.get_by_role("link", name=name, exact=True)).to_be_visible()
    for name in hidden:
        expect(navigation.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("This one"))).to_be_visible()  # the session of this tab
    if role == "customer":
        for path in ("/admin", "/admin/users"):
            tab.open(path)
            expect(page.get_by_role("heading", name="This page is not for a customer.")).to_be_visible()
    if role == "agent":
        page.get_by_label("Takes new tickets").uncheck()
        expect(page.get_by_text("You are away.")).to_be_visible()
        go_to(page, "Settings")
        expect(page.get_by_label("Name of the sender")).to_be_disabled()
        expect(button(page, "Save")).to_have_count(0)


def fill_with_hostile_words(company):
    """Case 31 in every text that an admin page shows."""
    name = HOSTILE[:110]
    company.call("POST", "/api/users", {"name": name, "email": f"x@{company.domain}", "role": "agent"})
    company.call("POST", "/api/keys", {"name": name, "role": "agent"})
    company.call("POST", "/api/teams", {"name": name, "key": "odd", "members": [f"x@{company.domain}"]})
    company.call(
        "POST",
        "/api/routing/rules",
        {
            "name": name,
            "conditions": [{"field": "word", "op": "is", "value": HOSTILE[:90]}],
            "team": "odd",
            "tags": [HOSTILE[:49]],
        },
    )
    company.call(
        "POST", "/api/macros", {"name": name, "body": HOSTILE.replace("{{7*7}}", ""), "set": {"tags": [HOSTILE[:49]]}}
    )
    company.call("POST", "/api/views", {"name": name, "filter": {"q": HOSTILE[:90]}, "shared": True})
    company.call("POST", "/api/topics/examples", {"text": HOSTILE, "topic": HOSTILE[:40]})
    company.call("POST", "/api/knowledge", {"title": HOSTILE, "body": HOSTILE, "tags": [HOSTILE[:49]]})
    company.call(
        "PUT",
        "/api/settings/notices",
        {"kind": "public_reply", "subject": "<b>x</b>", "text": HOSTILE.replace("{{7*7}}", "")},
    )
    company.call("PUT", "/api/settings", {"mail_name": name, "ai_tone": HOSTILE[:190]})
    fields = {"title": name, "description": HOSTILE, "customer_email": "ana@example.com", "tags": [HOSTILE[:49]]}
    ticket = company.call("POST", "/api/tickets", fields)
    path = f"/api/tickets/{ticket['id']}/draft"
    draft = company.call("POST", path, {"tone": "brief"})
    company.call("POST", f"{path}/{draft['draft_id']}", {"outcome": "discarded", "reason_text": HOSTILE})


def test_31_hostile_words_stay_words_and_every_section_is_accessible(open_tab, company):
    fill_with_hostile_words(company)
    tab = open_tab(desk=company)
    page = open_section(tab, "users")
    page.on("dialog", lambda dialog: pytest.fail(f"A script ran: {dialog.message}"))
    names = page.get_by_role("navigation", name="Sections").get_by_role("link").all_inner_texts()
    assert len(names) > 15
    article = company.call("GET", "/api/knowledge")[0]["id"]
    paths = (
        page.get_by_role("navigation", name="Sections")
        .get_by_role("link")
        .evaluate_all("(all) => all.map((one) => one.pathname)")
    )
    for path in [*paths[1:], f"/admin/knowledge/{article}", "/admin/notices/public_reply"]:
        page.goto(path)
        expect(page.locator(READY)).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert (
            page.locator("main img, main script, main [onload], main [onerror], main a[href^='javascript']").count()
            == 0
        ), path
        tab.settle()
        tab.shot(f"admin-all-{path.rpartition('/')[2]}")
        assert_accessible(page)


def test_files_come_in_checked_first_and_go_out(open_tab, company):
    tab = open_tab(desk=company)
    page = open_section(tab, "import_export")
    text = b"Betreff,description,customer_email\nRoof,The roof leaks,ana@example.com\nBad,,nobody\n"
    page.get_by_label("File", exact=True).set_input_files({"name": "old.csv", "mimeType": "text/csv", "buffer": text})
    page.get_by_role("row", name=re.compile("Betreff")).get_by_role("combobox").select_option("title")
    button(page, "Check the file").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert company.call("GET", "/api/tickets") == []
    button(page, "Import old.csv").click()
    expect(page.get_by_text("The file was imported.")).to_be_visible()
    assert [ticket["title"] for ticket in company.call("GET", "/api/tickets")] == ["Roof"]
    with page.expect_download() as tickets:
        button(page, "CSV").click()
    assert b"The roof leaks" in tickets.value.path().read_bytes()
    button(page, "Export everything").click()
    with page.expect_download() as everything:
        page.get_by_role("button", name=re.compile("^Download")).click()
    page.get_by_label("Bring in such a file").set_input_files(everything.value.path())
    expect(page.get_by_text("Import", exact=True)).to_be_visible()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    expect(page.locator(".facts", has_text="Created").first).to_contain_text("0")

    page = open_section(tab, "knowledge/import")
    article = b"---\ntitle: Roofs\n---\nCall the roofer.\n"
    page.get_by_label("Files").set_input_files(
        [
            {"name": "roofs.md", "mimeType": "text/markdown", "buffer": article},
            {"name": "odd.json", "mimeType": "application/json", "buffer": b'[{"title": "No text"}]'},
        ]
    )
    expect(page.get_by_role("row", name=re.compile("roofs.md"))).to_contain_text("1 new")
    expect(page.get_by_role("row", name=re.compile("odd.json"))).to_contain_text("1 refused")


def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(open_tab, company):
    agent = company.person("agent")
    company.call("PUT", "/api/settings", {"require_second_factor": "staff"})
    tab = open_tab(desk=company)
    with tab.expecting(403):
        page = tab.open_as(agent, "/admin/me")
    expect(page.get_by_text("Your company requires a second factor.")).to_be_visible()
    button(page, "Set it up").click()
    dialog = page.get_by_role("dialog", name="Set up a second factor")
    expect(dialog.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    dialog.get_by_text("The app cannot scan?").click()
    secret = dialog.locator("code").inner_text()
    dialog.get_by_label("Code of the app").fill("000000")
    with tab.expecting(400):
        button(dialog, "Switch on").click()
    expect(dialog.get_by_label("Code of the app")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Code of the app").fill(pyotp.TOTP(secret).now())
    button(dialog, "Switch on").click()
    codes = page.get_by_role("dialog", name="Recovery codes")
    assert len(codes.locator("code").inner_text().split()) == 10
    button(codes, "I have kept them").click()
    expect(page.get_by_role("heading", level=1, name="My account")).to_be_focused()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
