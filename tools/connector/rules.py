"""What Power Platform asks of a connector beyond the JSON schemas: the rules that caught a fault in practice.

Each rule yields where and what; its name, in PascalCase, is that of the platform's own validator where there is one.
"""

import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from tools.connector.walk import Json, Op, Place, at_path, objects, operations, places, resolved

Problems = Iterator[tuple[str, str]]  # where, and a sentence
DROP_DOWN, NEW_DROP_DOWN, CHOICES = "x-ms-dynamic-values", "x-ms-dynamic-list", "x-ms-enum-values"
NOTIFICATION_URL = "x-ms-notification-url"
BARE_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d+)?")
VISIBILITIES = ("important", "advanced", "internal")
FORMATS = "int32 int64 float double byte binary date date-time password date-no-tz email html uri uuid".split()
NOT_READ = {"anyOf", "oneOf", "allOf", "not", "nullable", "discriminator", "additionalProperties"}
EXTENSIONS = {
    f"x-ms-{name}"
    for name in (
        "api-annotation capabilities connector-metadata docs dynamic-list dynamic-properties dynamic-schema dynamic-tree "
        "dynamic-values enum enum-values localizeDefaultValue media-kind no-generic-test notification notification-content "
        "notification-url operation-context pageable parameter-location safe-operation summary test-value trigger "
        "trigger-hint trigger-metadata trigger-value url-encoding visibility"
    ).split()
}
PRODUCTS = re.compile(
    r"\b(api|connector|power ?(apps?|automate|bi|pages|platform)|copilot|logic apps?)\b", re.IGNORECASE
)
SECRET = re.compile(r"\b(fk_[\w-]{8,}|sk-[\w-]{8,}|eyJ[\w-]{10,})")


@dataclass(frozen=True)
class Connector:
    """The files of a connector, read. `size` is the definition's, in bytes."""

    definition: Json
    properties: Json
    settings: Json
    icon: bytes
    size: int

    @cached_property
    def operations(self) -> list[Op]:
        """Every operation of the definition."""
        return list(operations(self.definition))

    @cached_property
    def places(self) -> list[Place]:
        """Every parameter and schema."""
        return list(places(self.definition))

    def operation(self, name: object) -> Op | None:
        """The operation of this id."""
        return next((op for op in self.operations if op.doc.get("operationId") == name), None)

    def policies(self) -> Iterator[tuple[str, Json]]:
        """The operation and the parameters of each policy for a polling trigger."""
        for policy in self.properties.get("properties", {}).get("policyTemplateInstances", []):
            if policy.get("templateId") == "pollingtrigger":
                for name in policy["parameters"]["x-ms-apimTemplate-operationName"]:
                    yield name, policy["parameters"]


RULES: dict[str, Callable[[Connector], Problems]] = {}


def rule(check: Callable[[Connector], Problems]) -> Callable[[Connector], Problems]:
    """Notes a rule under its name."""
    RULES["".join(word.capitalize() for word in check.__name__.split("_"))] = check
    return check


@rule
def document_not_valid(c: Connector) -> Problems:
    """Limits of the whole file, and who it says it is."""
    info = c.definition.get("info", {})
    title = str(info.get("title", ""))
    if c.size >= 1_000_000:
        yield "file", "keep it below 1 MB."
    if not (0 < len(title) <= 30 and title[-1].isalnum()) or PRODUCTS.search(title):
        yield (
            "info/title",
            "1 to 30 characters, ending with a letter or digit, without API, Connector and product names.",
        )
    if not 30 <= len(str(info.get("description", ""))) <= 500:
        yield "info/description", "30 to 500 characters."
    if not BARE_HOST.fullmatch(str(c.definition.get("host", ""))):
        yield "host", "a bare host name, without https:// and path."
    if c.definition.get("schemes") != ["https"]:
        yield "schemes", 'must be ["https"].'


@rule
def unknown_extension(c: Connector) -> Problems:
    """A typo in an x-ms- word, or in how visible something is, is silently ignored by the platform."""
    for item in objects(c.definition):
        where, visibility = (
            str(item.get("operationId") or item.get("name") or "x-ms-"),
            item.get("x-ms-visibility", "internal"),
        )
        for name in [name for name in item if name.startswith("x-ms-") and name not in EXTENSIONS]:
            yield where, f"the platform does not know {name}."
        if isinstance(visibility, str) and visibility not in VISIBILITIES:
            yield where, f"x-ms-visibility is one of {', '.join(VISIBILITIES)}."


