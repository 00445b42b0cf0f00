"""The values of the contract: what counts as given, the one form of times and words, aliases, clearing, sending back whole."""

import re
from datetime import UTC, datetime

import pytest

from api.ticket_inputs import ALIASES
from core import models
from core.timestamps import read
from tests.support.caller import Caller, has_null

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
WORDS = {
    "category": models.CATEGORIES,
    "priority": models.PRIORITIES,
    "sentiment": models.SENTIMENTS,
    "assigned_team": models.TEAMS,
    "customer_tier": models.TIERS,
    "source": models.SOURCES,
}
NEW = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}
OPTIONAL = sorted(
    {
        *WORDS,
        "product",
        "tags",
        "urgency",
        "assigned_to",
        "customer_name",
        "external_id",
        "customer_id",
        "user",
        "action",
        "status",
        "client_reference",
    }
)


def errors_of(response, status=400):
    assert response.status_code == status, response.get_data(as_text=True)
    return {error["field"]: error["message"] for error in response.json["data"]["errors"]}


def path_of(ticket):
    return f"/api/tickets/{ticket['id']}"


@pytest.mark.parametrize("empty", [None, "", "   ", "\t\n"])
def test_null_and_empty_text_mean_not_given_on_create(admin, empty):
    plain = admin.ticket()
    with_empties = admin.ticket(**dict.fromkeys(OPTIONAL, empty))
    changing = {"id", "number", "ai_response", "created_at", "updated_at"}
    changing |= {"first_response_due_at", "resolve_due_at"}
    assert {k: v for k, v in with_empties.items() if k not in changing} == {
        k: v for k, v in plain.items() if k not in changing
    }


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_and_empty_text_change_nothing_on_update(admin, empty):
    ticket = admin.ticket(product="Lamp", tags=["vip"], assigned_to="bob", external_id="x-1")
    names = [*OPTIONAL, "title", "description", "resolution", "version", "clear"]
    body = {name: empty for name in names if name not in ("client_reference", "source", "customer_id")}
    assert admin.data(admin.put(path_of(ticket), body)) == ticket


@pytest.mark.parametrize("empty", [None, "", " "])
def test_null_and_empty_text_are_not_given_where_something_is_required(admin, empty):
    assert set(errors_of(admin.post("/api/tickets", dict.fromkeys(NEW, empty)))) == set(NEW)
    path = path_of(admin.ticket())
    assert set(errors_of(admin.post(f"{path}/resolve", {"resolution": empty}))) == {"resolution"}
    assert set(errors_of(admin.post(f"{path}/replies", {"body": empty}))) == {"body"}
    assert set(errors_of(admin.post(f"{path}/assign", {"agent_email": empty}))) == {"agent_email"}


def test_empty_query_parameters_are_not_given(admin):
    ticket = admin.ticket()
    query = "&".join(
        f"{name}=" for name in ("status", "priority", "q", "limit", "sort", "user", "role", "created_after")
    )
    assert [row["id"] for row in admin.data(admin.get(f"/api/tickets?{query}"))] == [ticket["id"]]


def test_empty_items_of_a_list_are_left_out_and_repeated_ones_kept_once(admin):
    assert admin.ticket(tags=["vip", "", None, " vip ", "new"])["tags"] == ["vip", "new"]


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "/api/tickets", {"tags": ["", "x" * 51]}, "tags[1] may have at most 50 characters; this has 51."),
        ("PUT", "/api/settings", {"attachment_types": ["image/*", "x"]}, "attachment_types[1] must be a media type"),
        (
            "PUT",
            "/api/settings",
            {"chat_origins": ["https://a.example", "*"]},
            "chat_origins[1] must be a site's origin",
        ),
        ("POST", "/api/teams", {"name": "Night", "members": ["", "Bob <b@>"]}, "members[1] must be a name or an"),
        ("PATCH", "/api/tickets/none", {"clear": ["moon"]}, "clear[0] must be one of"),
        (
            "PUT",
            "/api/settings",
            {"hours": {"own_holidays": ["2026-12-24", "2026-13-01"]}},
            "own_holidays[1] must be a date like 2026-12-24.",
        ),
    ],
)
def test_a_bad_text_of_a_list_is_named_by_its_place(admin, method, path, body, sentence):
    errors = admin.call(method, path, body).json["data"]["errors"]
    assert [error for error in errors if error["message"].startswith(sentence)], errors


