"""Chromium under Playwright, as pictures, tests and benchmarks use it. Nothing else starts a browser.

The browser is the one of the machine: the package `chromium` of Debian and Ubuntu. Playwright downloads none.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tools.screenshots.open_requests import NEXT_FRAMES

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_INSTALL = "Chromium is not installed. Install it with: apt-get install chromium fonts-liberation"
SAME_PICTURES = 20  # so often a picture is taken until two in a row are the same
# Only this machine is reached, and text looks the same on every machine with the same fonts. Debian's Chromium draws on
# the graphics card where it can, which draws the same page differently now and then.
SWITCHES = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--font-render-hinting=none", "--disable-gpu")


class NoBrowser(Exception):
    """Chromium is not installed; the message says how to install it."""


@dataclass(frozen=True)
class Look:
    """A size of the window in pixels and a colour scheme."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


LOOKS = (
    Look("1280-light", 1280, 800, "light"),
    Look("1280-dark", 1280, 800, "dark"),
    Look("390-light", 390, 844, "light"),
)


def program() -> str:
    """The path of Chromium. Raises NoBrowser."""
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise NoBrowser(HOW_TO_INSTALL)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser, closed after the block. Raises NoBrowser."""
    path = program()
    as_root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []  # which Chromium asks of root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*SWITCHES, *as_root])
        yield browser
        browser.close()


def show(page: Page, look: Look) -> None:
    """Gives the page the size and the colours of a look, and waits until it is drawn so."""
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
    page.evaluate(NEXT_FRAMES)


def save(page: Page, file: Path, *, whole: bool) -> None:
    """Writes a picture of the window or, with `whole`, of the page to its end. Nothing moves in it.

    Raises AssertionError when the page shows something else each time.
    """
    last = b""
    for _ in range(SAME_PICTURES):
        picture = page.screenshot(full_page=whole, animations="disabled", caret="hide")
        if picture == last:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture)
            return
        last = picture
        page.evaluate(NEXT_FRAMES)
    raise AssertionError(f"{page.url} is never drawn the same twice")


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window: 0 when it does not scroll sideways."""
    pixels: int = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels
