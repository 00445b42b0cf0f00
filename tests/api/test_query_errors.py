"""Bad query parameters: each is named, with what is accepted."""

import pytest

from services.tickets import queries
from tests.support.refusals import refused


@pytest.mark.parametrize(
    "query", ["q=a%00b", "assigned_to=%00", "tag=%00", "status=%00", "sort=%00", "limit=%00", "user=%00"]
)
def test_a_nul_in_the_query_is_400(admin, query):
    assert admin.get(f"/api/tickets?{query}").status_code == 400


@pytest.mark.parametrize("query", ["q=%ED%A0%80", "q=%FF", "tag=a%C3", "%ED%BF%BF=1", "q=%C0%80"])
def test_bytes_in_the_query_that_are_no_text_are_400(admin, query):
    refused(admin.get(f"/api/tickets?{query}"), 400, "bad_query")


@pytest.mark.parametrize(
    ("path", "typo", "meant"),
    [
        ("/api/tickets", "stauts", "status"),
        ("/api/tickets", "Limit", "limit"),
        ("/api/tickets", "customer_mail", "customer_email"),
        ("/api/customers", "ofset", "offset"),
        ("/api/triggers/new-tickets", "afte", "after"),
    ],
)
def test_an_unknown_query_parameter_is_400_and_names_the_nearest(admin, path, typo, meant):
    (error,) = refused(admin.get(f"{path}?{typo}=1"), 400, "invalid_fields", typo)
    assert f"Did you mean {meant}?" in error["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/settings"),
        ("GET", "/api/lookups/statuses"),
        ("GET", "/api/health"),
        ("GET", "/api/customers/ada@example.com"),
        ("GET", "/api/tickets/{id}"),
        ("GET", "/api/tickets/{id}/history"),
        ("GET", "/api/tickets/{id}/ai_response"),
        ("PUT", "/api/tickets/{id}"),
        ("DELETE", "/api/tickets/{id}"),
        ("POST", "/api/tickets/{id}/resolve"),
        ("POST", "/api/tickets/{id}/replies"),
    ],
)
def test_a_query_parameter_is_400_where_none_is_taken(admin, method, path):
    ticket = admin.ticket()
    response = admin.call(
        method, path.format(id=ticket["id"]) + "?verbose=1", {} if method in ("PUT", "POST") else None
    )
    refused(response, 400, "invalid_fields", "verbose")
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}")) == ticket


BAD_LIMITS = [
    "0",
    "-1",
    "1000000000",
    "201",
    "abc",
    "1.5",
    "1e2",
    "--5",
    "-",
    "+-5",
    "0x10",
    "²",
    "٣",
    "1,2",
    "9" * 5000,
]


@pytest.mark.parametrize(
    "path", ["/api/tickets", "/api/customers", "/api/triggers/new-tickets", "/api/triggers/updated-tickets"]
)
def test_a_limit_that_is_no_number_from_1_to_200_is_400(admin, path):
    for value in BAD_LIMITS:
        (error,) = refused(admin.get(path, query_string={"limit": value}), 400, "invalid_fields", "limit")
        assert "from 1 to 200" in error["message"]


@pytest.mark.parametrize("value", ["-1", "abc", "10000000000", "--1", "0.5"])
def test_an_offset_that_is_no_number_is_400(admin, value):
    refused(admin.get("/api/tickets", query_string={"offset": value}), 400, "invalid_fields", "offset")


@pytest.mark.parametrize(
    "value", ["evil", "title", "created_at; DROP TABLE tickets", "--created_at", "created_at,id", "company_id"]
)
def test_a_sort_that_is_not_listed_is_400_and_says_which_are(admin, value):
    (error,) = refused(admin.get("/api/tickets", query_string={"sort": value}), 400, "invalid_fields", "sort")
    assert all(name in error["message"] for name in queries.SORTS)


@pytest.mark.parametrize(
    "name", ["status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source"]
)
def test_a_filter_that_is_not_listed_is_400(admin, name):
    for value in ("evil", ",", "new,evil", "'", "%"):
        refused(admin.get("/api/tickets", query_string={name: value}), 400, "invalid_fields", name)


@pytest.mark.parametrize(
    "value",
    ["soon", "2026-13-01", "2026-02-30", "2026-01-01T25:00:00Z", "2026-01-01T10:00:00+99:00", "1", "01/02/2026"],
)
def test_what_is_no_time_is_400(admin, value):
    for name in ("created_after", "created_before", "updated_since"):
        (error,) = refused(admin.get("/api/tickets", query_string={name: value}), 400, "invalid_fields", name)
        assert "2026-01-31" in error["message"]


def test_all_invalid_query_parameters_are_listed_at_once(admin):
    response = admin.get("/api/tickets?limit=0&sort=evil&status=evil&user=ada&nope=1&created_after=soon")
    refused(response, 400, "invalid_fields", "limit", "sort", "status", "role", "nope", "created_after")


@pytest.mark.parametrize(
    ("method", "query", "name"),
    [
        ("GET", "/api/tickets?q=lamp&q=oven", "q"),
        ("GET", "/api/tickets?product=Lamp&product=Lamp", "product"),
        ("GET", "/api/tickets?limit=5&limit=", "limit"),
        ("GET", "/api/knowledge?q=%08&q=lamp", "q"),
        ("GET", "/api/customers?status=a&status=b", "status"),
        ("POST", "/api/import?dry_run=true&dry_run=false", "dry_run"),
        ("POST", "/api/transfers?kind=export&kind=import", "kind"),
    ],
)
def test_a_query_parameter_of_one_value_that_is_sent_twice_is_400(admin, method, query, name):
    (error,) = refused(admin.call(method, query, content_type="application/zip"), 400, "invalid_fields", name)
    assert error["message"] == f"{name} stands twice in the address. Send it once."


@pytest.mark.parametrize(
    "query",
    ["status=new&status=in_progress", "priority=low&priority=high", "assigned_team=finance&assigned_team=sales"],
)
def test_a_comma_list_may_be_sent_in_parts(admin, query):
    name, whole = query.split("=")[0], ",".join(part.split("=")[1] for part in query.split("&"))
    admin.ticket(priority="high")
    in_parts, in_one = admin.get(f"/api/tickets?{query}"), admin.get("/api/tickets", query_string={name: whole})
    assert in_parts.status_code == 200
    assert in_parts.json == in_one.json
