"""A tab of the browser that notes everything a user would call broken, and fails the test for it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Response

from tools.screenshots.browser import LOOKS, Look, overflow, save, show
from tools.screenshots.desk import Desk, Person
from tools.screenshots.open_requests import LOCAL, NEXT_FRAMES, PATIENCE_SECONDS, OpenRequests
from tools.screenshots.visit import sign_in

# What Chromium writes about an answer of 400 and above; `Tab` notes those answers themselves.
ABOUT_ANSWERS = "Failed to load resource: the server responded with a status of"
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => reportViolation(
    `${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample}`))"""


class Tab:
    """One page in a context of its own. `check` raises AssertionError for what was noted since the last check.

    Noted are: errors in the console, errors of scripts, violations of the policy, requests to other origins, requests
    that failed, and answers of 400 and above outside of `expecting` that are not `tolerated`.
    """

    def __init__(
        self, browser: Browser, desk: Desk, look: Look = LOOKS[0], *, shots: Path | None, **context: Any
    ) -> None:
        self.desk, self.look, self._shots = desk, look, shots
        self.problems: list[str] = []
        self._expected: Counter[int] = Counter()
        self.tolerated: set[int] = (
            set()
        )  # answers that a page may get by the way things happen to fall, and mends itself
        self.other_origins: set[str] = set()  # which the test sends the browser to
        size = {"width": look.width, "height": look.height}
        self.context = browser.new_context(
            viewport=size, color_scheme=look.scheme, reduced_motion="reduce", base_url=desk.url, **context
        )
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.context.expose_binding("reportViolation", lambda _, text: self.problems.append(f"policy: {text}"))
        self.context.add_init_script(REPORT_VIOLATIONS)
        self._requests = OpenRequests(self.context)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        self.context.on("request", self._note_request)
        self.context.on("requestfailed", self._note_failure)
        self.context.on("response", self._note_response)
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> Page:
        """Opens a path of the server and waits until nothing is loaded any more."""
        self.page.goto(path)
        self.settle()
        return self.page

    def open_as(self, who: str | Person, path: str = "/") -> Page:
        """Signs in a person, or the company's admin, agent or customer, and opens a path."""
        person = who if isinstance(who, Person) else self.desk.person(who)
        sign_in(self.page, self.desk, person)
        return self.open(path)

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Allows answers of this status in the block; fails when none comes."""
        self._expected[status] = 0
        yield
        self.wait_until(lambda: self._expected[status] > 0, f"no answer of {status} came")
        self.settle()
        del self._expected[status]

    def settle(self) -> None:
        """Waits until no request is open and the page had the time to start the next. Polling ends between two calls."""
        self._requests.settle(self.page)

    def wait_until(self, condition: Callable[[], bool], problem: str) -> None:
        """Waits until a condition holds that the page brings about. Raises AssertionError with `problem`."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, problem
            self.page.wait_for_timeout(20)

    def shot(self, name: str, *, whole: bool = True) -> None:
        """Shows the page in every look, none of which may scroll sideways; keeps pictures with `pytest --shots DIR`.

        With `whole` a picture shows the page to its end, not the window alone.
        """
        for look in LOOKS:
            show(self.page, look)
            assert not overflow(self.page), f"{name} in {look.name} is {overflow(self.page)} pixels too wide"
            if self._shots:
                save(self.page, self._shots / f"{name}-{look.name}.png", whole=whole)
        show(self.page, self.look)

    def check(self) -> None:
        """Raises AssertionError with all that was noted, and forgets it."""
        if not self.page.is_closed():
            self.page.evaluate(NEXT_FRAMES)
        problems, self.problems[:] = list(self.problems), []
        assert not problems, "\n".join(problems)

    def close(self) -> None:
        """Closes the tab."""
        self.context.close()

    def _note_console(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(ABOUT_ANSWERS):
            self.problems.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if request.url.startswith(LOCAL):
            return
        if _origin(request.url) not in {_origin(self.desk.url), *map(_origin, self.other_origins)}:
            self.problems.append(f"foreign: {request.method} {request.url}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # left by the page itself
            self.problems.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _note_response(self, response: Response) -> None:
        if response.request.resource_type == "fetch":  # it never ends when its script does not read the answer
            self._requests.discard(response.request)
        if response.status in self._expected:
            self._expected[response.status] += 1
        elif response.status >= 400 and response.status not in self.tolerated:
            self.problems.append(f"answer: {response.status} to {response.request.method} {response.url}")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
