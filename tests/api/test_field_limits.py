"""Every field at its limit and one past it, from models.LIMITS."""

import pytest

from core.models import LIMITS
from tests.support.caller import Caller

NEW = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}


def email_of(length):
    """An address of that many characters: the part before the @ may have 64, each name of a domain 63."""
    return f"{'a' * 64}@{'d' * 63}.{'e' * 63}.{'f' * (length - 193)}"


COMPANY = {"company": "Acme", "name": "Zoe", "email": "zoe@acme.example", "password": "a few good words"}
CREATE, CHANGE = ("POST", "/api/tickets"), ("PUT", "/api/tickets/{id}")
# Every name of models.LIMITS, and where it holds. `tags` counts items; `message` is about answers.
TAKEN = {
    "title": [(*CREATE, "title"), (*CHANGE, "title")],
    "description": [(*CREATE, "description"), (*CHANGE, "description")],
    "email": [(*CREATE, "customer_email"), (*CREATE, "user"), ("POST", "/api/tickets/{id}/replies", "author_email")],
    "name": [(*CREATE, "customer_name"), (*CHANGE, "action"), ("POST", "/api/tickets/{id}/replies", "author_name")],
    "customer_id": [(*CREATE, "customer_id"), ("GET", "/api/tickets", "customer_id")],
    "product": [(*CREATE, "product"), (*CHANGE, "product"), ("GET", "/api/tickets", "product")],
    "tag": [(*CREATE, "tags"), (*CHANGE, "tags"), ("GET", "/api/tickets", "tag")],
    "tags": [(*CREATE, "tags"), (*CHANGE, "tags")],
    "assigned_to": [
        (*CREATE, "assigned_to"),
        (*CHANGE, "assigned_to"),
        ("POST", "/api/tickets/{id}/assign", "agent_email"),
        ("GET", "/api/tickets", "assigned_to"),
    ],
    "resolution": [("POST", "/api/tickets/{id}/resolve", "resolution")],
    "comment": [("POST", "/api/tickets/{id}/csat", "comment")],
    "body": [("POST", "/api/tickets/{id}/replies", "body")],
    "external_id": [(*CREATE, "external_id"), (*CHANGE, "external_id")],
    "key": [(*CREATE, "client_reference"), (*CREATE, "Idempotency-Key")],
    "company": [("POST", "/api/companies", "company")],
    "password": [("POST", "/api/companies", "password")],
    "article": [("POST", "/api/knowledge", "body")],
    "file_name": [("POST", "/api/tickets/{id}/attachments", "name")],
    "attachment_ids": [("POST", "/api/tickets/{id}/replies", "attachment_ids")],
    "q": [("GET", "/api/tickets", "q"), ("GET", "/api/customers", "q")],
}


def sent(caller, limit, method, path, field, size):
    if limit == "tags":
        value = [f"tag {number}" for number in range(size)]
    elif limit == "password":
        value = ("a few good wörds " * 50)[:size]
    elif limit == "email" and field != "user":
        value = email_of(size)
        assert len(value) == size
    else:
        value = ["é" * size] if field == "tags" else "x" * size if field == "Idempotency-Key" else "é" * size
    ticket_id = caller.ticket()["id"]
    path = path.format(id=ticket_id)
    if method == "GET":
        return caller.get(path, query_string={field: value})
    if field == "Idempotency-Key":
        return caller.post(path, NEW, headers={field: value})
    if path == "/api/companies":
        return caller.post(path, {**COMPANY, field: value})
    whole = {"/api/tickets": NEW, "/api/knowledge": {"title": "Refunds"}}.get(path, {})
    whole = {"body": "Hello."} if path.endswith("replies") else whole
    if path.endswith("csat"):
        caller.post(f"/api/tickets/{ticket_id}/resolve", {"resolution": "Done."})
        runtime = caller.client.application.extensions["runtime"]
        token = runtime.tokens.rating(ticket_id, "default", now=runtime.storage.real_now())
        caller, whole = Caller(caller.client), {"score": 5, "token": token}
    whole = {"content": "SGVsbG8="} if path.endswith("attachments") else whole
    if limit == "attachment_ids":
        files = path.replace("replies", "attachments")
        value = [caller.data(caller.post(files, {"content": "SGVsbG8="}), 201)["id"] for _ in range(size)]
    return caller.call(method, path, {**whole, field: value})


@pytest.mark.parametrize(
    ("limit", "method", "path", "field"),
    [(limit, *where) for limit, places in TAKEN.items() for where in places],
)
def test_a_value_is_accepted_at_its_limit_and_refused_one_past_it(admin, limit, method, path, field):
    assert sent(admin, limit, method, path, field, LIMITS[limit]).status_code in (200, 201)
    response = sent(admin, limit, method, path, field, LIMITS[limit] + 1)
    assert response.status_code == 400
    (error,) = response.json["data"]["errors"]
    assert error["field"].split("[")[0] == field
    if limit != "email" or field == "user":
        assert str(LIMITS[limit]) in error["message"]


def test_every_limit_has_its_test():
    # `links`, `watchers` and `totp` have theirs in test_links.py, test_watchers.py and below.
    assert set(TAKEN) | {"message", "links", "watchers", "totp"} == set(LIMITS)


def test_a_code_of_a_second_factor_is_compared_up_to_its_limit(admin):
    whole = {"email": "nobody@example.com", "password": "a few good words"}
    assert admin.post("/api/auth/login", {**whole, "totp": "é" * LIMITS["totp"]}).status_code == 401
    response = admin.post("/api/auth/login", {**whole, "totp": "é" * (LIMITS["totp"] + 1)})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "totp")


@pytest.mark.parametrize(
    ("method", "path", "field", "limit", "rest"),
    [
        (*CREATE, "title", "title", NEW),
        (*CREATE, "client_reference", "key", NEW),
        (*CHANGE, "action", "name", {"product": "Lamp"}),
        ("POST", "/api/tickets/{id}/ask", "action", "name", {"question": "What is it?"}),
        ("POST", "/api/tickets/{id}/ask", "client_reference", "key", {"question": "What is it?"}),
        ("POST", "/api/tickets/{id}/draft", "tone", "tag", {"instructions": "Be brief."}),
        ("POST", "/api/tickets/{id}/assign", "user", "email", {"agent_email": "bob"}),
        ("POST", "/api/tickets/{id}/resolve", "action", "name", {"resolution": "Done."}),
        ("POST", "/api/tickets/{id}/replies", "author_name", "name", {"body": "Hello."}),
    ],
)
def test_a_text_counts_as_it_is_kept_whatever_the_other_fields_say(admin, method, path, field, limit, rest):
    """Spaces at its ends and control characters are not kept (core/plain_text.py), so they do not count."""
    most, ticket = LIMITS[limit], admin.ticket()
    path = path.format(id=ticket["id"])
    refusal = admin.call(method, path, {**rest, field: "\x08 " + "x" * (most + 1)})
    assert refusal.status_code == 400, refusal.json
    assert refusal.json["data"]["errors"] == [
        {"field": field, "message": f"{field} may have at most {most} characters; this has {most + 1}."}
    ]
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}")) == ticket
    assert admin.call(method, path, {**rest, field: "\x08 " + "x" * most + " \x94\n"}).status_code in (200, 201)
