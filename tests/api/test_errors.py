"""Bad input and faults: every one is answered in the envelope, with a sentence for the person who sees it."""

import uuid

import pytest

from api.specs.declarations import read_declarations
from services.tickets import changes, queries
from tests.support.caller import Caller
from tests.support.refusals import refused

JSON = {"Content-Type": "application/json"}
NEW = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}


def nothing_written(caller):
    return caller.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize("raw", [b"", b"  \r\n "], ids=["none", "blank"])
def test_a_missing_body_is_answered_with_what_is_missing(admin, raw):
    response = admin.post("/api/tickets", data=raw, headers=JSON)
    errors = refused(response, 400, "invalid_fields", "title", "description", "customer_email")
    assert "title is required." in [error["message"] for error in errors]
    assert response.json["message"].startswith("title is required.")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "bad_json"),
        (b"title=Help", "bad_json"),
        (b'{"title": NaN}', "bad_json"),
        (b"\xff\xfe{}", "bad_json"),
        (b'{"title": "\xed\xa0\x80"}', "bad_json"),
        (b'{"title": "\\ud800", "description": "d", "customer_email": "ada@example.com"}', "bad_json"),
        (b'{"\\udfff": 1}', "bad_json"),
        (b"[" * 100_000 + b"]" * 100_000, "bad_json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "bad_json"),
        (b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "bad_json"),
        (b"[]", "not_an_object"),
        (b'[{"title": "Help"}]', "not_an_object"),
        (b'"Help"', "not_an_object"),
        (b"7", "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_a_body_that_is_no_json_object_is_400(admin, raw, code):
    refused(admin.post("/api/tickets", data=raw, headers=JSON), 400, code)
    assert nothing_written(admin)


@pytest.mark.parametrize("depth", [200, 300, 1000])
@pytest.mark.parametrize("field", ["title", "tags", "unknown"])
def test_nesting_that_is_still_json_is_400_and_names_the_field(admin, depth, field):
    body = b'{"%s": %s}' % (field.encode(), b"[" * depth + b"]" * depth)
    response = admin.post("/api/tickets", data=body, headers={**JSON, "Idempotency-Key": "deep"})
    assert response.status_code == 400
    assert any(error["field"].startswith(field) for error in response.json["data"]["errors"])


@pytest.mark.parametrize("depth", [40, 300, 900])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a": ', b"}")])
def test_nesting_in_a_field_that_is_only_read_is_400(admin, opens, closes, depth):
    ticket = admin.post("/api/tickets", NEW).json["data"]
    body = b'{"created_at": %s}' % (opens * depth + b"1" + closes * depth)
    response = admin.call(
        "PATCH", f"/api/tickets/{ticket['id']}", data=body, headers={**JSON, "Idempotency-Key": "deep"}
    )
    refused(response, 400, "invalid_fields", "created_at")


@pytest.mark.parametrize("bad", ["a\x00b", "\x00"])
def test_nul_in_a_text_is_400(admin, bad):
    for field in ("title", "description", "customer_name", "customer_id", "product", "external_id"):
        refused(admin.post("/api/tickets", {**NEW, field: bad}), 400, "invalid_fields", field)
    assert nothing_written(admin)


def test_a_control_character_in_a_tag_names_the_tag(admin):
    refused(admin.post("/api/tickets", {**NEW, "tags": ["fine", "a\x00b"]}), 400, "invalid_fields", "tags[1]")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("attachment_types", ["text/plain", "", "nonsense"]),
        ("inbound_addresses", ["a@example.com", None, "nonsense"]),
        ("clear", ["sla", "sla", 5]),
    ],
)
def test_what_is_wrong_in_a_list_is_named_by_its_field_and_place(admin, field, words):
    (error,) = refused(admin.put("/api/settings", {field: words}), 400, "invalid_fields", f"{field}[2]")
    assert error["message"].startswith(f"{field}[2] ")


@pytest.mark.parametrize("name", ["a\x00b", "\x00"])
def test_a_control_character_in_a_name_is_400(admin, name):
    refused(admin.post("/api/tickets", {**NEW, name: 1}), 400, "invalid_fields", name.replace("\x00", "?"))


MALFORMED = ["1", "nonsense", "%00", "a%00b", "%ED%A0%80", "%FF", "..", "%27%20OR%201=1--", "x" * 5000, "%F0%9F%98%80"]


@pytest.mark.parametrize("below", ["", "/replies", "/history", "/ai_response"])
def test_a_malformed_a_random_and_a_foreign_id_are_the_same_404(admin, other_admin, below):
    foreign = other_admin.ticket()["id"]
    answers = {name: admin.get(f"/api/tickets/{name}{below}") for name in (*MALFORMED, uuid.uuid4(), foreign)}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert len({answer.get_data() for answer in answers.values()}) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2 * 1024 * 1024])
def test_a_body_over_one_mebibyte_is_413(admin, method, size):
    path = "/api/tickets" if method == "POST" else f"/api/tickets/{uuid.uuid4()}"
    response = admin.call(method, path, data=b'{"title": "' + b"x" * size + b'"}', headers=JSON)
    refused(response, 413, "too_large")
    assert "at most 1 MiB" in response.json["message"]