@rule
def operation_id_required(c: Connector) -> Problems:
    """The id is the name in formulas: PascalCase, and another one for each operation."""
    counts = Counter(op.where.lower() for op in c.operations)
    for op in c.operations:
        if not op.doc.get("operationId"):
            yield op.where, "give it an operationId."
        elif not re.fullmatch(r"([A-Z][a-z0-9]*)+", op.where) or len(op.where) > 60:
            yield op.where, "write the operationId like ListTickets, in at most 60 letters and digits."
        elif counts[op.where.lower()] > 1:
            yield op.where, "another operation has this id."


@rule
def operation_summary_required(c: Connector) -> Problems:
    """The summary is the name of the action in the designer."""
    for op in c.operations:
        summary = str(op.doc.get("summary", "")).strip()
        if not summary:
            yield op.where, "give it a summary."
        elif len(summary) > 80 or re.search(r"[/\\<>\[\]{}]", summary) or not summary[-1].isalnum():
            yield op.where, "a summary has at most 80 characters, no slash or bracket, and no full stop."


@rule
def description_must_be_sentence(c: Connector) -> Problems:
    """A description is a sentence of its own."""
    for op in c.operations:
        summary, text = (str(op.doc.get(name, "")).strip() for name in ("summary", "description"))
        if not text.endswith((".", "!", "?")) or text.rstrip(".").lower() == summary.lower():
            yield op.where, "describe it in a sentence that says more than the summary."


@rule
def partial_duplicate_operation_path(c: Connector) -> Problems:
    """The gateway cannot tell /tickets/stats from /tickets/{id}, nor /Tickets from /tickets."""
    paths = list(c.definition.get("paths", {}))
    for path in paths:
        for other in paths:
            parts, other_parts = path.lower().split("/"), other.lower().split("/")
            differing = [other_word for word, other_word in zip(parts, other_parts, strict=False) if word != other_word]
            if path != other and len(parts) == len(other_parts) and all("{" in word for word in differing):
                yield path, f"it could be taken for {other}."


@rule
def path_parameter_missing_encoding(c: Connector) -> Problems:
    """Without it a value with a slash makes another path."""
    for op in c.operations:
        for parameter in op.parameters:
            if parameter.get("in") == "path" and parameter.get("x-ms-url-encoding") not in ("single", "double"):
                yield f"{op.where}/{parameter.get('name')}", 'add x-ms-url-encoding "single".'


@rule
def body_or_form_data_parameter_in_fetch_operation_not_allowed(c: Connector) -> Problems:
    """Reading takes no body."""
    for op in c.operations:
        if op.method in ("get", "head") and any(p.get("in") in ("body", "formData") for p in op.parameters):
            yield op.where, "a GET takes no body and no form."


@rule
def argument_names_clash(c: Connector) -> Problems:
    """Formulas see parameters and body fields in one list; equal names get numbers."""
    for op in c.operations:
        bodies = [resolved(c.definition, p["schema"]) or {} for p in op.parameters if p.get("in") == "body"]
        fields = {name for body in bodies for name in body.get("properties", {})}
        for name in fields & {p.get("name") for p in op.parameters if p.get("in") != "body"}:
            yield f"{op.where}/{name}", "a parameter and a field of the body have this name."


@rule
def operation_has_many_responses_with_schema(c: Connector) -> Problems:
    """Makers see one form of answer; with a schema on an error they see a schema error instead of the service's."""
    for op in c.operations:
        with_schema = [status for status, response in op.responses.items() if response.get("schema")]
        if len(with_schema) != 1 or not with_schema[0].startswith("2"):
            yield op.where, "exactly one response has a schema: the successful one."


@rule
def swagger_keyword_not_supported(c: Connector) -> Problems:
    """What is ignored, or makes a value untyped in formulas."""
    for place in c.places:
        for name in sorted(NOT_READ & {name for name, value in place.schema.items() if value is not False}):
            yield place.where, f"low-code tools cannot read {name}."
        if "$ref" in place.schema and len(place.schema) > 1:
            yield place.where, "what stands beside a $ref is lost."


@rule
def schema_type_must_be_one_word(c: Connector) -> Problems:
    """A schema has one type, an array its items, an object its fields, a format one of the platform's."""
    for place in c.places:
        kind, shape = place.schema.get("type"), place.schema.get("format", "uuid")
        if "$ref" not in place.schema and not isinstance(kind, str):
            yield place.where, "give it one type."
        if kind == "array" and not place.schema.get("items"):
            yield place.where, "say what the items are."
        if kind == "object" and not place.schema.get("properties") and not place.hidden:
            yield place.where, "say which fields the object has."
        if shape not in FORMATS:
            yield place.where, f"the platform does not know the format {shape}."


