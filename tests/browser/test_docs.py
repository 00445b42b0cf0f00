"""The API page: Swagger UI shows every route and calls this server, within the page's policy."""


def try_out(page, operation):
    """Calls the operation that the page was opened at: Swagger UI draws only what is near the window."""
    shown = page.locator(f"#operations-{operation}")
    shown.get_by_role("button", name="Try it out").click()
    shown.get_by_role("button", name="Execute").click()
    return shown


def test_a_route_can_be_tried_out(tab):
    health = try_out(tab.open("/docs#/health/GetHealth"), "health-GetHealth")
    answer = health.locator(".live-responses-table")
    answer.get_by_text('"success": true').wait_for()
    assert answer.locator(".response-col_status").last.inner_text().startswith("200")
    assert f"{tab.desk.url}/api/health" in health.locator(".request-url").inner_text()


def test_a_key_that_is_typed_in_is_sent_and_not_kept(tab):
    page = tab.open("/docs")
    page.get_by_placeholder("Filter by tag or path").fill("/api/me")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator("#api_key_value").fill(tab.desk.person("agent").key)
    page.get_by_role("button", name="Apply credentials").first.click()
    page.get_by_role("button", name="Close").first.click()
    page.locator("#operations-me-GetMe .opblock-summary-control").click()
    me = try_out(page, "me-GetMe")
    me.locator(".live-responses-table").get_by_text('"role": "agent"').wait_for()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_the_page_is_dark_where_the_system_is(tab):
    page = tab.open("/docs")
    page.emulate_media(color_scheme="dark")
    tab.wait_until(lambda: page.evaluate("document.documentElement.classList.contains('dark-mode')"), "it stays light")
