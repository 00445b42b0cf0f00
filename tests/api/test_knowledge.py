"""Articles and their search over HTTP."""

import io
import zipfile

import pytest

pytestmark = pytest.mark.every_engine
NEW = {"title": "Refunds", "body": "A refund arrives after **five days**.", "tags": ["billing"], "category": "billing"}


def article(caller, **fields):
    return caller.data(caller.post("/api/knowledge", {**NEW, **fields}), 201)


def search(caller, question, **more):
    return caller.data(caller.get("/api/search/knowledge", query_string={"q": question, **more}))


def test_an_article_is_added_read_changed_and_deleted(admin):
    made = article(admin)
    assert {name: made[name] for name in NEW} == NEW
    assert (made["status"], made["source"], made["version"]) == ("published", "", 1)
    path = f"/api/knowledge/{made['id']}"
    assert admin.data(admin.get(path)) == made
    changed = admin.data(admin.call("PATCH", path, {"status": "draft", "version": 1}))
    assert (changed["status"], changed["version"], changed["body"]) == ("draft", 2, made["body"])
    assert admin.put(path, {"title": "x", "version": 1}).status_code == 412
    assert admin.data(admin.put(path, {"status": "draft"}))["version"] == 2
    history = admin.data(admin.get(f"{path}/history"))
    assert [(event["action"], event["field"], event["from"], event["to"]) for event in history] == [
        ("created", "title", "", "Refunds"),
        ("changed", "status", "published", "draft"),
    ]
    assert admin.data(admin.delete(path)) == {"deleted": True}
    assert admin.get(path).status_code == 404
    events = admin.data(admin.get(f"/api/audit?subject=article&subject_id={made['id']}"))
    assert events[0]["action"] == "deleted"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Labels", "Refunds", "Draft"]),
        ("status=draft", ["Draft"]),
        ("category=technical", ["Labels"]),
        ("tag=billing", ["Refunds", "Draft"]),
        ('tag="quoted"', ["Labels"]),
        ("tag=bill", []),
        ("q=five days", ["Refunds", "Draft"]),
        ("q=100%25", []),
        ("q=[", []),
        ("source=faq/1", ["Labels"]),
        ("limit=1&offset=1", ["Refunds"]),
    ],
)
def test_articles_are_filtered(admin, query, titles):
    article(admin, title="Draft", status="draft")
    article(admin)
    article(admin, title="Labels", body="b", tags=['"quoted"'], category="technical", source="faq/1")
    assert [row["title"] for row in admin.data(admin.get(f"/api/knowledge?{query}"))] == titles


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"body": None}, "body"),
        ({"body": "x" * 100_001}, "body"),
        ({"status": "gone"}, "status"),
        ({"category": "shipping"}, "category"),
        ({"tags": "a"}, "tags"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_article_is_refused_by_field(admin, fields, field):
    response = admin.post("/api/knowledge", {**NEW, **fields})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, field)


def test_a_source_is_unique(admin):
    article(admin, source="faq/1")
    assert admin.post("/api/knowledge", {**NEW, "source": "faq/1"}).json["data"]["code"] == "source_taken"
    second = article(admin)
    assert admin.put(f"/api/knowledge/{second['id']}", {"source": "faq/1"}).status_code == 409


def test_a_question_finds_the_passage_at_once_and_forgets_it_at_once(admin):
    made = article(admin)
    (hit,) = search(admin, "When does my refund arrive?")
    assert {name: hit[name] for name in ("article_id", "title", "heading", "passage")} == {
        "article_id": made["id"],
        "title": "Refunds",
        "heading": "",
        "passage": "A refund arrives after five days.",
    }
    assert 0.2 < hit["score"] <= 1
    path = f"/api/knowledge/{made['id']}"
    admin.data(admin.put(path, {"body": "Refunds are made by bank transfer."}))
    assert "bank transfer" in search(admin, "refund")[0]["passage"]
    admin.data(admin.put(path, {"status": "draft"}))
    assert search(admin, "refund") == []
    admin.data(admin.put(path, {"status": "published"}))
    assert len(search(admin, "refund")) == 1
    admin.data(admin.delete(path))
    assert search(admin, "refund") == []


def test_at_most_k_passages_come_one_of_each_article(admin):
    for number in range(5):
        article(admin, title=f"Refund {number}", body=f"Refund {number}.\n\n# More\n\nRefund again {number}.")
    assert len(search(admin, "refund")) == 3
    hits = search(admin, "refund", k=5)
    assert len({hit["article_id"] for hit in hits}) == len(hits) == 5
    assert admin.get("/api/search/knowledge?q=refund&k=21").status_code == 400
    assert admin.get("/api/search/knowledge").status_code == 400


def test_another_company_neither_finds_nor_reads_an_article(admin, other_admin):
    made = article(admin)
    assert search(other_admin, "refund") == []
    assert other_admin.get(f"/api/knowledge/{made['id']}").status_code == 404
    own = article(other_admin, body="Refunds of another company.")
    assert [hit["article_id"] for hit in search(other_admin, "refund")] == [own["id"]]
    assert [hit["article_id"] for hit in search(admin, "refund")] == [made["id"]]


def test_customers_read_and_find_published_articles_only(admin, customer):
    draft, made = article(admin, status="draft"), article(admin)
    assert [row["id"] for row in customer.data(customer.get("/api/knowledge"))] == [made["id"]]
    assert customer.get(f"/api/knowledge/{draft['id']}").status_code == 404
    assert customer.data(customer.get("/api/knowledge?status=draft")) == []
    assert [hit["article_id"] for hit in search(customer, "refund")] == [made["id"]]
    for method, path in (("POST", "/api/knowledge"), ("DELETE", f"/api/knowledge/{made['id']}")):
        assert customer.call(method, path, NEW if method == "POST" else None).status_code == 403
    assert customer.get(f"/api/knowledge/{made['id']}/history").status_code == 403


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


def test_tags_and_source_are_cleared_by_name(admin):
    made = article(admin, source="faq/1")
    changed = admin.data(admin.put(f"/api/knowledge/{made['id']}", {"clear": ["tags", "source"]}))
    assert (changed["tags"], changed["source"], changed["version"]) == ([], "", 2)


def test_a_question_in_chinese_finds_its_article(admin):
    made = article(admin, title="退款政策", body="退款需要五天时间。")
    assert [hit["article_id"] for hit in search(admin, "退款需要多长时间")] == [made["id"]]
