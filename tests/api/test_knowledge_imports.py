"""Importing articles over HTTP: every kind of file, and what is refused."""

import io
import zipfile

import pytest

MARKDOWN = '---\ntitle: "Refunds"\ntags: [money, back]\ncategory: billing\n---\n\nA refund takes five days.\n'


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


FILES = {
    "Markdown": (MARKDOWN.encode(), "text/markdown"),
    "ZIP": (zipped({"faq/refunds.md": MARKDOWN, "__MACOSX/x.md": "x", "picture.png": "x"}), "application/zip"),
    "CSV": (b"Question;Answer;Tags;Category\nRefunds;A refund takes five days.;money, back;Billing\n", "text/csv"),
    "JSON": (
        b'[{"question": "Refunds", "answer": "A refund takes five days.", "tags": ["money", "back"], "category": "billing"}]',
        "application/json",
    ),
    "JSON object": (
        b'{"articles": [{"id": 7, "title": "Refunds", "body": "A refund takes five days.", "tags": "money|back", '
        b'"category": "billing"}]}',
        "application/json",
    ),
}


@pytest.mark.every_engine
@pytest.mark.parametrize("kind", FILES)
def test_a_second_import_changes_only_what_changed(admin, kind):
    data, media = FILES[kind]
    first = admin.data(admin.post("/api/import/knowledge", data=data, content_type=media))
    assert (first["created"], first["updated"], first["unchanged"], first["errors"]) == (1, 0, 0, [])
    (made,) = admin.data(admin.get("/api/knowledge"))
    expected = {
        "title": "Refunds",
        "body": "A refund takes five days.",
        "tags": ["money", "back"],
        "category": "billing",
    }
    assert {name: made[name] for name in expected} == expected
    assert made["source"]
    second = admin.data(admin.post("/api/import/knowledge", data=data, content_type=media))
    assert (second["created"], second["updated"], second["unchanged"]) == (0, 0, 1)
    if kind != "ZIP":
        changed = data.replace(b"five days", b"six days")
        third = admin.data(admin.post("/api/import/knowledge", data=changed, content_type=media))
        assert (third["created"], third["updated"]) == (0, 1)
    assert len(admin.data(admin.get("/api/knowledge"))) == 1


def test_files_of_a_form_are_read_by_their_name(admin):
    part = (io.BytesIO(b"# Labels\n\nThey print at half size."), "labels.md")
    result = admin.data(admin.post("/api/import/knowledge", data={"file": part}, content_type="multipart/form-data"))
    assert result["created"] == 1
    (made,) = admin.data(admin.get("/api/knowledge"))
    assert (made["title"], made["body"], made["source"]) == ("Labels", "They print at half size.", "labels.md")


def test_words_of_other_systems_are_understood(admin):
    rows = [
        {"title": "a", "body": "b", "category": "Getting started", "keywords": "x"},
        {"title": "c", "body": "d", "draft": True},
        {"title": "e", "body": "f", "status": "in review"},
        {"title": "g", "body": "long", "description": "short", "published": "2024-05-01", "id": 7},
    ]
    admin.data(admin.post("/api/import/knowledge", rows))
    made = {row["title"]: row for row in admin.data(admin.get("/api/knowledge"))}
    assert (made["a"]["category"], made["a"]["tags"]) == ("general", ["x", "Getting started"])
    assert (made["c"]["status"], made["e"]["status"], made["a"]["status"]) == ("draft", "draft", "published")
    assert (made["g"]["status"], made["g"]["body"], made["g"]["source"]) == ("published", "long", "import#7")
    assert (
        admin.data(admin.post("/api/import/knowledge", [{"title": "x", "body": "y", "status": "odd"}]))["rejected"] == 1
    )


def test_the_same_id_in_another_file_is_another_article(admin):
    for name, title in (("a.csv", "First"), ("b.csv", "Second"), ("a.csv", "First again")):
        part = (io.BytesIO(f"id,title,body\n1,{title},text\n".encode()), name)
        admin.data(admin.post("/api/import/knowledge", data={"file": part}, content_type="multipart/form-data"))
    assert {row["title"] for row in admin.data(admin.get("/api/knowledge"))} == {"First again", "Second"}