@rule
def schema_ref_loop_not_allowed(c: Connector) -> Problems:
    """A schema that holds itself comes out empty."""
    definitions = c.definition.get("definitions", {})
    references = {
        n: {str(o["$ref"]).rpartition("/")[2] for o in objects(s) if "$ref" in o} for n, s in definitions.items()
    }
    for _ in references:  # as often as the longest chain may be
        references = {
            name: inner.union(*(references.get(other, ()) for other in inner)) for name, inner in references.items()
        }
    for name in [name for name, inner in references.items() if name in inner]:
        yield f"definitions/{name}", "it holds itself."


@rule
def label_required(c: Connector) -> Problems:
    """A field has a short label and a description; a title would hide the label."""
    for place in c.places:
        label, text = (str(place.schema.get(name, "")).strip() for name in ("x-ms-summary", "description"))
        if not place.name or "$ref" in place.schema:
            continue
        if not 0 < len(label) <= 80 or not text.endswith((".", "!", "?")):
            yield (
                place.where,
                "give it a label (x-ms-summary) of at most 80 characters, and a description in a sentence.",
            )
        if isinstance(place.schema.get("title"), str):
            yield place.where, "leave the title out; x-ms-summary is the label."


@rule
def internal_required_without_default(c: Connector) -> Problems:
    """A hidden field is filled in by its default, which is sent only when it is required."""
    for place in c.places:
        hidden = place.in_request and place.name and place.schema.get("x-ms-visibility") == "internal"
        if hidden and not place.schema.get(NOTIFICATION_URL) and place.required != ("default" in place.schema):
            yield place.where, "a hidden field is required and has a default, or neither."


@rule
def invalid_enum_values_extension_value(c: Connector) -> Problems:
    """A choice is made of texts, each with a name for people."""
    for place in c.places:
        words, entries = place.schema.get("enum"), place.schema.get(CHOICES, [])
        names = [str(entry.get("displayName", "")) for entry in entries]
        if words is None and not entries:
            continue
        if place.schema.get("type") != "string" or [entry.get("value") for entry in entries] != words:
            yield place.where, f"a choice is a string with the same values in enum and {CHOICES}."
        if not all(names) or len(set(names)) < len(names):
            yield place.where, "each choice has a displayName of its own."


@rule
def operation_id_not_found(c: Connector) -> Problems:
    """The operation that is asked for choices, or to try a connection, exists and gets all it requires."""
    calls = [("x-ms-capabilities", c.definition.get("x-ms-capabilities", {}).get("testConnection", {}))]
    calls += [(place.where, place.schema.get(name, {})) for place in c.places for name in (DROP_DOWN, NEW_DROP_DOWN)]
    for where, call in [(where, call) for where, call in calls if call]:
        target = c.operation(call.get("operationId")) or Op("", "", {})
        parameters = {p.get("name"): bool(p.get("required")) for p in target.parameters}
        required_names = {name for name, required in parameters.items() if required}
        if not target.doc:
            yield where, f"there is no operation {call.get('operationId')}."
        elif not required_names <= set(call.get("parameters", {})) <= set(parameters):
            yield where, f"give {target.where} what it requires, and nothing it does not know."


@rule
def invoked_operation_should_produce_array(c: Connector) -> Problems:
    """Choices are a list in the answer, with the fields that are shown and sent; old and new designers read the same."""
    for place in c.places:
        values_call, list_call = place.schema.get(DROP_DOWN), place.schema.get(NEW_DROP_DOWN)
        if (values_call or {}).get("operationId") != (list_call or {}).get("operationId"):
            yield place.where, f"use {DROP_DOWN} and {NEW_DROP_DOWN} together, for the same operation."
        for call, rows, *names in (
            (values_call, "value-collection", "value-path", "value-title"),
            (list_call, "itemsPath", "itemValuePath", "itemTitlePath"),
        ):
            target = c.operation(call.get("operationId")) if call else None
            if call and target and not _has_rows(c, target, call.get(rows, ""), [call.get(name, "") for name in names]):
                yield place.where, f"{target.where} answers no list with the fields that are named."