def test_no_answer_holds_a_null(admin):
    # The caller looks for nulls in every answer; here every kind of answer is asked for once, with as little set as possible.
    path = path_of(admin.ticket())
    admin.post(f"{path}/replies", {"body": "Hello."})
    admin.post(f"{path}/resolve", {"resolution": "Done."})
    for below in ("", "/replies", "/history", "/ai_response"):
        assert not has_null(admin.get(f"{path}{below}").json)
    for other in (
        "tickets",
        "customers",
        "customers/ada@example.com",
        "settings",
        "lookups/agents",
        "triggers/new-tickets",
        "health",
    ):
        assert admin.get(f"/api/{other}").status_code == 200


def test_what_is_not_set_is_empty_or_left_out_and_never_changes_its_type(admin):
    bare, full = admin.ticket(), admin.ticket(product="Lamp", tags=["vip"], external_id="x-1", customer_name="Ada")
    assert [bare[name] for name in ("product", "external_id", "assigned_to", "resolution")] == [""] * 4
    assert bare["tags"] == []
    assert not {"resolved_at", "closed_at", "assigned_at", "csat_score"} & set(bare)
    assert {name: type(value) for name, value in bare.items()} == {name: type(full[name]) for name in bare}


def test_a_ticket_has_its_published_fields_in_their_order(admin):
    ticket = admin.ticket()
    assert list(ticket) == [name for name in models.TICKET_FIELDS if name in ticket]
    assert isinstance(ticket["urgency"], float)


TIMES = {
    "2026-01-31T08:00:00Z": "2026-01-31T08:00:00.000Z",
    "2026-01-31t08:00:00z": "2026-01-31T08:00:00.000Z",
    "2026-01-31 08:00:00": "2026-01-31T08:00:00.000Z",
    "2026-01-31T08:00": "2026-01-31T08:00:00.000Z",
    "2026-01-31": "2026-01-31T00:00:00.000Z",
    "2026-01-31T08:00:00+02:00": "2026-01-31T06:00:00.000Z",
    "2026-01-31T08:00:00+0200": "2026-01-31T06:00:00.000Z",
    "2026-01-01T00:30:00+01:00": "2025-12-31T23:30:00.000Z",
    "2026-01-31T08:00:00-05:30": "2026-01-31T13:30:00.000Z",
    **{
        f"2026-01-31T08:00:00.{'123456789'[:n]}Z": f"2026-01-31T08:00:00.{'123456789'[:n][:3]:0<3}Z"
        for n in range(1, 10)
    },
    "0500-01-01": "0500-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
}


@pytest.mark.parametrize(("given", "meant"), TIMES.items())
def test_every_form_of_a_time_is_read(given, meant):
    assert read(given) == meant


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2026-01-31T08:00:00Z", True),
        ("2026-01-31T09:59:59%2B02:00", True),
        ("2026-01-31T10:30:00+02:00", False),
        ("2026-01-31T10:00:00.100+02:00", False),
        ("2026-01-31 10:30:00+02:00", False),
        ("2026-01-31T10:30:00+0200", False),
        ("2026-01-31T08:00:00.000999Z", True),
        ("2026-01-31", True),
        ("2026-02-01", False),
        ("0500-01-01", True),
    ],
)
def test_times_in_a_query_are_read_also_when_their_plus_has_become_a_space(open_app, given, found):
    admin = Caller(open_app(clock=lambda: datetime(2026, 1, 31, 8, 0, 0, 1000, UTC)).test_client(), "admin-key")
    ticket = admin.ticket()
    assert ticket["created_at"] >= "2026-01-31T08:00:00.001Z"
    # Werkzeug's client would encode the plus, so the address is written out.
    assert bool(admin.get(f"/api/tickets?created_after={given}").json["total"]) is found


def test_times_are_emitted_in_one_form(admin):
    path = path_of(admin.ticket(assigned_to="bob"))
    admin.post(f"{path}/replies", {"body": "Hello."})
    admin.post(f"{path}/resolve", {"resolution": "Done."})
    ticket = admin.data(admin.put(path, {"status": "closed"}))
    times = {name: value for name, value in ticket.items() if name.endswith("_at")}
    assert {"created_at", "updated_at", "assigned_at", "first_response_at", "resolved_at", "closed_at"} <= set(times)
    assert all(STAMP.fullmatch(value) for value in times.values()), times


