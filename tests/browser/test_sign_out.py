"""Signing out: what the page asked for ends with it, and the next sign-in in the same tab works as the first did."""

from playwright.sync_api import expect

from tools.screenshots.desk import PASSWORD


def test_signing_out_ends_what_the_page_asked_for(open_tab, company):
    tab = open_tab(desk=company)
    agent = company.person("agent")
    page = tab.open_as(agent, "/desk")
    unanswered, ended = [], []
    page.on("requestfailed", lambda request: ended.append((request.url.split("?")[0], request.failure)))
    page.route("**/api/events?**", lambda route: unanswered.append(route))
    tab.wait_until(lambda: unanswered, "no news were asked for")
    page.locator(".side > .button").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("button", name="Sign in", exact=True).wait_for()
    assert ended == [(f"{company.url}/api/events", "net::ERR_ABORTED")]
    expect(page.locator(".toast")).to_have_count(0)
    page.unroute("**/api/events?**")
    page.get_by_label("E-mail").fill(agent.email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_response("**/api/events?**"):
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.locator(".queue").wait_for()
