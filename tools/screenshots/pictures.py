"""Takes the pictures: each page in each look, in a context of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from playwright.sync_api import Browser

from tools.screenshots.browser import LOOKS, save, show
from tools.screenshots.desk import Desk
from tools.screenshots.open_requests import OpenRequests
from tools.screenshots.pages import Page
from tools.screenshots.server import NOW
from tools.screenshots.visit import visit


def take(browser: Browser, desk: Desk, folder: Path, pages: Iterable[Page]) -> Iterator[Path]:
    """Writes the pictures of these pages of a desk at the time NOW, and gives the file of each."""
    for listed in pages:
        with browser.new_context(reduced_motion="reduce", locale="en-GB", timezone_id="UTC") as context:
            page = context.new_page()
            page.clock.set_fixed_time(NOW)
            requests = OpenRequests(context)
            visit(page, desk, listed)
            requests.settle(page)
            # Chromium redraws only what changed, with slightly different edges. A new window size redraws everything.
            show(page, LOOKS[-1])
            for look in LOOKS:
                show(page, look)
                requests.settle(page)
                file = folder / f"{listed.name}-{look.name}.png"
                save(page, file, whole=listed.whole)
                yield file