def test_after_and_before_are_strict_and_since_is_inclusive(admin):
    tickets = [admin.ticket() for _ in range(3)]
    middle = tickets[1]["created_at"]

    def numbers(**query):
        return {ticket["number"] for ticket in admin.data(admin.get("/api/tickets", query_string=query))}

    assert numbers(created_after=middle) == {3}
    assert numbers(created_before=middle) == {1}
    assert numbers(updated_since=middle) == {2, 3}
    assert numbers(created_after=middle, created_before=middle) == set()


@pytest.mark.parametrize("field", WORDS)
def test_words_are_accepted_in_any_case_with_spaces_or_hyphens(admin, field):
    for word in WORDS[field]:
        for written in (word.upper(), f" {word.title()} ", word.replace("_", " "), word.replace("_", "-").capitalize()):
            assert admin.ticket(**{field: written})[field] == word
            found = admin.data(admin.get("/api/tickets", query_string={field: written}))
            assert {ticket[field] for ticket in found} == {word}


@pytest.mark.parametrize("written", ["waiting_customer", "Waiting Customer", "WAITING-CUSTOMER", "waiting customer "])
def test_a_status_is_accepted_in_any_form(admin, written):
    assert admin.data(admin.put(path_of(admin.ticket()), {"status": written}))["status"] == "waiting_customer"
    assert admin.get("/api/tickets", query_string={"status": written}).json["total"] == 1


@pytest.mark.parametrize("bad", ["none of these", 1, True, ["low"], {}])
def test_another_word_is_400_and_lists_the_accepted_ones(admin, bad):
    listed = {field: words for field, words in WORDS.items() if field != "assigned_team"}  # teams are a company's own
    errors = errors_of(admin.post("/api/tickets", {**NEW, **dict.fromkeys(listed, bad)}))
    assert set(errors) == set(listed)
    assert all(word in errors[field] for field, words in listed.items() for word in words)


@pytest.mark.parametrize("written", ["open", "Open", "new", "NEW"])
def test_open_means_new_where_a_status_is_written(admin, written):
    assert admin.ticket(status=written)["status"] == "ai_responded"
    path = path_of(admin.ticket())
    assert admin.data(admin.put(path, {"status": written}))["status"] == "new"


@pytest.mark.parametrize("status", [status for status in models.STATUSES if status != "new"])
def test_a_ticket_cannot_be_created_in_another_state(admin, status):
    assert set(errors_of(admin.post("/api/tickets", {**NEW, "status": status}))) == {"status"}


VALUE = {
    "title": "Alias",
    "description": "By another name.",
    "customer_email": "al@example.com",
    "customer_name": "Al",
    "assigned_to": "al@example.com",
}


def test_an_alias_does_what_its_field_does(admin):
    for alias, field in ALIASES.items():
        body = {**NEW, field: VALUE[field]}
        body[alias] = body.pop(field)
        assert admin.data(admin.post("/api/tickets", body), 201)[field] == VALUE[field], alias


def test_every_alias_of_the_contract_is_there():
    assert set(ALIASES.items()) == {
        ("subject", "title"),
        ("message", "description"),
        ("email", "customer_email"),
        ("name", "customer_name"),
        ("agent_email", "assigned_to"),
        ("agent_name", "assigned_to"),
        ("agent", "assigned_to"),
    }


@pytest.mark.parametrize(("alias", "field"), ALIASES.items())
def test_an_alias_with_the_same_value_is_fine_and_with_another_400(admin, alias, field):
    same = {**NEW, field: VALUE[field], alias: VALUE[field]}
    assert admin.data(admin.post("/api/tickets", same), 201)[field] == VALUE[field]
    assert set(errors_of(admin.post("/api/tickets", {**same, alias: "other@example.com"}))) == {alias}
    assert admin.get("/api/tickets").json["total"] == 1


def test_an_empty_alias_does_not_differ(admin):
    assert admin.ticket(title="Help", subject="", message=None)["title"] == "Help"


def test_two_aliases_of_one_field_must_not_differ_either(admin):
    assert set(errors_of(admin.post("/api/tickets", {**NEW, "agent": "bob", "agent_name": "eve"}))) & {
        "agent",
        "agent_name",
    }


@pytest.mark.parametrize(
    ("alias", "field"), [(alias, field) for alias, field in ALIASES.items() if field != "customer_email"]
)
def test_an_alias_is_accepted_on_update_as_well(admin, alias, field):
    assert admin.data(admin.put(path_of(admin.ticket()), {alias: VALUE[field]}))[field] == VALUE[field]


