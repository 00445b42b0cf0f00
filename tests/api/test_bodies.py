"""Bodies that are torn, badly sent or built to hurt: answered with 400 or 413, and nothing is written."""

import io

import pytest

# What gunicorn sets: the server itself says where a body ends.
SERVED = {"wsgi.input_terminated": True}
TICKET = b'{"title": "Help", "description": "It broke.", "customer_id": "7"}'


class Broken(io.RawIOBase):
    """A body whose reading fails as a server's does on a bad chunk."""

    def readable(self):
        return True

    def seek(self, offset, whence=0):
        return 0

    def tell(self):
        return 0

    def read(self, size=-1):
        raise RuntimeError("invalid chunk size")


def sent(admin, path, stream, *, said=None, kind="application/json"):
    """A body as a server hands it on, saying (or not) how long it is."""
    environ = SERVED | ({} if said is None else {"CONTENT_LENGTH": str(said)})
    return admin.call("POST", path, input_stream=stream, environ_overrides=environ, content_type=kind)


def count(admin):
    return admin.get("/api/tickets").json["total"]


def test_a_body_that_ends_before_its_length_is_refused(admin):
    torn = sent(admin, "/api/tickets", io.BytesIO(TICKET), said=5000)
    assert (torn.status_code, torn.json["data"]["code"]) == (400, "bad_body")
    assert count(admin) == 0


def test_a_torn_upload_brings_in_nothing(admin):
    rows = b"User ID,Timestamp (UTC),Message Body\n1,2026-01-01 10:00:00,My card was charged\n2,2026-01-01 10:01:00,refund me but"
    torn = sent(admin, "/api/import", io.BytesIO(rows), said=5000, kind="text/csv")
    assert (torn.status_code, torn.json["data"]["code"]) == (400, "bad_body")
    assert count(admin) == 0


def test_a_body_sent_in_chunks_is_refused_when_it_is_too_large(admin):
    padded = TICKET[:-1] + b" " * 2_000_000 + b"}"
    assert sent(admin, "/api/tickets", io.BytesIO(padded)).status_code == 413
    assert sent(admin, "/api/tickets", io.BytesIO(TICKET + b" " * 2_000_000 + b"evil")).status_code == 413
    assert count(admin) == 0


MEBI = 1024 * 1024
FORM = "multipart/form-data; boundary=x"
BODY_LIMIT, IMPORT_LIMIT = "at most 1 MiB", "at most 32 MiB"
FORM_LIMITS = "at most 1,000 parts and 1 MiB of text beside its file"


def part(name, content, *, filename=""):
    said = f'; filename="{filename}"' if filename else ""
    return b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name, said.encode(), content)


def form(*parts):
    return b"".join(parts) + b"--x--\r\n"


TOO_LARGE = {
    "a body": ("/api/tickets", "application/json", lambda: b" " * (MEBI + 1), BODY_LIMIT),
    "a form that is not asked for": ("/api/tickets", FORM, lambda: form(part(b"a", b"x" * MEBI)), BODY_LIMIT),
    "a file": ("/api/import", "text/csv", lambda: b" " * (32 * MEBI + 1), IMPORT_LIMIT),
    "a file in a form": (
        "/api/import",
        FORM,
        lambda: form(part(b"f", b" " * 32 * MEBI, filename="a.csv")),
        IMPORT_LIMIT,
    ),
    "the parts of a form": ("/api/import", FORM, lambda: form(*[part(b"a", b"x")] * 1001), FORM_LIMITS),
    "the files of a form": ("/api/import", FORM, lambda: form(*[part(b"f", b"x", filename="a")] * 1001), FORM_LIMITS),
    "the text of a form": ("/api/import", FORM, lambda: form(part(b"a", b"x" * (MEBI + 1))), FORM_LIMITS),
}


@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_413_names_the_limit_that_was_met(admin, case, in_chunks):
    path, kind, make, limit = TOO_LARGE[case]
    body = make()
    answer = sent(admin, path, io.BytesIO(body), said=None if in_chunks else len(body), kind=kind)
    assert (answer.status_code, answer.json["data"]["code"]) == (413, "too_large")
    assert limit in answer.json["message"]
    assert len(answer.json["message"]) <= 200


