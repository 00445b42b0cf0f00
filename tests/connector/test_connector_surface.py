"""The surface that apps rely on: every breaking change is reported, and additions are accepted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.connector.connector_sample import Broken, document, query, shown
from tools.connector.surface import breaks, locked, read_lock, surface


def changed(change: Callable[[Broken], Any]) -> list[str]:
    """What this change of the sample breaks."""
    broken = Broken()
    change(broken)
    return breaks(surface(serialized(document())), surface(serialized(broken.d)))


def serialized(definition: Any) -> bytes:
    return json.dumps(definition).encode()


def _gone(broken: Broken, name: str) -> None:
    for path, item in list(broken.d["paths"].items()):
        if any(operation.get("operationId") == name for operation in item.values()):
            del broken.d["paths"][path]


def _two_required(broken: Broken) -> None:
    broken.schema("NewTicket")["required"] = ["title", "urgency"]


def _flipped(broken: Broken) -> None:
    fields = broken.schema("NewTicket")["properties"]
    broken.schema("NewTicket")["properties"] = {name: fields[name] for name in ("urgency", "title", "customer")}


BREAKS = [
    ("GetTicket is gone.", lambda b: _gone(b, "GetTicket")),
    ("GetTicket is gone.", lambda b: b.op("GetTicket").update(operationId="ReadTicket")),
    ("GetTicket: is hidden from makers now.", lambda b: b.op("GetTicket").update({"x-ms-visibility": "internal"})),
    ("OnNewTicket: was of the kind batch trigger and is now of the kind action.",
        lambda b: b.op("OnNewTicket").pop("x-ms-trigger")),
    ("ListTickets: the argument limit is gone.", lambda b: b.op("ListTickets")["parameters"].pop()),
    ("CreateTicket: the argument title is gone.", lambda b: b.schema("NewTicket").update(
        properties={"name": b.field("NewTicket", "title")}, required=["name"])),
    ("ListTickets: the argument limit was integer and is now string.",
        lambda b: b.argument("ListTickets", "limit").update(type="string")),
    ("OnNewTicket: the argument after was string date-time and is now string.",
        lambda b: b.argument("OnNewTicket", "after").pop("format")),
    ("CreateTicket: the argument customer.email was string and is now integer.",
        lambda b: b.field("Customer", "email").update(type="integer")),
    ("ListTickets: the argument limit moved from query to header.",
        lambda b: b.argument("ListTickets", "limit").update({"in": "header"})),
    ("ListTickets: the argument limit is required now.",
        lambda b: b.argument("ListTickets", "limit").update(required=True)),
    ("CreateTicket: the argument urgency is required now.", _two_required),
    ("ListTickets: the argument limit is hidden from makers now.",
        lambda b: b.argument("ListTickets", "limit").update({"x-ms-visibility": "internal"})),
    ("CreateTicket: the argument title is no longer required, so that it loses its place in formulas.",
        lambda b: b.schema("NewTicket").pop("required")),
    ("CreateTicket: the new argument team is required.", lambda b: (
        b.schema("NewTicket")["properties"].update(team=shown("string", "Team")),
        b.schema("NewTicket")["required"].append("team"))),
    ("ListTickets: the argument sort no longer takes old.",
        lambda b: b.argument("ListTickets", "sort").update(enum=["new"])),
    ("ListTickets: the argument limit takes listed words only now.",
        lambda b: b.argument("ListTickets", "limit").update(enum=[50])),
    ("GetTicket: the field tags of the answer is gone.", lambda b: b.schema("Ticket")["properties"].pop("tags")),
    ("GetTicket: the field title of the answer was string and is now integer.",
        lambda b: b.field("Ticket", "title").update(type="integer")),
    ("GetTicket: the field tags of the answer was array of string and is now array of object.",
        lambda b: b.field("Ticket", "tags").update(items={"$ref": "#/definitions/Customer"})),
    ("ListTickets: the field data[].title of the answer is gone.", lambda b: b.schema("Ticket")["properties"].pop("title")),
    ("GetTicket: the field id of the answer was string and is now array of string.",
        lambda b: b.field("Ticket", "id").update(type="array", items={"type": "string"})),
]  # fmt: skip
ADDS = [
    lambda b: b.copy("ListTickets", "/api/more", operationId="ListMore"),
    lambda b: b.add("ListTickets", query("tag", "string", "Tag")),
    lambda b: b.op("ListTickets")["parameters"].insert(0, query("tag", "string", "Tag")),
    lambda b: b.schema("NewTicket")["properties"].update(team=shown("string", "Team")),
    lambda b: b.schema("Ticket")["properties"].update(team=shown("string", "Team")),
    lambda b: b.argument("ListTickets", "sort")["enum"].append("any"),
    lambda b: b.argument("ListTickets", "sort").pop("enum"),
    lambda b: b.op("ListChoices").pop("x-ms-visibility"),
    lambda b: b.argument("ListTickets", "limit").update(format="int64", maximum=2**40),
    lambda b: b.op("GetTicket").update(summary="Read a ticket"),
    lambda b: b.schema("Customer").update(required=["email"]) or b.field("Customer", "email").update(maxLength=9),
]


@pytest.mark.parametrize(("said", "change"), BREAKS, ids=[said.split(" of the ")[0] for said, _ in BREAKS])
def test_each_breaking_change_is_reported_with_its_operation(said, change):
    assert said in changed(change)


@pytest.mark.parametrize("change", ADDS, ids=range(len(ADDS)))
def test_additions_break_nothing(change):
    assert changed(change) == []


def test_another_order_of_required_arguments_is_a_breaking_change():
    before, after = Broken(), Broken()
    _two_required(before)
    _two_required(after)
    _flipped(after)
    found = breaks(surface(serialized(before.d)), surface(serialized(after.d)))
    assert found == ["CreateTicket: the required arguments come in another order: urgency, title."]


def test_another_order_of_optional_arguments_is_no_breaking_change():
    assert changed(_flipped) == []


def test_path_parameters_come_before_the_fields_of_the_body():
    found = Broken()
    found.add("CreateTicket", query("company", "string", "Company", required=True))
    assert surface(serialized(found.d))["CreateTicket"]["in_order"] == ["company", "title"]


def test_hidden_arguments_have_no_place_in_formulas():
    found = Broken()
    found.add(
        "GetTicket", query("kind", "string", "Kind", required=True, **{"x-ms-visibility": "internal", "default": "a"})
    )
    assert surface(serialized(found.d))["GetTicket"]["in_order"] == ["ticket_id"]


def test_the_lock_holds_the_surface(tmp_path):
    assert read_lock(tmp_path) is None
    (tmp_path / "surface.lock.json").write_bytes(locked(serialized(document())))
    assert read_lock(tmp_path) == surface(serialized(document()))
    assert breaks(read_lock(tmp_path), surface(serialized(document()))) == []
