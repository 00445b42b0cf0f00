"""Fixtures of the tests in a browser: one browser and one server for each worker, a tab of its own for each test.

Write a test with `tab` (demo data, which it only reads) or `company` and `open_tab` (an empty company, to change).
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.tab import Tab
from tests.fakes.postgres_server import not_here
from tests.fakes.running_server import KEY, running_server
from tools.screenshots.browser import NoBrowser, open_browser
from tools.screenshots.desk import PASSWORD, Desk

FAILED = pytest.StashKey[bool]()
_numbers = count(1)


@pytest.fixture
def engine() -> str:
    """Pages know no storage."""
    return "json"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Without it the test is skipped; in CI it fails."""
    try:
        with open_browser() as browser:
            yield browser
    except NoBrowser as error:
        not_here(str(error))


@pytest.fixture(scope="session")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The company `default` of a running server, with demo data. Tests only read it."""
    with running_server(tmp_path_factory.mktemp("server"), RATE_LIMIT="off", WEBHOOK_ALLOW_HOSTS="127.0.0.1") as url:
        desk = Desk(url, KEY)
        desk.fill()
        yield desk


@pytest.fixture
def company(desk: Desk) -> Desk:
    """A new company of the same server, without tickets, for a test that changes things."""
    number = next(_numbers)
    name, domain = f"Company {number}", f"company-{number}.example"
    admin = {"company": name, "name": "Zoë", "email": f"zoe@{domain}", "password": PASSWORD}
    token = desk.call("POST", "/api/companies", admin)["access_token"]
    return Desk(desk.url, token=token, company=name, domain=domain)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells the fixtures of a test whether it failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@contextmanager
def tabs(browser: Browser, desk: Desk, shots: Path | None) -> Iterator[Callable[..., Tab]]:
    """Opens tabs (desk=, look=, and what a context of Playwright takes); checks and closes them after the block."""
    opened: list[Tab] = []

    def open_tab(*, desk: Desk = desk, **options: Any) -> Tab:
        opened.append(Tab(browser, desk, shots=shots, **options))
        return opened[-1]

    try:
        yield open_tab
        for tab in opened:
            tab.check()
    finally:
        for tab in opened:
            tab.close()


@pytest.fixture
def open_tab(
    browser: Browser, desk: Desk, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, as `tabs` does. The test fails for whatever they noted; then there is a picture of each tab."""
    folder = request.config.getoption("--shots")
    with tabs(browser, desk, Path(folder) if folder else None) as open_tab:
        yield open_tab
        if request.node.stash.get(FAILED, False):
            for number, page in enumerate(page for context in browser.contexts for page in context.pages):
                page.screenshot(path=tmp_path / f"failed-{number}.png")
                print(f"What {page.url} showed: {tmp_path / f'failed-{number}.png'}")  # noqa: T201


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Tab:
    """A tab at the company with demo data."""
    return open_tab()