REFUSED = [
    (b"", "text/csv", "no article"),
    (b"[]", "application/json", "no article"),
    (b"{}", "application/json", "list of articles"),
    (b"[1", "application/json", "not valid JSON"),
    (b'[{"title": "a", "body": "b", "title": "c"}]', "application/json", "title stands twice"),
    (b"\xff\xfe\xff", "text/markdown", "UTF-8"),
    (b"PK\x03\x04 not a zip", "application/zip", "ZIP"),
    (zipped({"a.png": "x"}), "application/zip", "no Markdown"),
]


@pytest.mark.parametrize(("data", "media", "words"), REFUSED, ids=range(len(REFUSED)))
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(admin, data, media, words):
    response = admin.post("/api/import/knowledge", data=data, content_type=media)
    told = [response.json["message"], *(error["message"] for error in response.json["data"]["errors"])]
    assert (response.status_code, any(words in text for text in told)) == (400, True)
    assert admin.data(admin.get("/api/knowledge")) == []


def test_wrong_articles_are_refused_one_by_one(admin):
    rows = [{"title": "a"}, {"body": "b"}, 7, {"title": "x" * 999, "body": "b"}, {"title": "Good", "body": "b"}]
    result = admin.data(admin.post("/api/import/knowledge", rows))
    assert (result["created"], result["rejected"]) == (1, 4)
    assert [(error["line"], error["field"]) for error in result["errors"]] == [
        (1, "body"),
        (2, "title"),
        (3, ""),
        (4, "title"),
    ]
    front = b"---\n[ not: yaml: {{\n---\nText."
    assert admin.data(admin.post("/api/import/knowledge", data=front, content_type="text/markdown"))["rejected"] == 1


ODD_FRONT_MATTER = [
    "date: 2026-13-45",
    "date: 2001-12-14t21:59:43.10-99:99",
    "number: 0x" + "f" * 5000,
    "tags: !!set {a, b}",
    "title: yes",
    "x: " + "[" * 3000,
    "a: &a [x]\nb: [*a, *a]",
]


@pytest.mark.parametrize("front", ODD_FRONT_MATTER)
def test_odd_front_matter_is_taken_or_refused_for_that_article_alone(admin, front):
    data = zipped({"odd.md": f"---\n{front}\n---\nText.", "good.md": "# Good\n\nText."})
    result = admin.data(admin.post("/api/import/knowledge", data=data, content_type="application/zip"))
    assert (result["read"], result["created"] + result["rejected"]) == (2, 2)
    assert "Good" in [row["title"] for row in admin.data(admin.get("/api/knowledge"))]


@pytest.mark.parametrize("place", [30, 60, 100])
def test_a_damaged_zip_is_refused_in_words(admin, place):
    data = bytearray(zipped({"a.md": "# One\n\nText one. " * 50, "b.md": "# Two\n\nText."}))
    data[place : place + 8] = b"\xff" * 8
    response = admin.post("/api/import/knowledge", data=bytes(data), content_type="application/zip")
    assert response.status_code in (200, 400)


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("draft=on", "draft"),
        ("draft=wahr", "draft"),
        ("draft=no", "published"),
        ("is_draft=true", "draft"),
        ("published=false", "draft"),
        ("published=2024-05-01", "published"),
    ],
)
def test_a_word_that_is_not_known_never_publishes_a_draft(admin, row, status):
    name, value = row.split("=")
    admin.data(admin.post("/api/import/knowledge", [{"title": "a", "body": "b", name: value}]))
    assert admin.data(admin.get("/api/knowledge"))[0]["status"] == status


def test_an_article_never_overwrites_another_one_of_its_file(admin):
    rows = [
        {"title": "Reset", "body": "A"},
        {"title": "Reset", "body": "B"},
        {"title": "c", "body": "d", "source": " "},
    ]
    result = admin.data(admin.post("/api/import/knowledge", rows))
    assert (result["created"], result["rejected"]) == (2, 1)
    assert [row["body"] for row in admin.data(admin.get("/api/knowledge?q=Reset"))] == ["A"]
