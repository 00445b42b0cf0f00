"""The web pages: their files exist, come from this server only, and hold no secret."""

import re
from html.parser import HTMLParser

import pytest

from web.pages import HERE, OWN_FILES, README

PAGES = ("/docs",)
VOID = {"meta", "link", "img", "br"}
OUTSIDE = re.compile(r"""(?:https?:)?//[\w.-]+\.\w+|data:|@import""")


@pytest.fixture
def engine() -> str:
    """Pages know no storage."""
    return "json"


class Reader(HTMLParser):
    """Notes what a page names, and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.named: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.named += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.scripts += data


@pytest.fixture
def client(app):
    """A browser without a key."""
    return app.test_client()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_complete_and_has_its_headers(client, path):
    response = client.get(path)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy, "scripts come from here alone, by default-src"
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    page = Reader(response.text)
    assert page.open == []
    assert page.scripts.strip() == "", "nothing inline"
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "style"]
    assert ("html", "en") in [(tag, attrs.get("lang")) for tag, attrs in page.tags]
    assert all("alt" in attrs for tag, attrs in page.tags if tag == "img")


@pytest.mark.parametrize("path", PAGES)
def test_every_file_that_a_page_names_exists(client, path):
    page = Reader(client.get(path).text)
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert page.named
    for name in page.named:
        if name.startswith("#"):
            assert name[1:] in ids, name
        elif name != "/README.md" or README.is_file():
            assert client.get(name).status_code == 200, name
    for _, attrs in page.tags:
        assert (attrs.get("aria-labelledby") or next(iter(ids))) in ids


def test_no_page_holds_a_key(client, runtime):
    assert runtime.storage
    for path in ("/", *PAGES):
        text = client.get(path).text
        assert "admin-key" not in text
        assert "fk_" not in text


def test_every_element_that_a_script_fills_exists():
    ids = {attrs.get("id") for _, attrs in Reader((HERE / "docs.html").read_text("utf-8")).tags}
    names = re.findall(r"""getElementById\("([\w-]+)"|dom_id: "#([\w-]+)\"""", (HERE / "docs.js").read_text("utf-8"))
    assert names
    assert {first or second for first, second in names} <= ids


@pytest.mark.parametrize("name", ["docs.html", "shell.html", *OWN_FILES])
def test_our_files_load_nothing_from_other_hosts(name):
    text = (HERE / name).read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    text = text.replace("http://127.0.0.1:5000", "")  # what the script replaces by this server's own address
    assert not OUTSIDE.search(text), OUTSIDE.search(text)


def test_swagger_ui_comes_from_its_package_and_is_cached_long(client):
    page = Reader(client.get("/docs").text)
    files = [name for name in page.named if name.startswith("/docs/assets/")]
    assert {name.rpartition("/")[2] for name in files} == {"swagger-ui.css", "swagger-ui-bundle.js"}
    for name in files:
        response = client.get(name)
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["Cache-Control"]
        assert len(response.data) > 100_000


@pytest.mark.parametrize(
    "path",
    [
        "/assets/pages.py",
        "/assets/..%2fapp.py",
        "/assets/shell.html",
        "/docs/assets/1/swagger-ui.css",
        "/docs/assets/x/index.html",
        "/nothing",
    ],
)
def test_nothing_else_is_served(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.json["success"] is False


def test_our_files_are_revalidated_and_not_sent_again(client):
    first = client.get("/assets/style.css")
    assert first.headers["Content-Type"] == "text/css; charset=utf-8"
    again = client.get("/assets/style.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
