"""Articles and their search over HTTP."""

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


@pytest.mark.one_engine  # refused before the store is asked
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


def test_tags_and_source_are_cleared_by_name(admin):
    made = article(admin, source="faq/1")
    changed = admin.data(admin.put(f"/api/knowledge/{made['id']}", {"clear": ["tags", "source"]}))
    assert (changed["tags"], changed["source"], changed["version"]) == ([], "", 2)
    both = admin.put(f"/api/knowledge/{made['id']}", {"clear": ["tags"], "tags": ["a"]})
    assert (both.status_code, both.json["data"]["errors"][0]["field"]) == (400, "tags")


def test_a_word_is_found_with_and_without_its_accents(admin):
    made = article(admin, title="Café", body="The café opens at nine.")
    assert [hit["article_id"] for hit in search(admin, "when does the cafe open")] == [made["id"]]


def test_a_question_in_chinese_finds_its_article(admin):
    made = article(admin, title="退款政策", body="退款需要五天时间。")
    assert [hit["article_id"] for hit in search(admin, "退款需要多长时间")] == [made["id"]]
