"""The connector's linter: each kind of fault is reported by its rule."""

import pytest

from tests.connector.connector_sample import Broken, query, shown
from tools.connector.commands import FOLDER
from tools.connector.files import DEFINITION, ICON, PROPERTIES, SETTINGS
from tools.connector.lint import lint_folder
from tools.connector.rules import RULES

NOWHERE = {"$ref": "#/definitions/Nothing"}
BODY = {"in": "body", "name": "body", "schema": {"$ref": "#/definitions/Ticket"}}
CALLBACK = shown("string", "Callback", **{"x-ms-notification-url": True})

# What other tools' connectors had wrong.
FAULTS = [
    ("SwaggerNotValid", lambda b: (b.d.pop("swagger"), b.d.update(openapi="3.0.3"))),
    ("SwaggerNotValid", lambda b: b.schema("NewTicket").update(anyOf=[{"required": ["title"]}])),
    ("SwaggerNotValid", lambda b: b.field("NewTicket", "title").update(nullable=True)),
    ("SwaggerNotValid", lambda b: b.field("NewTicket", "urgency").update(exclusiveMinimum=0)),
    ("UnknownExtension", lambda b: b.op("GetTicket").update({"x-ms-visibilty": "important"})),
    ("UnknownExtension", lambda b: b.op("GetTicket").update({"x-ms-visibility": "hidden"})),
    ("SchemaTypeMustBeOneWord", lambda b: b.field("NewTicket", "title").update(format="phone")),
    ("SwaggerNotValid", lambda b: b.op("GetTicket").update(operationId="ListTickets")),
    ("SwaggerNotValid", lambda b: b.op("GetTicket").update(parameters=[])),
    ("SwaggerNotValid", lambda b: b.answer("GetTicket").update(schema=NOWHERE)),
    ("SwaggerNotValid", lambda b: b.argument("ListTickets", "limit").update(default="fifty")),
    ("OperationIdRequired", lambda b: b.op("GetTicket").pop("operationId")),
    ("OperationSummaryRequired", lambda b: b.op("GetTicket").pop("summary")),
    ("OperationHasManyResponsesWithSchema", lambda b: b.answer("GetTicket", "default").update(schema={"type": "string"})),
    ("OperationHasManyResponsesWithSchema", lambda b: b.op("GetTicket")["responses"].update({"202": b.answer("GetTicket")})),
    ("SchemaTypeMustBeOneWord", lambda b: b.field("NewTicket", "title").update(type=["string", "null"])),
    ("SchemaTypeMustBeOneWord", lambda b: b.field("Ticket", "tags").pop("items")),
    ("BodyOrFormDataParameterInFetchOperationNotAllowed", lambda b: b.add("ListTickets", BODY)),
    ("SecurityRequirementMustBeDefined", lambda b: b.op("GetTicket").update(security=[{"token": []}])),
    ("InvalidNextLinkNameValue", lambda b: b.op("ListTickets").update({"x-ms-pageable": {"nextLinkName": "next"}})),
    ("OperationIdNotFound", lambda b: [b.argument("ListTickets", "status")[name].update(operationId="ListNothing")
        for name in ("x-ms-dynamic-values", "x-ms-dynamic-list")]),
    ("OperationMustHaveNotificationContentExtension", lambda b: b.schema("NewTicket")["properties"].update(callback=CALLBACK)),
]  # fmt: skip
MORE = [
    ("DocumentNotValid", lambda b: b.d["info"].update(title="Desk API")),
    ("DocumentNotValid", lambda b: b.d.update(schemes=["http", "https"])),
    ("OperationIdRequired", lambda b: b.op("GetTicket").update(operationId="listtickets")),
    ("DescriptionMustBeSentence", lambda b: b.op("GetTicket").update(description="Get a ticket.")),
    ("PartialDuplicateOperationPath", lambda b: b.copy("ListTickets", "/api/tickets/stats", operationId="GetStats")),
    ("PathParameterMissingEncoding", lambda b: b.argument("GetTicket", "ticket_id").pop("x-ms-url-encoding")),
    ("ArgumentNamesClash", lambda b: b.add("CreateTicket", query("title", "string", "Title"))),
    ("SwaggerKeywordNotSupported", lambda b: b.field("NewTicket", "title").update(allOf=[{"type": "string"}])),
    ("SchemaRefLoopNotAllowed", lambda b: b.schema("NewTicket")["properties"].update(self={"$ref": "#/definitions/NewTicket"})),
    ("LabelRequired", lambda b: b.field("NewTicket", "title").pop("x-ms-summary")),
    ("LabelRequired", lambda b: b.field("NewTicket", "title").update(title="Title")),
    ("InternalRequiredWithoutDefault", lambda b: b.field("NewTicket", "title").update({"x-ms-visibility": "internal"})),
    ("InvalidEnumValuesExtensionValue", lambda b: b.argument("ListTickets", "sort")["x-ms-enum-values"].pop()),
    ("InvokedOperationShouldProduceArray", lambda b: b.schema("Choice")["properties"].pop("label")),
    ("InvokedOperationShouldProduceArray", lambda b: b.argument("ListTickets", "status").pop("x-ms-dynamic-list")),
    ("TriggerPolicyMissing", lambda b: b.p["policyTemplateInstances"].pop()),
    ("TriggerPolicyMissing", lambda b: b.op("OnNewTicket").pop("x-ms-trigger")),
    ("ConnectionParameterMissing", lambda b: b.p["connectionParameters"]["api_key"].update(type="string")),
    ("PropertiesNotValid", lambda b: b.p.update(stackOwner="Desk")),
    ("PropertiesNotValid", lambda b: b.s.update(connectorId="shared_desk")),
    ("PropertiesNotValid", lambda b: b.p.update(publisher="fk_abcdefgh12345")),
    ("FormNotValid", lambda b: b.p.update(policyTemplateInstances=None)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spoil"), [*FAULTS, *MORE])
def test_each_fault_is_reported_by_its_rule(tmp_path, rule, spoil):
    broken = Broken()
    spoil(broken)
    assert {finding.rule for finding in lint_folder(broken.write(tmp_path))} == {rule}


def test_a_connector_without_a_fault_passes_and_every_rule_is_tested(tmp_path):
    assert [str(finding) for finding in lint_folder(Broken().write(tmp_path))] == []
    assert set(RULES) <= {rule for rule, _ in (*FAULTS, *MORE)}
    assert len(FAULTS) == 22


@pytest.mark.parametrize("name", [DEFINITION, PROPERTIES, SETTINGS, ICON])
def test_a_missing_or_invalid_file_is_reported(tmp_path, name):
    file = Broken().write(tmp_path) / name
    file.unlink()
    assert [(finding.rule, finding.where) for finding in lint_folder(tmp_path)] == [("FileNotReadable", name)]
    file.write_bytes(b"[]")
    assert lint_folder(tmp_path)


def test_microsofts_schemas_are_used_if_given(tmp_path):
    for name in (
        "apiDefinition.swagger.schema.json",
        "paconn-apiProperties.schema.json",
        "paconn-settings.schema.json",
    ):
        (tmp_path / name).write_text('{"required": ["owner"]}')
    found = lint_folder(FOLDER, schemas=tmp_path)
    assert [finding.rule for finding in found] == ["MicrosoftSchema"] * 3
