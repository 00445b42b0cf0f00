"""What the app sees of a request that came through API Gateway: only what API Gateway itself wrote is believed (case 10)."""

import json

import pytest
from apig_wsgi import make_lambda_handler
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Request, Response

from deploy.aws.gateway import Gateway
from tests.support.lambda_events import FORMATS, Context, body_of, event, header_of


@Request.application
def echo(request):
    names = ("Host", "X-Forwarded-For", "X-Forwarded-Host", "X-On-Behalf-Of")
    seen = {
        "address": request.remote_addr,
        "url": request.url,
        "mount": request.script_root,
        "path": request.path,
        "query": sorted(request.args.items(multi=True)),
        "cookies": dict(request.cookies),
        "headers": {name: request.headers[name] for name in names if name in request.headers},
        "body": request.get_data(as_text=True),
    }
    response = Response(json.dumps(seen))
    response.headers.add("Vary", "Origin")
    response.headers.add("Vary", "Cookie")
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


def answer_of(made, app=echo):
    serve = make_lambda_handler(Gateway(app), binary_support=True, non_binary_content_type_prefixes=())
    return serve(made, Context())


def seen(made, app=echo):
    return json.loads(body_of(answer_of(made, app)))


@pytest.fixture(params=FORMATS)
def form(request):
    return request.param


def test_a_request_is_as_the_caller_sent_it(form):
    request = seen(event(form, "POST", "/api/tickets?tag=a&tag=b%26c&q=", {"title": "Zoë"}, cookies=("a=1", "b=2")))
    assert request["path"] == "/api/tickets"
    assert request["query"] == [["q", ""], ["tag", "a"], ["tag", "b&c"]]
    assert request["cookies"] == {"a": "1", "b": "2"}
    assert json.loads(request["body"]) == {"title": "Zoë"}
    assert request["url"].startswith("https://")
    assert request["address"] == "203.0.113.7"


SPOOFED = {
    "an address": {"x_forwarded_for": "198.51.100.1, 203.0.113.7"},
    "an address and no more": {"x_forwarded_for": "198.51.100.1"},
    "nothing": {"x_forwarded_for": ""},
    "a scheme": {"x_forwarded_proto": "http"},
    "a port": {"x_forwarded_port": "8080"},
    "a host": {"x_forwarded_host": "evil.example"},
    "a mount": {"x_forwarded_prefix": "/evil"},
}


@pytest.mark.parametrize("headers", SPOOFED.values(), ids=SPOOFED)
def test_case_10_a_header_changes_neither_address_nor_scheme_nor_host(form, headers):
    request = seen(event(form, "GET", "/api/me", **headers))
    assert (request["address"], request["url"]) == (
        "203.0.113.7",
        seen(event(form, "GET", "/api/me"))["url"],
    )
    assert "X-Forwarded-Host" not in request["headers"]


PROXIES = {
    "one proxy": ("198.51.100.1, 203.0.113.7", 1, "198.51.100.1"),
    "one proxy and a made up address": ("192.0.2.9, 198.51.100.1, 203.0.113.7", 1, "198.51.100.1"),
    "two proxies": ("192.0.2.9, 198.51.100.1, 203.0.113.7", 2, "192.0.2.9"),
    "none where one is expected": ("203.0.113.7", 1, "203.0.113.7"),
}


@pytest.mark.parametrize(("forwarded", "proxies", "address"), PROXIES.values(), ids=PROXIES)
def test_trusted_proxies_counts_those_in_front_of_api_gateway(form, forwarded, proxies, address):
    app = ProxyFix(echo, x_for=proxies, x_proto=proxies, x_host=proxies)
    request = seen(event(form, "GET", "/api/me", x_forwarded_for=forwarded), app)
    assert request["address"] == address
    assert request["url"].startswith("https://")


def test_the_stage_is_the_mount_point(form):
    made = event(form, "GET", "/api/me")
    if form == "http_api":
        assert seen(made)["mount"] == ""
        made["requestContext"]["stage"], made["rawPath"] = "prod", "/prod/api/me"
    assert (seen(made)["mount"], seen(made)["path"]) == ("/prod", "/api/me")


@pytest.mark.parametrize("path", ["/api/customers/zo%C3%AB@example.com", "/api/customers/zoë@example.com"])
def test_a_path_is_utf_8_whether_api_gateway_decoded_it_or_not(form, path):
    assert seen(event(form, "GET", path))["path"] == "/api/customers/zoë@example.com"
    assert seen(event(form, "GET", "/api/customers/жук"))["path"] == "/api/customers/жук"


@pytest.mark.parametrize("name", ["zoë", "жук", "\ud800"])
def test_any_character_in_a_header_is_taken(form, name):
    assert seen(event(form, "GET", "/", x_on_behalf_of=name))["headers"]["X-On-Behalf-Of"]


def test_a_header_with_several_values_and_several_cookies_go_out(form):
    answer = answer_of(event(form, "GET", "/"))
    assert header_of(answer, "Vary") == ["Origin, Cookie"]
    assert [cookie.partition(";")[0] for cookie in header_of(answer, "Set-Cookie")] == ["one=1", "two=2"]
