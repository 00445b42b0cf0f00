"""The function answers requests in both formats of API Gateway, and runs jobs by the schedule and on demand."""

import logging

import pytest

from database.tables import presence
from deploy.aws import handler
from tests.support.lambda_events import Context, body_of, event, header_of, json_of

NOT_UTF_8 = b'{"name": "Zo\xeb"}'
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(256))
BOUNDARY = "----foyer"


def multipart(name, content):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def test_a_ticket_is_opened_read_and_listed(call, ticket):
    made = ticket()
    answer = call("GET", f"/api/tickets/{made['id']}")
    assert json_of(answer)["data"]["title"] == "Plan"
    assert header_of(answer, "ETag") == [f'"{made["version"]}"']
    assert header_of(answer, "X-Request-ID")
    assert json_of(call("GET", "/api/tickets?status=open&limit=1"))["total"] == 1
    assert json_of(call("GET", "/api/tickets?limit=0"), 400)["success"] is False
    head = call("HEAD", "/api/tickets")
    assert (head["statusCode"], head["body"]) == (200, "")
    assert json_of(call("GET", "/api/tickets", x_api_key="wrong"), 401)["data"]["code"]


@pytest.mark.parametrize("content", [PNG, NOT_UTF_8], ids=["binary", "a text that is no UTF-8"])
def test_a_file_goes_up_and_down_byte_by_byte(call, ticket, content):
    media = f"multipart/form-data; boundary={BOUNDARY}"
    url = f"/api/tickets/{ticket()['id']}/attachments"
    file = json_of(call("POST", url, multipart("a.json", content), content_type=media), 201)["data"]
    assert body_of(call("GET", f"/api/attachments/{file['id']}")) == content


def test_a_browser_stays_signed_in_by_its_cookie(call):
    person = {"email": "eva@example.com", "password": "correct horse battery"}
    json_of(call("POST", "/api/companies", {**person, "company": "Acme", "name": "Eva"}), 201)
    own = {"x_requested_with": "foyer", "x_api_key": ""}
    sign_in = call("POST", "/api/auth/login", {**person, "remember": True}, **own)
    assert json_of(sign_in)["success"]
    (cookie,) = header_of(sign_in, "Set-Cookie")
    assert "Secure" in cookie
    answer = call("POST", "/api/auth/refresh", {}, cookies=("theme=dark", cookie.partition(";")[0]), **own)
    assert json_of(answer)["data"]["access_token"]


def test_a_write_asks_for_its_jobs_and_a_read_does_not(call, ticket, calls, function, mailer):
    made = ticket()
    assert calls == [{"work": "jobs"}]
    assert mailer.sent == []
    call("GET", f"/api/tickets/{made['id']}")
    assert len(calls) == 1
    assert function(calls[0], Context())["jobs"] >= 2
    assert {notice.to for notice in mailer.sent} == {"ada@example.com"}
    assert function({"work": "schedule"}, Context()) == {"jobs": 0}
    call("PUT", "/api/settings", {})
    assert len(calls) == 1, "nothing is due"


def test_a_chat_that_needs_a_person_is_published(call, function, alerts):
    answer = json_of(call("POST", "/api/chat", {"customer_email": "ada@example.com", "message": "human"}))
    function({"work": "schedule"}, Context())
    assert [alert["ticket_id"] for alert in alerts()] == [answer["data"]["ticket_id"]]


@pytest.mark.parametrize("form", ["http_api"])
def test_what_a_process_keeps_in_memory_is_stored_with_each_answer(call, ticket, app):
    made = ticket()
    json_of(call("PUT", f"/api/tickets/{made['id']}/presence", {"state": "viewing"}))
    with app.extensions["runtime"].storage.unit_of_work(None) as uow:
        assert [row["ticket_id"] for row in uow.find(uow.query(presence))] == [made["id"]]


def test_whoever_waits_for_the_model_wakes_the_jobs_before_the_answer(app, function, calls):
    app.extensions["runtime"].runner.wake()
    assert calls == [{"work": "jobs"}]


FOREIGN = {
    "of S3": {"Records": [{"eventSource": "aws:s3"}]},
    "of a load balancer": {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {}},
    "empty": {},
    "with another work": {"work": "everything"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_an_event_of_another_service_is_refused_with_a_sentence(function, foreign):
    with pytest.raises(ValueError, match="takes events of API Gateway"):
        function(foreign, Context())


def test_a_request_cannot_pretend_to_be_the_schedule(function, calls):
    made = {**event("http_api", "POST", "/api/tickets", {}), "work": "schedule"}
    assert json_of(function(made, Context()), 401)["success"] is False


@pytest.mark.parametrize("form", ["http_api"])
def test_an_answer_that_lambda_cannot_send_is_said_in_a_sentence(call, monkeypatch):
    monkeypatch.setattr(handler, "MOST_BYTES", 10)
    body = json_of(call("GET", "/api/tickets"), 413)
    assert (body["data"]["code"], body["success"]) == ("answer_too_large", False)


def test_faults_are_logged_masked_and_answered_in_general_words(function, app, caplog):
    made = event("http_api", "GET", "/api/tickets")
    del made["rawPath"]
    body = json_of(function(made, Context()), 500)
    assert body["data"]["request_id"] == Context.aws_request_id
    assert "rawPath" in caplog.text
    app.extensions["runtime"].storage.close()
    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError, match="the log says why") as raised:
        function({"work": "schedule"}, Context())
    assert raised.value.__context__ is None
