"""The requests of a browser's context that are under way. Pictures and tests wait until there are none."""

import time

from playwright.sync_api import BrowserContext, Page, Request

PATIENCE_SECONDS = 30
LOCAL = ("data:", "blob:", "about:")
# Two frames: what a script started in this one has begun by then, and its fonts are there.
NEXT_FRAMES = (
    "() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0))))"
)


class OpenRequests:
    """Notes the requests of a context until their answers are read to the end. `discard` takes one off earlier."""

    def __init__(self, context: BrowserContext) -> None:
        self._open: set[Request] = set()
        context.on("request", self._note)
        context.on("requestfinished", self.discard)
        context.on("requestfailed", self.discard)

    def discard(self, request: Request) -> None:
        """Waits no longer for a request."""
        self._open.discard(request)

    def settle(self, page: Page) -> None:
        """Waits until no request is open and the page had the time to start the next. Polling ends between two calls.

        Raises AssertionError after PATIENCE_SECONDS.
        """
        quiet = 0
        until = time.monotonic() + PATIENCE_SECONDS
        while quiet < 2:
            page.evaluate(NEXT_FRAMES)
            quiet = 0 if self._open else quiet + 1
            if time.monotonic() > until:
                raise AssertionError(f"never done: {[request.url for request in self._open]}")

    def _note(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self._open.add(request)