def _has_rows(c: Connector, target: Op, rows: str, names: list[str]) -> bool:
    answers = [at_path(c.definition, response.get("schema", {}), rows) for response in target.successes.values()]
    lists = [answer for answer in answers if answer and answer.get("type") == "array"]
    return any(all(at_path(c.definition, answer, name) for name in names) for answer in lists)


@rule
def invalid_next_link_name_value(c: Connector) -> Problems:
    """Paging looks for one of two names at the root of the answer."""
    for op in c.operations:
        name = str((op.doc.get("x-ms-pageable") or {}).get("nextLinkName"))
        roots = [at_path(c.definition, response.get("schema", {}), name) for response in op.successes.values()]
        if "x-ms-pageable" in op.doc and (name not in ("nextLink", "@odata.nextLink") or not any(roots)):
            yield op.where, "nextLinkName is nextLink or @odata.nextLink, a field at the root of the answer."


@rule
def security_requirement_must_be_defined(c: Connector) -> Problems:
    """What is asked for is defined, and sent in a header."""
    schemes = c.definition.get("securityDefinitions", {})
    for doc in [c.definition, *(op.doc for op in c.operations)]:
        for name in {name for entry in doc.get("security", []) for name in entry} - set(schemes):
            yield str(doc.get("operationId", "security")), f"{name} is not among the securityDefinitions."
    for name, scheme in schemes.items():
        if scheme.get("type") == "apiKey" and scheme.get("in") != "header":
            yield f"securityDefinitions/{name}", "send the key in a header; an address ends up in logs."


@rule
def trigger_policy_missing(c: Connector) -> Problems:
    """Without its policy a polling trigger fires for the same rows again and again."""
    policies = dict(c.policies())
    polling = {op.where: op for op in c.operations if op.doc.get("x-ms-trigger") and op.method == "get"}
    for name, op in polling.items():
        filled = policies.get(name, {}).get("x-ms-apimTemplateParameter.triggerConfig", {})
        if not filled or not set(filled) <= {parameter.get("name") for parameter in op.parameters}:
            yield name, "add a pollingtrigger policy to apiProperties.json that fills in a parameter it has."
    for name in set(policies) - set(polling):
        yield "apiProperties.json", f"there is no trigger {name} for its pollingtrigger policy."


@rule
def operation_must_have_notification_content_extension(c: Connector) -> Problems:
    """A webhook says what it will send, and takes the address to send it to."""
    for place in c.places:
        if place.schema.get(NOTIFICATION_URL) is not True:
            continue
        op = next((op for op in c.operations if place.where.startswith(f"{op.where}/")), None)
        if op is None or "x-ms-notification-content" not in c.definition["paths"][op.path]:
            yield place.where, "add x-ms-notification-content with a schema to the path."
        if not place.required or place.schema.get("x-ms-visibility") != "internal":
            yield place.where, "a notification URL is required and internal."


@rule
def connection_parameter_missing(c: Connector) -> Problems:
    """A connection asks for each key the definition names, as a secret."""
    parameters: Json = c.properties.get("properties", {}).get("connectionParameters", {})
    for name in c.definition.get("securityDefinitions", {}):
        ui_definition: Json = parameters.get(name, {}).get("uiDefinition", {})
        limits: Json = ui_definition.get("constraints", {})
        if parameters.get(name, {}).get("type") != "securestring" or limits.get("clearText"):
            yield "apiProperties.json", f"add {name} as a connection parameter of the type securestring."
        elif limits.get("required") not in ("true", "false") or not ui_definition.get("displayName"):
            yield "apiProperties.json", f'{name} has a displayName, and required is the text "true" or "false".'


@rule
def properties_not_valid(c: Connector) -> Problems:
    """The other files are complete and nobody's own."""
    about: Json = c.properties.get("properties", {})
    colour = str(about.get("iconBrandColor", "")).lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", colour) or colour in ("#ffffff", "#007ee5"):
        yield "apiProperties.json", "iconBrandColor is #rrggbb, and neither #ffffff nor #007ee5."
    if "stackOwner" in about or not about.get("publisher"):
        yield "apiProperties.json", "name a publisher, and leave stackOwner out: paconn refuses to update with it."
    if c.settings.get("connectorId") or c.settings.get("environment") != str(UUID(int=0)):
        yield "settings.template.json", "leave connectorId empty and environment all zeros."
    if c.icon[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", c.icon[16:24].ljust(8, b"\0")) != (230, 230):
        yield "icon.png", "a PNG of 230 x 230 pixels."
    if SECRET.search(f"{c.definition} {c.properties} {c.settings}"):
        yield "files", "one of them holds what looks like a key."
