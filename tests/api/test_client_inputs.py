"""What real clients send: whatever is unambiguous is taken and put into one form, and what is stored is so on every engine."""

import gzip
from urllib.parse import quote

import pytest

NEW = {"title": "Question", "description": "How do I change my plan?", "customer_email": "ada@example.com"}

PASTED = {
    ("description", "one\u000btwo"): "one\ntwo",
    ("description", "one\u2028two\u2029three\u0085four\ffive\r\nsix"): "one\ntwo\nthree\nfour\nfive\nsix",
    ("description", "\x1b[31merror\x1b[0m: disk"): "error: disk",
    ("description", "typo\b fixed\x07"): "typo fixed",
    ("description", "\ufeff\u200bhello\u200e"): "hello",
    ("title", "first line\nsecond line"): "first line second line",
    ("title", "first line\r\n\r\nsecond line"): "first line second line",
    ("title", "x" * 998): "x" * 998,
    ("customer_name", "\u202aAda\u202c"): "Ada",
    ("product", "Lamp\u2028large"): "Lamp large",
    ("customer_email", "\u200bada@example.com\u200e"): "ada@example.com",
    ("customer_email", "ada@example.com\r\n"): "ada@example.com",
    ("customer_email", "Ada <ada@example.com>"): "ada@example.com",
    ("customer_email", "<ada@example.com>"): "ada@example.com",
    ("customer_email", "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ"): "ada@example.com",
    ("customer_email", "ada@EXAMPLE.com."): "ada@example.com",
    ("assigned_to", "Bob <bob@example.com>"): "bob@example.com",
    ("assigned_to", "Bob > Eve"): "Bob > Eve",
    ("customer_email", "ada@corp.local"): "ada@corp.local",
    ("customer_email", "svc@srv01.home.arpa"): "svc@srv01.home.arpa",
    ("customer_email", "root@localhost"): "root@localhost",
    ("customer_email", "ada@intranet"): "ada@intranet",
    ("customer_email", "try..this@docomo.ne.jp"): "try..this@docomo.ne.jp",
    ("customer_email", "Dots.@ezweb.ne.jp"): "dots.@ezweb.ne.jp",
    ("customer_id", 12345): "12345",
    ("customer_id", 67890.0): "67890",
    ("external_id", 2**53): str(2**53),
}


@pytest.mark.parametrize(("sent", "stored"), PASTED.items(), ids=ascii)
def test_text_is_stored_in_one_form(admin, sent, stored):
    field, value = sent
    ticket = admin.data(admin.post("/api/tickets", {**NEW, field: value}), 201)
    assert ticket[field] == stored
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}"))[field] == stored


REFUSED = {
    ("description", "one\0two"): "NUL",
    ("title", "x" * 999): "at most 998 characters",
    ("customer_email", "ada@example.com\r\nBcc: eve@example.com"): "like ada@example.com",
    ("customer_email", "ada@exa\nmple.com"): "like ada@example.com",
    ("customer_email", ".ada@example.com"): "like ada@example.com",
    ("customer_email", "ada@exam..ple.com"): "like ada@example.com",
    ("customer_email", "ada@example.com.."): "like ada@example.com",
    ("customer_email", "eve@x.example <ada@example.com>"): "like ada@example.com",
    ("assigned_to", "Bob <bob@>"): "a name or an e-mail address",
    ("customer_id", 1.5): "must be text",
    ("customer_id", True): "must be text",
    ("customer_id", 2**53 + 2): "must be text",
    ("title", 7): "must be text",
}


@pytest.mark.parametrize(("sent", "reason"), REFUSED.items(), ids=ascii)
def test_what_is_ambiguous_or_harmful_is_refused_with_what_is_accepted(admin, sent, reason):
    field, value = sent
    response = admin.post("/api/tickets", {**NEW, field: value})
    assert response.status_code == 400
    assert [(error["field"], reason in error["message"]) for error in response.json["data"]["errors"]] == [
        (field, True)
    ]
    assert admin.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize(
    "query", ["customer_email={}", "assigned_to={}", "user={}&role=customer", "user={}&role=agent"]
)
@pytest.mark.parametrize("written", ["bob+desk@example.com", "bob%2Bdesk@example.com", "bob%2bdesk%40example.com"])
def test_a_bare_plus_in_the_address_of_a_query_is_a_plus(admin, query, written):
    address = "bob+desk@example.com"
    ticket = admin.ticket(customer_email=address, assigned_to=address)
    admin.ticket(customer_email="bob@example.com", assigned_to="desk@example.com")
    found = admin.data(admin.get(f"/api/tickets?{query.format(written)}"))
    assert [row["id"] for row in found] == [ticket["id"]]


@pytest.mark.every_engine
def test_a_space_in_a_name_stays_a_space(admin):
    ticket = admin.ticket(assigned_to="Bob Desk")
    assert [row["id"] for row in admin.data(admin.get("/api/tickets?assigned_to=Bob+Desk"))] == [ticket["id"]]


@pytest.mark.every_engine
def test_a_customer_whose_id_looks_like_a_path_is_read_exported_and_erased(admin):
    for customer_id in ["/lead", "a/export", "a/b", "export", "50%", "50%2Foff", "a%25b", "//", "ä/ö", "a b"]:
        admin.data(admin.post("/api/tickets", {**NEW, "customer_email": "", "customer_id": customer_id}), 201)
        path = f"/api/customers/{quote(customer_id, safe='')}"
        assert admin.data(admin.get(path))["customer_id"] == customer_id
        assert admin.data(admin.get(f"{path}/export"))["customer"]["customer_id"] == customer_id
        assert admin.data(admin.delete(path))["erased"] is True
        assert admin.get(path).status_code == 404