def test_a_body_of_one_mebibyte_is_read(admin):
    start = b'{"title": "'
    body = start + b"x" * (1024 * 1024 - len(start) - 2) + b'"}'
    assert len(body) == 1024 * 1024
    assert "title" in [
        error["field"] for error in admin.post("/api/tickets", data=body, headers=JSON).json["data"]["errors"]
    ]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("application/x-www-form-urlencoded", b"title=Help&description=d&customer_email=ada@example.com"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nHelp\r\n--x--\r\n',
        ),
        ("text/plain", b'{"title": "Help"}'),
        ("", b'{"title": "Help"}'),
    ],
)
def test_a_body_of_another_type_is_415(admin, kind, raw):
    response = admin.post("/api/tickets", data=raw, headers={"Content-Type": kind})
    refused(response, 415, "not_json")
    assert "application/json" in response.json["message"]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
def test_json_by_any_of_its_names_is_read(admin, kind):
    raw = b'{"title": "Help", "description": "d", "customer_email": "ada@example.com"}'
    assert admin.post("/api/tickets", data=raw, headers={"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("titel", "title"),
        ("Title", "title"),
        ("desciption", "description"),
        ("customerEmail", "customer_email"),
        ("prioriti", "priority"),
        ("client_referense", "client_reference"),
    ],
)
def test_an_unknown_field_is_400_and_names_the_nearest(admin, typo, meant):
    (error,) = refused(admin.post("/api/tickets", {**NEW, typo: "x"}), 400, "invalid_fields", typo)
    assert f"Did you mean {meant}?" in error["message"]
    assert nothing_written(admin)


def test_an_unknown_field_like_no_other_lists_what_is_accepted(admin):
    (error,) = refused(admin.post("/api/tickets", {**NEW, "xyzzy": "x"}), 400, "invalid_fields", "xyzzy")
    assert "customer_email" in error["message"]


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\r@example.com",
        "ada\x08@example.com",
        "ada",
        "ada@",
        "@example.com",
        "ada@@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada>",
        "ada @example.com",
        7,
        True,
        ["ada@example.com"],
        {"address": "ada@example.com"},
    ],
)
def test_what_is_not_one_email_address_is_400(admin, address):
    (error,) = refused(
        admin.post("/api/tickets", {**NEW, "customer_email": address}), 400, "invalid_fields", "customer_email"
    )
    assert "customer_email must be" in error["message"]
    assert nothing_written(admin)


def test_all_invalid_fields_are_listed_at_once(admin):
    body = {
        "title": 7.5,
        "priority": "huge",
        "urgency": 9,
        "tags": "vip",
        "customer_email": "x",
        "titel": "x",
        "subject": "y",
    }
    response = admin.post("/api/tickets", body)
    fields = ("title", "description", "priority", "urgency", "tags", "customer_email", "titel", "subject")
    refused(response, 400, "invalid_fields", *fields)
    assert f"{len(fields) - 1} more" in response.json["message"]


def test_a_message_fits_however_long_the_input(admin):
    # The caller itself checks that a message has at most 200 characters.
    long = "x" * 5000
    for response in (
        admin.post("/api/tickets", {**NEW, long: 1}),
        admin.post("/api/tickets", {**NEW, "xyzzy": 1}),
        admin.get(f"/api/tickets?{long}=1"),
        admin.get(f"/api/settings?{long}=1"),
        admin.get("/api/tickets", query_string={"sort": long}),
        admin.put(f"/api/tickets/{admin.ticket()['id']}", {"clear": [long]}),
    ):
        assert response.status_code == 400
        assert long not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic YTpi"},
        {"X-API-Key": "\xff"},
    ],
)
def test_without_a_valid_key_it_is_401_and_says_how_to_sign_in(app, headers):
    for path in ("/api/tickets", "/api/tickets/nonsense", "/api/settings"):
        response = Caller(app.test_client()).get(path, headers=headers)
        refused(response, 401, "unauthorized")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_fault_nobody_foresaw_is_500_and_keeps_its_details(admin, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("password=hunter2 in /srv/secret.py")

    ticket = admin.ticket()
    monkeypatch.setattr(queries, "shown", broken)
    monkeypatch.setattr(changes, "get_for_update", broken)
    for response in (
        admin.get(f"/api/tickets/{ticket['id']}"),
        admin.put(f"/api/tickets/{ticket['id']}", {"title": "New"}),
    ):
        refused(response, 500, "internal_error")
        assert response.json["data"]["request_id"] == response.headers["X-Request-ID"]
        text = response.get_data(as_text=True)
        assert not [word for word in ("hunter2", "secret", "RuntimeError", "Traceback") if word in text]
        assert response.headers["X-Request-ID"] in caplog.text
    assert "hunter2" in caplog.text


def test_a_fault_in_the_middle_leaves_nothing_half_done(admin, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no jobs today")

    monkeypatch.setattr("services.outbox.enqueue", broken)
    assert admin.post("/api/tickets", NEW, headers={"Idempotency-Key": "k"}).status_code == 500
    assert nothing_written(admin)
    monkeypatch.undo()
    # The key was not used up by a fault.
    again = admin.post("/api/tickets", NEW, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json["data"]["number"]) == (201, 1)


def test_there_is_no_422_in_the_api():
    paths = read_declarations("3.0.3").document["paths"].values()
    statuses = {
        status for item in paths for name, told in item.items() if name != "parameters" for status in told["responses"]
    }
    assert "400" in statuses
    assert "422" not in statuses
