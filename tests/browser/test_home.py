"""The front page: for a visitor, and for who opens the address of the terminal."""

from tests.fakes.running_server import KEY


def test_the_address_of_the_terminal_opens_signed_in_and_leaves_no_key(tab):
    page = tab.open(f"/#key={KEY}")
    page.get_by_role("heading", name="Your help desk is open").wait_for()
    assert page.url == f"{tab.desk.url}/"
    assert KEY not in page.content()
    links = page.locator("nav a").evaluate_all("all => all.map((a) => new URL(a.href).pathname)")
    assert links == ["/desk", "/admin", "/portal", "/chat", "/docs"]
    page.get_by_role("link", name="Open the desk").wait_for()
    page.goto(f"{tab.desk.url}/admin")
    page.locator(".figures").wait_for()
    page.go_back()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="How can we help?").wait_for()
    assert page.evaluate("Object.values(sessionStorage).join()").find(KEY) < 0


def test_the_demo_fills_an_empty_desk(open_tab, company):
    tab = open_tab(desk=company)
    page = tab.open_as("admin")
    page.get_by_role("button", name="Fill with the demo").click()
    page.get_by_role("link", name="Open the desk").wait_for()
    assert company.call("GET", "/api/tickets?limit=1")


def test_a_wrong_key_is_told_and_a_visitor_sees_help(tab):
    with tab.expecting(401):
        page = tab.open("/#key=fk_wrong")
        page.get_by_text("This key or session is not valid any more.").wait_for()
    assert page.locator("nav a").count() == 2
    page.reload()
    page.get_by_role("link", name="Get help").wait_for()


def test_the_page_speaks_german(open_tab):
    page = open_tab(locale="de-AT").open("/")
    page.get_by_role("heading", name="Wie können wir helfen?").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
