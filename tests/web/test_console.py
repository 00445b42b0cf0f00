"""The console: its shells, its files and its texts in two languages."""

import gzip
import json
import re

import pytest

from tools.screenshots.pages import ADMIN
from web.assets import HERE, ICONS, build
from web.shells import SHELLS

FORBIDDEN = re.compile(
    r"""\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"""
    r"""|DOMParser|createContextualFragment|\bsetHTML|serviceWorker|new (?:Shared)?Worker\b|setAttribute\(["'`](?:style|on)"""
    r"""|\bh\("[\w:-]+", \{[^}]*\bstyle:"""
)
SERVER_WORDS = re.compile(
    r"""\banswer\??\.message\b|\(await \w+\(.*\)\)\.message\b|\{[^{}]*\bmessage\b[^{}]*\} = await (?:get|post|put|patch|remove)\("""
)
NAME = re.compile(r"""\bt\(\s*["'`]([a-z_]+(?:\.\w+)+)["'`]""")


@pytest.fixture
def engine() -> str:
    """Pages know no storage."""
    return "json"


@pytest.fixture
def client(app):
    """A browser without a key."""
    return app.test_client()


def words(language: str) -> dict[str, str | dict[str, str]]:
    """The texts of a language by their full names."""
    text = "".join(path.read_text("utf-8") for path in sorted((HERE / "app/words").glob(f"*{language}.js")))
    found: dict[str, str | dict[str, str]] = {}
    path: list[str] = []
    for opened, closed, name, value in re.findall(
        r"""(?:(\w+): \{)|(\})|(?:(\w+): ("(?:[^"\\]|\\.)*"))""", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    ):
        if opened:
            path.append(opened)
        elif closed and path:
            path.pop()
        elif name:
            found[".".join([*path, name])] = json.loads(value)
    return found


ADDRESSES = [name.replace("home", "") for name in SHELLS]


@pytest.mark.parametrize("path", [*ADDRESSES, "desk/tickets/7?view=mine"])
def test_a_shell_is_served_at_each_of_its_addresses(client, path):
    response = client.get(f"/{path}")
    assert response.status_code == 200
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in response.headers["Content-Security-Policy"]
    assert client.get(f"/{path}", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_file_of_a_shell_exists_and_is_kept_for_a_year(client, path):
    files = re.findall(r'(?:href|src)="(/assets/[^"]+)"', client.get(f"/{path}").text)
    assert len(files) > 10
    for file in files:
        response = client.get(file)
        assert response.status_code == 200, file
        if file != "/assets/icon.svg":
            assert "immutable" in response.headers["Cache-Control"]


def test_a_file_is_sent_compressed_to_who_takes_it(client):
    url = build().url("app/dom.js")
    plain, packed = client.get(url), client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)


@pytest.mark.parametrize(
    "path", ["x/app/dom.js", "{name}/app/nothing.js", "{name}/../pages.py", "{name}/words/../assets.py"]
)
def test_nothing_else_is_served_from_the_folder(client, path):
    assert client.get(f"/assets/{path.replace('{name}', build().name)}").status_code == 404


def test_the_two_languages_have_the_same_texts_with_the_same_places():
    english, german = words("en"), words("de")
    assert len(english) > 40
    assert english.keys() == german.keys()
    for name, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", german[name])), name


def test_every_text_that_a_module_asks_for_exists():
    known = words("en")
    scripts = {path: asset.body.decode() for path, asset in build().files.items() if path.endswith(".js")}
    asked = {(path, name) for path, script in scripts.items() for name in NAME.findall(script)}
    assert len(asked) > 200
    assert {(path, name) for path, name in asked if not {name, f"{name}.other"} & known.keys()} == set()


MODULES = {
    path: asset.body.decode() for path, asset in build().files.items() if path.endswith(".js") and "/words/" not in path
}