def test_an_export_is_only_read(admin):
    admin.ticket(customer_email="", customer_id="c-1")
    response = admin.delete("/api/customers/c-1/export")
    assert response.status_code == 405
    assert "DELETE" not in response.headers["Allow"]


@pytest.mark.parametrize("version", [1, 1.0, "1", "1.0"])
def test_a_version_is_a_whole_number_however_it_is_written(admin, version):
    ticket = admin.ticket()
    changed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"title": "New", "version": version}))
    assert changed["version"] == 2


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '"1-gzip"', '"1;gzip"', '"1-br"', 'W/"1-gzip"', "1"])
def test_an_entity_tag_that_a_proxy_has_marked_is_understood(admin, tag):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    assert admin.call("PUT", path, {"title": "New"}, headers={"If-Match": tag}).status_code == 200
    assert admin.call("PUT", path, {"title": "Newer"}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize("tag", ['"1-x"', '"one"', '"1", "2"', '"-1"'])
def test_another_entity_tag_is_refused(admin, tag):
    ticket = admin.ticket()
    response = admin.call("PUT", f"/api/tickets/{ticket['id']}", {"title": "New"}, headers={"If-Match": tag})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "If-Match")


@pytest.mark.parametrize(("limit", "status"), [("10.0", 200), ("10", 200), ("10.5", 400), ("1e1", 400)])
def test_a_limit_is_a_whole_number(admin, limit, status):
    assert admin.get(f"/api/tickets?limit={limit}").status_code == status


def test_a_byte_order_mark_before_json_is_passed_over(admin):
    body = b'\xef\xbb\xbf{"title": "t", "description": "d", "customer_email": "ada@example.com"}'
    response = admin.post("/api/tickets", data=body, headers={"Content-Type": "application/json"})
    assert admin.data(response, 201)["title"] == "t"


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_a_key_with_letters_beyond_ascii_is_sent_as_utf_8(open_app, header):
    app = open_app(api_key="schlüssel-für-alle-2026")
    value = "schlüssel-für-alle-2026".encode().decode("latin-1")
    sent = {header: f"Bearer {value}" if header == "Authorization" else value}
    assert app.test_client().get("/api/me", headers=sent).status_code == 200


BODY = '{"title": "Größe", "description": "d", "customer_email": "ada@example.com"}'


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (BODY.encode(), "application/json"),
        (BODY.encode(), "application/json; charset=UTF-8"),
        (BODY.encode("utf-8-sig"), "application/json"),
        (BODY.encode("latin-1"), "application/json; charset=iso-8859-1"),
        (BODY.encode("utf-16"), "application/json; charset=utf-16"),
        (BODY.encode("utf-16"), "application/json"),
    ],
)
def test_a_body_is_read_in_its_charset(admin, body, media):
    ticket = admin.data(admin.post("/api/tickets", data=body, content_type=media), 201)
    assert ticket["title"] == "Größe"


@pytest.mark.parametrize(
    ("body", "media", "encoding", "status", "words"),
    [
        (BODY.encode("latin-1"), "application/json", "", 400, "Send UTF-8"),
        (BODY.encode(), "application/json; charset=klingon", "", 400, "klingon"),
        (gzip.compress(BODY.encode(), mtime=0), "application/json", "gzip", 415, "uncompressed"),
        (b'{"title": "\\ud800"}', "application/json", "", 400, "half a character"),
        (b'{"title": "a", "description": "d", "title": "b"}', "application/json", "", 400, "title stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "application/json", "", 400, "b stands twice"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(admin, body, media, encoding, status, words):
    headers = {"Content-Encoding": encoding} if encoding else {}
    response = admin.post("/api/tickets", data=body, content_type=media, headers=headers)
    texts = [response.json["message"], *(error["message"] for error in (response.json["data"] or {}).get("errors", []))]
    assert (response.status_code, any(words in text for text in texts)) == (status, True), texts
    assert admin.get("/api/tickets").json["total"] == 0


def test_words_of_other_help_desks_are_understood_by_filters_and_changes(admin):
    ticket = admin.ticket(priority="Sev 1")
    path = f"/api/tickets/{ticket['id']}"
    assert ticket["priority"] == "urgent"
    changed = admin.data(admin.call("PATCH", path, json={"status": "pending", "priority": "normal"}))
    assert (changed["status"], changed["priority"]) == ("waiting_customer", "medium")
    for query in ("status=pending", "priority=normal", "status=solved,pending&priority=critical,normal", "number=%231"):
        assert admin.get(f"/api/tickets?{query}").json["total"] == 1, query
    changed = admin.data(admin.call("PUT", path, json={"status": "Solved", "resolution": "Done."}))
    assert changed["status"] == "resolved"


def test_an_agent_is_assigned_by_the_address_of_a_mailbox(admin):
    path = f"/api/tickets/{admin.ticket()['id']}/assign"
    assert admin.data(admin.post(path, {"agent_email": "Bob <bob@example.com>"}))["assigned_to"] == "bob@example.com"
    assert admin.post(path, {"agent_email": "Bob <bob@>"}).status_code == 400


def test_the_name_of_a_mailbox_is_the_customers(admin):
    ticket = admin.data(admin.post("/api/tickets", {**NEW, "customer_email": '"Lovelace, Ada" <ada@example.com>'}), 201)
    assert (ticket["customer_email"], ticket["customer_name"]) == ("ada@example.com", "Lovelace, Ada")
    ticket = admin.data(
        admin.post("/api/tickets", {**NEW, "customer_email": "X <eve@example.com>", "customer_name": "Eve"}), 201
    )
    assert ticket["customer_name"] == "Eve"
