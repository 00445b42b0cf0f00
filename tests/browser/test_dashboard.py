"""The dashboard: its numbers are those of the API, and its charts are read with the keyboard."""

from playwright.sync_api import expect


def test_numbers_lead_to_their_queue_and_charts_are_read_with_keys(tab):
    page = tab.open_as("admin", "/admin")
    page.locator(".figures").wait_for()
    stats = tab.desk.call("GET", "/api/stats")
    expect(page.get_by_role("group", name="Agreed times by week, 12 weeks")).to_be_visible()
    expect(page.locator(".chart", has_text="Most frequent tags")).to_be_visible()
    open_tickets = page.locator(".figures a").first
    assert str(stats["open_tickets"]) in open_tickets.inner_text()
    assert open_tickets.get_attribute("href") == "/desk?status=open"
    chart = page.get_by_role("group", name="Opened and resolved, 30 days")
    chart.focus()
    page.keyboard.press("End")
    opened, resolved = stats["created_per_day"][-1]["count"], stats["resolved_per_day"][-1]["count"]
    figure = page.locator("figure", has=chart)
    assert f"Opened {opened}, Resolved {resolved}" in figure.locator("output").inner_text()
    page.keyboard.press("ArrowLeft")
    assert f"Opened {stats['created_per_day'][-2]['count']}," in figure.locator("output").inner_text()
    figure.get_by_text("As a table").click()
    figure.locator("tbody tr").last.wait_for()  # the table is made when it is opened
    assert figure.locator("tbody tr").count() == 30


def test_the_address_holds_the_period_and_the_team(tab):
    page = tab.open_as("admin", "/admin")
    page.get_by_role("button", name="7 days", exact=True).click()
    page.get_by_label("Team").select_option(label="Finance")
    page.wait_for_url("**/admin?range=7&team=finance")
    page.reload()
    page.locator(".figures").wait_for()
    assert page.get_by_role("button", name="7 days", exact=True).get_attribute("aria-pressed") == "true"
    assert page.get_by_label("Team").input_value() == "finance"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
        page.get_by_role("menuitem", name="As CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_an_empty_company_has_an_empty_dashboard(open_tab, company):
    page = open_tab(desk=company).open_as("admin", "/admin")
    page.locator(".figures").wait_for()
    assert page.locator(".figures strong").all_inner_texts() == ["0", "0", "0", "–", "–"]