def test_every_text_is_asked_for():
    """A name may be put together: `desk.tab_${name}` asks for all that begin so."""
    code = "".join(MODULES.values())
    asked = set(re.findall(r"""["'`]([a-z]\w*(?:\.\w+)+)["'`]""", code))
    begun = re.findall(r"""(?:\bt\(|words: |= )`([a-z_]+\.[\w.]*)\$\{""", code)
    begun += [f"{kind}." for kind in re.findall(r"""\b(?:word|named)\("([\w.]+)\"""", code)]
    begun += [
        f"admin.{kind}." for kinds in re.findall(r"\bknown\(\[([^\]]*)\]", code) for kind in re.findall(r"\w+", kinds)
    ]
    begun += ["signin.key", "signin.use_key"]  # the sign-in with a key, which has no panel yet
    begun += ["sla_status.", "source."]  # the name of a filter is the kind of its values
    dead = [name for name in words("en") if not name.startswith(tuple(begun))]
    assert [name for name in dead if not {name, re.sub(r"\.(?:one|other)$", "", name)} & asked] == []


def test_every_class_and_icon_is_used():
    own = [path.read_text("utf-8") for pattern in ("*.html", "*.js", "*.py") for path in HERE.glob(pattern)]
    code = "".join([*MODULES.values(), *own])
    used = set(re.findall(r"[\w-]+", code))
    for path in [*(HERE / "styles").glob("*.css"), HERE / "style.css"]:
        selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
        classes = set(re.findall(r"\.([a-z][\w-]*)", selectors))
        assert {name for name in classes - used if not name.startswith("series-")} == set(), path.name
    assert [name for name in ICONS if not re.search(rf"""["'`]{name}["'`]""", code)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "toast(answer.message)",
        'toast((await post("/api/demo")).message)',
        "said.textContent = answer?.message",
        "const { data, message } = await post(path)",
    ],
)
def test_a_shown_message_of_the_server_is_seen(planted):
    assert SERVER_WORDS.search(planted)


def test_no_page_shows_what_the_server_says_about_success():
    """The server speaks English; the pages have words in each language. `api.js` makes errors of its refusals."""
    found = {path for path, script in MODULES.items() if path != "app/api.js" and SERVER_WORDS.search(script)}
    assert found == set()


@pytest.mark.parametrize(
    "planted",
    ['x.innerHTML = "a"', 'h("p", { style: "a" })', 'eval("1")', "x.setAttribute('onclick', y)", "new DOMParser()"],
)
def test_a_way_around_trusted_types_is_seen(planted):
    assert FORBIDDEN.search(planted)


def test_no_module_makes_markup_of_text():
    for path, asset in build().files.items():
        if path.endswith(".js"):
            found = FORBIDDEN.search(asset.body.decode())
            assert not found, f"{path}: {found}"


def test_every_admin_page_is_in_the_list_of_pages():
    sections = re.findall(r'^  section\("([\w-]+)"', build().files["app/admin/sections.js"].body.decode(), re.MULTILINE)
    assert sorted(sections) == sorted(ADMIN)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_action_of_the_history_has_words(language):
    sources = "".join(path.read_text("utf-8") for path in (HERE.parent / "services").rglob("*.py"))
    actions = {"note_added", "internal_file", "attached", "sla_at_risk", "sla_breached"}
    actions |= {f"{kind}_{end}" for kind in ("export", "import") for end in ("requested", "stopped")}
    actions |= set(re.findall(r"""\bChange\(\s*"(\w+)\"""", sources))
    actions |= set(re.findall(r"""\bwrite\(uow, .*, "([a-z_]+)"(?:, \w+=\w+)*\)""", sources))
    assert len(actions) > 60
    assert {name for name in actions if f"admin.action.{name}" not in words(language)} == set()


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_field_of_the_history_has_words(language):
    sources = "".join(path.read_text("utf-8") for path in (HERE.parent / "services").rglob("*.py"))
    fields = set(re.findall(r"""\bChange\([^,()]+, "(\w+)\"""", sources)) | {
        "ai_citations",
        "ai_confidence",
        "next_action",
    }
    assert len(fields) > 25
    lists = ("audit_field", "setting", "ticket_field")
    known = {
        name.removeprefix(f"admin.{kind}.")
        for kind in lists
        for name in words(language)
        if name.startswith(f"admin.{kind}.")
    }
    assert fields - known == set()
