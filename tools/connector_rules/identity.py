"""Rules of what an operation is called and how it is described."""

import re
import unicodedata
from collections import Counter

from tools.connector_rules.base import Connector, Said, rule
from tools.connector_rules.walk import Op

LONGEST_ID = 60
LONGEST_SUMMARY = 80
MOST_OPERATIONS = 256


def _id(op: Op) -> str:
    name = op.doc.get("operationId")
    return name if isinstance(name, str) else ""


def _text(op: Op, field: str) -> str:
    value = op.doc.get(field)
    return value.strip() if isinstance(value, str) else ""


@rule
def operation_id_required(connector: Connector) -> Said:
    """An operation without an id has no name in formulas."""
    return [(op.where, "give it an operationId.") for op in connector.operations if not _id(op)]


@rule
def operation_id_not_unique(connector: Connector) -> Said:
    """Two operations cannot share a name, not even in other letters' case."""
    counted = Counter(_id(op).lower() for op in connector.operations)
    return [
        (op.where, "another operation has this id.")
        for op in connector.operations
        if _id(op) and counted[_id(op).lower()] > 1
    ]


@rule
def operation_id_sanitized(connector: Connector) -> Said:
    """Only letters and digits are kept of an id."""
    return [
        (op.where, "an operationId has letters and digits only.")
        for op in connector.operations
        if _id(op) and not re.fullmatch(r"[A-Za-z0-9]+", _id(op))
    ]


@rule
def operation_id_not_pascal_case(connector: Connector) -> Said:
    """Formulas read ListTickets, not listTickets."""
    return [
        (op.where, "begin the operationId with a capital letter, like ListTickets.")
        for op in connector.operations
        if re.fullmatch(r"[A-Za-z0-9]+", _id(op)) and not re.fullmatch(r"[A-Z][a-z0-9]*([A-Z][a-z0-9]*)*", _id(op))
    ]


@rule
def operation_id_too_long(connector: Connector) -> Said:
    """Long names are cut off in formulas and designers."""
    return [
        (op.where, f"keep the operationId within {LONGEST_ID} characters.")
        for op in connector.operations
        if len(_id(op)) > LONGEST_ID
    ]


@rule
def operation_summary_required(connector: Connector) -> Said:
    """The summary is the name of the action in the designer."""
    return [(op.where, "give it a summary.") for op in connector.operations if not _text(op, "summary")]


@rule
def operation_summary_too_long(connector: Connector) -> Said:
    """The designer shows 80 characters."""
    return [
        (op.where, f"keep the summary within {LONGEST_SUMMARY} characters.")
        for op in connector.operations
        if len(_text(op, "summary")) > LONGEST_SUMMARY
    ]


@rule
def restricted_characters_in_summary(connector: Connector) -> Said:
    """Slashes and brackets do not belong in the name of an action."""
    return [
        (op.where, "leave / \\ < > [ ] { } out of the summary.")
        for op in connector.operations
        if re.search(r"[/\\<>\[\]{}]", _text(op, "summary"))
    ]


@rule
def summary_must_end_with_alphanumeric(connector: Connector) -> Said:
    """The name of an action is no sentence."""
    return [
        (op.where, "end the summary with a letter or digit.")
        for op in connector.operations
        if _text(op, "summary") and not _text(op, "summary")[-1].isalnum()
    ]


@rule
def operation_description_required(connector: Connector) -> Said:
    """The description explains the action."""
    return [(op.where, "give it a description.") for op in connector.operations if not _text(op, "description")]


@rule
def description_repeats_summary(connector: Connector) -> Said:
    """A description that repeats the summary explains nothing."""
    return [
        (op.where, "say more in the description than in the summary.")
        for op in connector.operations
        if _text(op, "summary") and _text(op, "description").rstrip(".").lower() == _text(op, "summary").lower()
    ]


@rule
def description_must_be_sentence(connector: Connector) -> Said:
    """Descriptions are full sentences."""
    return [
        (op.where, "end the description with a period.")
        for op in connector.operations
        if _text(op, "description") and not _text(op, "description").endswith((".", "!", "?"))
    ]


@rule
def value_must_be_in_english(connector: Connector) -> Said:
    """What people read has Latin letters."""
    info = connector.definition.get("info", {})
    texts = [(f"info/{field}", str(info.get(field, ""))) for field in ("title", "description")]
    texts += [(op.where, _text(op, "summary") + _text(op, "description")) for op in connector.operations]
    return [(where, "write it in English.") for where, text in texts if not all(_is_latin(letter) for letter in text)]


def _is_latin(letter: str) -> bool:
    return not letter.isalpha() or "LATIN" in unicodedata.name(letter, "")


@rule
def too_many_operations(connector: Connector) -> Said:
    """A connector has at most 256 operations."""
    many = len(connector.operations)
    return [("paths", f"{many} operations are too many.")] if many > MOST_OPERATIONS else []


def _families(connector: Connector) -> dict[str, list[tuple[Op, int]]]:
    """The operations by family, with the revision their annotation says."""
    found: dict[str, list[tuple[Op, int]]] = {}
    for op in connector.operations:
        said = op.doc.get("x-ms-api-annotation")
        if isinstance(said, dict) and said.get("family"):
            found.setdefault(str(said["family"]), []).append((op, int(said.get("revision", 1))))
    return found


@rule
def operation_id_should_end_with_revision(connector: Connector) -> Said:
    """A later revision says so in its id: ListTicketsV2."""
    return [
        (op.where, f"end the operationId with V{revision}.")
        for family in _families(connector).values()
        for op, revision in family
        if revision > 1 and not _id(op).endswith(f"V{revision}")
    ]


@rule
def operation_family_has_duplicate_revisions(connector: Connector) -> Said:
    """Each revision of a family exists once."""
    return [
        (op.where, f"revision {revision} of the family exists already.")
        for family in _families(connector).values()
        for op, revision in family
        if Counter(number for _, number in family)[revision] > 1
    ]


@rule
def operation_family_has_many_active_operations(connector: Connector) -> Said:
    """At most two revisions are live."""
    return [
        (f"family {name}", "deprecate all but two revisions.")
        for name, family in _families(connector).items()
        if sum(not op.doc.get("deprecated") for op, _ in family) > 2
    ]
