"""What the policy of the console forbids is forbidden in a real browser, and the console is small."""

import pytest
import requests

from tests.browser.conftest import tabs
from tools.screenshots.open_requests import PATIENCE_SECONDS
from tools.screenshots.pages import PAGES

MOST_BYTES = 100 * 1024  # of everything that the desk loads beside its data, compressed
CONSOLE = [page for page in PAGES if page.path.partition("?")[0] != "/docs"]
MARKUP = "document.body.innerHTML = '<b>x</b>'"
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; {ancestors}; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


@pytest.mark.parametrize("page", CONSOLE, ids=lambda page: page.name)
def test_a_page_of_the_console_sends_the_policy(desk, page):
    response = requests.get(desk.url + page.path_for(desk), timeout=PATIENCE_SECONDS)
    parts = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    ancestors = f"frame-ancestors {parts['frame-ancestors']}"
    assert page.path.startswith("/chat") or ancestors == "frame-ancestors 'none'"
    assert response.headers["content-security-policy"] == POLICY.format(ancestors=ancestors)


def test_a_page_of_the_console_makes_no_markup_of_text(browser, desk):
    with (
        pytest.raises(AssertionError, match="policy: require-trusted-types-for"),
        tabs(browser, desk, None) as open_tab,
    ):
        _make_markup(open_tab().open("/desk"))


def _make_markup(page):
    refused = f"() => {{ try {{ {MARKUP}; return ''; }} catch (error) {{ return error.name; }} }}"
    assert page.evaluate(refused) == "TypeError"


def test_the_desk_loads_less_than_100_kib(tab):
    loaded = {}
    tab.page.on("requestfinished", lambda request: loaded.update({request.url: request}))
    tab.open_as("agent", "/desk")
    files = {url: one.sizes()["responseBodySize"] for url, one in loaded.items() if "/api/" not in url}
    assert len(files) > 10
    assert sum(files.values()) < MOST_BYTES, sorted(files.items(), key=lambda item: -item[1])[:10]
