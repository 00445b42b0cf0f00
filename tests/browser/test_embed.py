"""The chat on another site: by one script tag, only where the company names the site, and neither side reads the other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chats import file, names_of_files, only_chat, reply_with_a_file
from tools.screenshots.desk import Desk

PAGE = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Shop</title><h1>Shop</h1>{}'


@contextmanager
def shop(script: str) -> Iterator[str]:
    """The address of a site of another origin whose pages hold the script tag."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(script).encode()
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            # A careful site: its policy allows the script and the frame of the desk and nothing inline.
            desk = script.partition('src="')[2].partition("/embed.js")[0]
            self.send_header("Content-Security-Policy", f"default-src 'none'; script-src {desk}; frame-src {desk}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def shop_url(company: Desk) -> Iterator[str]:
    with shop(f'<script src="{company.url}/embed.js" data-company="{company.company}" async></script>') as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.problems = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.problems.append(str(error)))  # type: ignore[attr-defined]
    page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))  # type: ignore[attr-defined]
    yield page
    context.close()


def test_a_site_that_the_company_names_shows_the_chat_and_gets_the_focus_back(page, company, shop_url):
    company.call("PUT", "/api/settings", {"chat_origins": [shop_url]})
    page.goto(shop_url)
    opener = page.get_by_role("button", name="Help")
    box = opener.bounding_box()
    assert (box["height"], box["width"] >= 56, 1280 - box["x"] - box["width"]) == (56, True, 20)
    opener.click()
    chat = page.frame_locator("iframe")
    chat.get_by_role("heading", name=company.company).wait_for()
    frame = page.locator("iframe")
    assert frame.get_attribute("sandbox") == "allow-scripts allow-forms allow-popups allow-downloads allow-same-origin"
    assert (frame.bounding_box()["width"], frame.bounding_box()["height"]) == (380, 640)
    chat.locator("input[type=file]").set_input_files([file("shop.txt")])
    chat.get_by_role("textbox").fill("Hello from the shop.")
    chat.get_by_role("textbox").press("Enter")
    chat.get_by_role("button", name="shop.txt").wait_for()
    assert names_of_files(company, only_chat(company)) == {"Hello from the shop.": ["shop.txt"]}
    reply_with_a_file(company, only_chat(company), "From the desk.")
    with page.expect_download() as download:
        chat.get_by_role("button", name="answer.txt").click()
    assert download.value.suggested_filename == "answer.txt"

    seen = page.evaluate(
        """() => {
            const frame = document.querySelector("body > div").shadowRoot.querySelector("iframe");
            const tryIt = (what) => { try { return String(what()); } catch (error) { return error.name; } };
            return [tryIt(() => frame.contentDocument), tryIt(() => frame.contentWindow.sessionStorage),
                sessionStorage.length, document.cookie];
        }"""
    )
    assert seen == ["null", "SecurityError", 0, ""], "the site cannot look into the chat"
    page.evaluate("postMessage({ foyer: 'close' }, '*')")  # not from the frame, so nothing happens
    assert frame.is_visible()

    chat.get_by_role("textbox").press("Escape")
    frame.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.textContent") == "Help"
    page.keyboard.press("Enter")
    chat.get_by_text("Hello from the shop.").wait_for()
    chat.get_by_role("button", name="Close").click()
    frame.wait_for(state="hidden")

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Help").click()
    assert frame.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.problems == []


@pytest.mark.parametrize("named", [[], ["https://elsewhere.example"]])
def test_a_site_that_the_company_does_not_name_gets_nothing(page, company, shop_url, named):
    company.call("PUT", "/api/settings", {"chat_origins": named})
    page.goto(shop_url)
    page.get_by_role("button", name="Help").click()
    page.wait_for_function("() => document.querySelector('body > div').shadowRoot.querySelector('iframe')")
    page.wait_for_timeout(500)
    (_, frame) = page.frames
    assert company.url not in frame.url
    assert any("frame-ancestors" in problem for problem in page.problems)
    assert company.call("GET", "/api/tickets") == []


def test_no_other_page_of_the_desk_may_be_framed_by_a_named_site(page, company):
    with shop(f'<script src="{company.url}/embed.js"></script><iframe src="{company.url}/portal"></iframe>') as url:
        company.call("PUT", "/api/settings", {"chat_origins": [url]})
        page.goto(url)
        page.wait_for_timeout(500)
        assert company.url not in page.frames[1].url