@pytest.mark.parametrize("name", ["agent_email", "assigned_to", "agent_name", "agent"])
def test_an_agent_is_named_by_any_alias_when_assigning(admin, name):
    assert admin.data(admin.post(f"{path_of(admin.ticket())}/assign", {name: "bob"}))["assigned_to"] == "bob"


TEXTS = [
    "title",
    "description",
    "customer_name",
    "product",
    "action",
]
IDS = ["customer_id", "external_id", "assigned_to", "user", "client_reference"]


@pytest.mark.parametrize("value", [1.5, True, False, ["x"], {"x": 1}])
def test_what_is_not_text_is_400_where_an_id_is_expected(admin, value):
    errors = errors_of(admin.post("/api/tickets", {**NEW, **dict.fromkeys(IDS, value)}))
    assert errors == {field: f"{field} must be text." for field in IDS}


@pytest.mark.parametrize("value", [7, 0, 1.5, True, False, ["x"], {"x": 1}])
def test_what_is_not_text_is_400_where_text_is_expected(admin, value):
    errors = errors_of(admin.post("/api/tickets", {**NEW, **dict.fromkeys(TEXTS, value)}))
    assert errors == {field: f"{field} must be text." for field in TEXTS}


@pytest.mark.parametrize("value", ["vip", 7, True, {"vip": 1}, [7], [["vip"]], [True]])
def test_tags_are_a_list_of_texts(admin, value):
    assert list(errors_of(admin.post("/api/tickets", {**NEW, "tags": value}))) in (["tags"], ["tags[0]"])


@pytest.mark.parametrize(("value", "kept"), [(1, 1.0), (5, 5.0), (2.34, 2.3), ("3.5", 3.5), (" 4 ", 4.0)])
def test_urgency_is_a_number_in_tenths(admin, value, kept):
    assert admin.ticket(urgency=value)["urgency"] == kept


@pytest.mark.parametrize("value", [0.9, 5.1, 0, -1, 1e9, True, "high", "nan", "1e0", [3], {}])
def test_an_urgency_out_of_range_is_400(admin, value):
    assert list(errors_of(admin.post("/api/tickets", {**NEW, "urgency": value}))) == ["urgency"]


@pytest.mark.parametrize(
    ("value", "meant"), [(True, True), ("true", True), ("True", True), (False, False), ("false", False)]
)
def test_a_flag_is_true_or_false_also_as_text(admin, value, meant):
    path = path_of(admin.ticket())
    assert admin.data(admin.post(f"{path}/replies", {"body": "Note.", "internal": value}), 201)["internal"] is meant
    assert list(errors_of(admin.post(f"{path}/replies", {"body": "Note.", "internal": "perhaps"}))) == ["internal"]


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("PUT", "", {"title": "New"}),
        ("PATCH", "", {"status": "in_progress"}),
        ("PUT", "", {"clear": ["product"]}),
        ("POST", "/assign", {"agent_email": "bob"}),
        ("POST", "/unassign", {}),
        ("POST", "/resolve", {"resolution": "Done."}),
        ("POST", "/replies", {"body": "Hello."}),
        ("POST", "/replies", {"body": "Note.", "internal": True}),
        ("POST", "/ai_response", {}),
    ],
)
def test_who_is_said_to_act_is_kept_beside_the_credential(admin, agent, method, below, body):
    said, kept = {"user": "Bob", "action": "escalate"}, "Bob (escalate)"
    path = path_of(admin.ticket(product="Lamp", **({"assigned_to": "eve"} if below == "/unassign" else {})))
    before = len(admin.data(admin.get(f"{path}/history")))
    assert agent.call(method, f"{path}{below}", {**body, **said}).status_code in (200, 201)
    events = admin.data(admin.get(f"{path}/history"))[before:]
    mine = [event for event in events if event["actor"] == "agent key"]
    assert mine
    assert {event["said_by"] for event in mine} == {kept}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"user": "Bob"}, "Bob"),
        ({"action": "phone call"}, "phone call"),
        ({"user": "Bob", "action": "call"}, "Bob (call)"),
    ],
)
def test_who_is_said_to_open_a_ticket_is_kept(agent, said, kept):
    ticket = agent.ticket(**said)
    first = agent.data(agent.get(f"{path_of(ticket)}/history"))[0]
    assert (first["action"], first["actor"], first["said_by"]) == ("created", "agent key", kept)


def test_who_is_said_to_act_has_no_say_in_what_is_allowed(customer, admin):
    ticket = admin.ticket()
    assert customer.put(path_of(ticket), {"title": "New", "user": "admin", "action": "admin"}).status_code == 403