def test_a_form_within_its_limits_is_taken(admin):
    rows = b"User ID,Timestamp (UTC),Message Body\n1,2026-01-01 10:00:00,My card was charged\n"
    body = form(*[part(b"a", b"x")] * 900, part(b"f", rows, filename="a.csv"))
    assert admin.data(sent(admin, "/api/import", io.BytesIO(body), said=len(body), kind=FORM))["created"] == 1


def test_a_badly_chunked_body_is_the_callers_mistake(admin):
    refused = sent(admin, "/api/tickets", Broken())
    assert (refused.status_code, refused.json["data"]["code"]) == (400, "bad_body")


@pytest.mark.parametrize("depth", [500, 990, 1000])
def test_deep_values_under_two_names_of_one_field_are_400(admin, depth):
    deep = b"[" * depth + b"]" * depth
    body = b'{"title":' + deep + b',"subject":' + deep + b',"description":"x","customer_id":"7"}'
    assert admin.call("POST", "/api/tickets", data=body, content_type="application/json").status_code == 400
    rows = b'[{"title":' + deep + b',"subject":' + deep + b'},{"title":"ok","description":"fine","customer_id":"7"}]'
    result = admin.data(admin.call("POST", "/api/import", data=rows, content_type="application/json"))
    assert (result["created"], result["rejected"]) == (1, 1)


def test_a_header_of_very_many_columns_is_told_in_few_words(admin):
    refused = admin.call("POST", "/api/import", data=b"c," * 200_000 + b"c\nx\n", content_type="text/csv")
    assert refused.status_code == 400
    assert len(refused.json["data"]["errors"]) <= 60


def test_a_very_long_cell_is_told_as_what_it_is(admin):
    rows = b"title,description,customer_id\nlong," + b"x" * 200_000 + b",7\nshort,fine,7\n"
    result = admin.data(admin.call("POST", "/api/import", data=rows, content_type="text/csv"))
    assert (result["created"], result["rejected"]) == (1, 1)
    assert "at most" in result["errors"][0]["message"]


def test_no_body_and_an_empty_object_are_the_same_call(admin):
    path = f"/api/tickets/{admin.ticket()['id']}/ai_response"
    key = {"Idempotency-Key": "same"}
    first = admin.call("POST", path, headers=key)
    again = admin.call("POST", path, {}, headers=key)
    assert (again.status_code, again.json) == (first.status_code, first.json)


def test_a_delete_may_name_its_version_in_the_body(admin):
    path = f"/api/tickets/{admin.ticket()['id']}"
    assert admin.call("DELETE", path, {"version": 99}).status_code == 412
    assert admin.call("DELETE", path, data=b"{bad", content_type="application/json").status_code == 400
    assert admin.data(admin.call("DELETE", path, {"version": 1})) == {"deleted": True}


def test_a_key_outside_ascii_is_the_same_in_header_and_body(admin):
    body = {"title": "a", "description": "b", "customer_id": "7", "client_reference": "é"}
    header = {"Idempotency-Key": "é".encode().decode("latin-1")}
    assert admin.post("/api/tickets", body, headers=header).status_code == 201


def test_control_characters_in_a_name_are_not_said_back(admin):
    refused = admin.post("/api/tickets", {"ti\u0000tle": "x"})
    assert refused.status_code == 400
    assert "\u0000" not in str(refused.json)


def test_very_many_unknown_fields_are_answered_with_some(admin):
    raw = b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}"
    response = admin.post("/api/tickets", data=raw, content_type="application/json")
    assert response.status_code == 400
    assert 100 <= len(response.json["data"]["errors"]) < 200


def test_only_json_spaces_are_an_empty_body(admin):
    path = f"/api/tickets/{admin.ticket()['id']}/unassign"
    headers = {"Content-Type": "application/json"}
    assert admin.post(path, data=b" \t\r\n", headers=headers).status_code == 200
    assert admin.post(path, data=b"\x0c", headers=headers).json["data"]["code"] == "bad_json"
