"""Ways to break a connector, each with the one rule it breaks."""

import copy
from typing import Any

from tests.connector_sample import DROP_DOWN, Broken, query, shown

TEXT = {"type": "string"}
ODD = {"$ref": "#/definitions/Nothing"}


def _two_revisions(broken: Broken, *names: str) -> None:
    for name in names:
        broken.op(name)["x-ms-api-annotation"] = {"family": "Tickets", "revision": 1}


def _three_live(broken: Broken) -> None:
    for revision in (2, 3):
        said = {"family": "Tickets", "revision": revision}
        more = {"operationId": f"ListTicketsV{revision}", "x-ms-api-annotation": said}
        broken.copy("ListTickets", f"/api/tickets-{revision}", **more)
    broken.op("ListTickets")["x-ms-api-annotation"] = {"family": "Tickets", "revision": 1}


def _many(broken: Broken) -> None:
    for number in range(260):
        broken.copy("ListTickets", f"/api/tickets-{number}", operationId=f"ListTickets{number}")


def _other_parameter(broken: Broken) -> None:
    parameters = [{**broken.argument("GetTicket", "ticket_id"), "name": "id"}]
    broken.copy("GetTicket", "/api/tickets/{id}", operationId="GetIt", parameters=parameters)


def _deep(broken: Broken) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"end": shown("string", "End")}}
    for _ in range(9):
        schema = {"type": "object", "properties": {"more": shown("object", "More", properties=schema["properties"])}}
    broken.d["definitions"]["Customer"] = schema


def _wide(broken: Broken) -> None:
    broken.schema("Customer")["properties"] |= {f"f{number}": shown("string", "Field") for number in range(520)}


def _oauth(broken: Broken) -> None:
    broken.d["securityDefinitions"]["oauth"] = {"type": "oauth2", "flow": "accessCode", "scopes": {"read": "Read."}}
    broken.op("GetTicket")["security"] = [{"oauth": ["write"]}]


def _no_notification(broken: Broken) -> None:
    """On our own connector, which has no webhook, an address to send to without what will be sent."""
    url = shown("string", "Callback", **{"x-ms-notification-url": True, "x-ms-visibility": "internal"})
    broken.schema("NewTicket")["properties"]["callback"] = url
    broken.schema("NewTicket")["required"] = [*broken.schema("NewTicket")["required"], "callback"]


# The faults that a file made by other tools has; the same ones break our own.
FAULTS = [
    ("SwaggerVersionNotSupported", lambda b: (b.d.pop("swagger"), b.d.update(openapi="3.0.3"))),
    ("SwaggerKeywordNotSupported", lambda b: b.schema("NewTicket").update(anyOf=[{"required": ["title"]}])),
    ("SwaggerKeywordNotSupported", lambda b: b.field("NewTicket", "title").update(nullable=True)),
    ("ExclusiveBoundMustBeBoolean", lambda b: b.field("NewTicket", "urgency").update(exclusiveMinimum=0)),
    ("UnknownExtension", lambda b: b.op("GetTicket").update({"x-ms-visibilty": "important"})),
    ("UnrecognizedVisibility", lambda b: b.op("GetTicket").update({"x-ms-visibility": "hidden"})),
    ("UnrecognizedTypeFormat", lambda b: b.field("NewTicket", "title").update(format="phone")),
    ("OperationIdNotUnique", lambda b: b.op("GetTicket").update(operationId="ListTickets")),
    ("OperationMissingPathParameter", lambda b: b.op("GetTicket").update(parameters=[])),
    ("SchemaReferenceNotFound", lambda b: b.answer("GetTicket").update(schema=ODD)),
    ("DefaultValueMustMatchType", lambda b: b.argument("ListTickets", "limit").update(default="fifty")),
    ("OperationIdRequired", lambda b: b.op("GetTicket").pop("operationId")),
    ("OperationSummaryRequired", lambda b: b.op("GetTicket").pop("summary")),
    ("DefaultResponseHasSchema", lambda b: b.answer("GetTicket", "default").update(schema=TEXT)),
    ("OperationHasManyResponsesWithSchema", lambda b: b.op("GetTicket")["responses"].update(
        {"202": {"description": "Later.", "schema": {"$ref": "#/definitions/Ticket"}}})),
    ("SchemaTypeMustBeOneWord", lambda b: b.field("NewTicket", "title").update(type=["string", "null"])),
    ("ArrayHasNoItems", lambda b: b.field("Ticket", "tags").pop("items")),
    ("BodyOrFormDataParameterInFetchOperationNotAllowed", lambda b: b.add(
        "ListTickets", {"in": "body", "name": "body", "schema": {"$ref": "#/definitions/Ticket"}})),
    ("SecurityRequirementMustBeDefined", lambda b: b.op("GetTicket").update(security=[{"token": []}])),
    ("InvalidNextLinkNameValue", lambda b: b.op("ListTickets").update({"x-ms-pageable": {"nextLinkName": "next"}})),
    ("OperationIdNotFound", lambda b: [
        b.argument("ListTickets", "status")[name].update(operationId="ListNothing")
        for name in ("x-ms-dynamic-values", "x-ms-dynamic-list")]),
    ("OperationMustHaveNotificationContentExtension", _no_notification),
]  # fmt: skip

FILES = [
    ("FileTooLarge", lambda b: b.change(size=1_000_000)),
    ("TitleNotValid", lambda b: b.d["info"].update(title="A desk with a name that goes on and on")),
    ("TitleNotValid", lambda b: b.d["info"].update(title="Desk!")),
    ("ValueContainsRestrictedWords", lambda b: b.d["info"].update(title="Desk API")),
    ("ValueContainsRestrictedWords", lambda b: b.d["info"].update(title="Power Apps Desk")),
    ("FieldLengthNotInRange", lambda b: b.d["info"].update(description="A desk.")),
    ("ValueMustBeInEnglish", lambda b: b.d["info"].update(title="Стол")),
    ("ContactRequired", lambda b: b.contact.pop("email")),
    ("ContactEmailNotValid", lambda b: b.contact.update(email="people at desk")),
    ("UrlNotValid", lambda b: b.contact.update(url="desk.example.com")),
    ("HostNameNotValid", lambda b: b.d.update(host="https://desk.example.com")),
    ("BasePathNotValid", lambda b: b.d.update(basePath="api")),
    ("SchemeNotSupported", lambda b: b.d.update(schemes=["http", "https"])),
    ("ConnectorMetadataPropertiesMissing", lambda b: b.metadata.pop(1)),
    ("TooManyConnectorCategories", lambda b: b.metadata[2].update(propertyValue="AI;Data;Security")),
    ("InvalidConnectorCategory", lambda b: b.metadata[2].update(propertyValue="Furniture")),
    ("SecurityRequirementMustHaveEmptyValue", lambda b: b.op("GetTicket").update(security=[{"api_key": ["read"]}])),
    ("OAuthSecurityRequirementValueMustBeScopeName", _oauth),
    ("SecuritySchemePropertyRequired", lambda b: b.d["securityDefinitions"]["api_key"].pop("name")),
    ("ApiKeyMustBeInHeader", lambda b: b.d["securityDefinitions"]["api_key"].update({"in": "query"})),
    ("IconBrandColorNotValid", lambda b: (b.p.update(iconBrandColor="#ffffff"), b.change(icon=_white(b)))),
    ("ConnectionParameterMissing", lambda b: b.p.update(connectionParameters={})),
    ("ConnectionParameterNotDefined", lambda b: b.p["connectionParameters"].update(token=copy.deepcopy(b.key))),
    ("ConnectionParameterNotSecure", lambda b: b.key.update(type="string")),
    ("ConnectionParameterNotSecure", lambda b: b.key["uiDefinition"]["constraints"].update(clearText=True)),
    ("ConnectionParameterRequiredMustBeText", lambda b: b.key["uiDefinition"]["constraints"].update(required=True)),
    ("ConnectionParameterLabelRequired", lambda b: b.key["uiDefinition"].pop("tooltip")),
    ("StackOwnerNotAllowed", lambda b: b.p.update(stackOwner="Desk")),
    ("PublisherRequired", lambda b: b.p.pop("publisher")),
    ("PolicyOperationNotFound", lambda b: b.p["policyTemplateInstances"].append(
        {"templateId": "setheader", "parameters": {"x-ms-apimTemplate-operationName": ["Nothing"]}})),
    ("SecretInFile", lambda b: b.key["uiDefinition"].update(description="Like fk_abcdefgh12345.")),
    ("SettingsHoldIds", lambda b: b.connector.settings.update(connectorId="shared_desk")),
    ("SettingsFileNotFound", lambda b: b.connector.settings.update(icon="logo.png")),
    ("IconNotValid", lambda b: b.change(icon=b"GIF89a")),
    ("IconColorDiffers", lambda b: b.p.update(iconBrandColor="#a04040")),
]  # fmt: skip

OPERATIONS = [
    ("OperationIdSanitized", lambda b: b.op("GetTicket").update(operationId="Get_Ticket")),
    ("OperationIdNotPascalCase", lambda b: b.op("GetTicket").update(operationId="getTicket")),
    ("OperationIdTooLong", lambda b: b.op("GetTicket").update(operationId="Get" + "Ticket" * 10)),
    ("OperationSummaryTooLong", lambda b: b.op("GetTicket").update(summary="Get " + "a ticket " * 9 + "now")),
    ("RestrictedCharactersInSummary", lambda b: b.op("GetTicket").update(summary="Get/read a ticket")),
    ("SummaryMustEndWithAlphanumeric", lambda b: b.op("GetTicket").update(summary="Get one ticket.")),
    ("OperationDescriptionRequired", lambda b: b.op("GetTicket").update(description=" ")),
    ("DescriptionRepeatsSummary", lambda b: b.op("GetTicket").update(description="Get a ticket.")),
    ("DescriptionMustBeSentence", lambda b: b.op("GetTicket").update(description="Reads one")),
    ("ValueMustBeInEnglish", lambda b: b.op("GetTicket").update(summary="Billet 票")),
    ("TooManyOperations", _many),
    ("OperationIdShouldEndWithRevision", lambda b: b.op("GetTicket").update(
        {"x-ms-api-annotation": {"family": "GetTicket", "revision": 2}})),
    ("OperationFamilyHasDuplicateRevisions", lambda b: _two_revisions(b, "GetTicket", "ListTickets")),
    ("OperationFamilyHasManyActiveOperations", _three_live),
    ("PathRedefined", lambda b: b.copy("ListTickets", "/API/Tickets", operationId="ListThem")),
    ("DuplicateOperationPath", _other_parameter),
    ("PartialDuplicateOperationPath", lambda b: b.copy("ListTickets", "/api/tickets/stats", operationId="GetStats")),
    ("OperationPathContainsUnsupportedCharacters", lambda b: b.copy("ListTickets", "/api/ti ckets", operationId="List")),
    ("OperationPathMayNotContainQueryOrFragment", lambda b: b.copy("ListTickets", "/api/all?a=b", operationId="List")),
    ("PathParameterNotDefinedInTemplate", lambda b: b.add(
        "GetTicket", {**b.argument("GetTicket", "ticket_id"), "name": "reply_id"})),
    ("PathParameterMustBeRequired", lambda b: b.argument("GetTicket", "ticket_id").update(required=False)),
    ("PathParameterMissingEncoding", lambda b: b.argument("GetTicket", "ticket_id").pop("x-ms-url-encoding")),
    ("QueryParameterEncodingNotSupported", lambda b: b.argument("ListTickets", "sort").update(
        {"x-ms-url-encoding": "single"})),
    ("ConnectionIdParameterNotAllowed", lambda b: b.add("GetTicket", query("connectionId", "string", "ID"))),
    ("ReservedParameterIsUsed", lambda b: b.add(
        "GetTicket", {**query("Authorization", "string", "Key"), "in": "header"})),
    ("OperationParametersContainDuplicateParameter", lambda b: b.add("ListTickets", query("sort", "string", "Sort"))),
    ("OperationParametersContainMultipleBodyParameters", lambda b: b.add(
        "CreateTicket", copy.deepcopy(b.argument("CreateTicket", "body")))),
    ("ParameterListContainsFormDataAndBody", lambda b: b.add(
        "CreateTicket", {**query("file", "file", "File"), "in": "formData"})),
    ("ArgumentNamesClash", lambda b: b.add("CreateTicket", query("title", "string", "Title"))),
    ("ConsumesMissing", lambda b: b.d.pop("consumes")),
    ("CollectionFormatValueNotSupported", lambda b: b.add(
        "ListTickets", query("tag", "array", "Tag", items=TEXT, collectionFormat="commas"))),
    ("InternalPropertyWithDefaultOptional", lambda b: b.argument("ListTickets", "limit").update(
        {"x-ms-visibility": "internal"})),
    ("InternalRequiredWithoutDefault", lambda b: b.field("NewTicket", "title").update({"x-ms-visibility": "internal"})),
    ("LabelRequired", lambda b: b.field("NewTicket", "title").pop("x-ms-summary")),
    ("LabelTooLong", lambda b: b.field("NewTicket", "title").update({"x-ms-summary": "Title " * 20})),
    ("LabelNotTitleCase", lambda b: b.field("NewTicket", "title").update({"x-ms-summary": "Title of ticket"})),
    ("FieldDescriptionRequired", lambda b: b.argument("ListTickets", "sort").pop("description")),
    ("FieldDescriptionMustBeSentence", lambda b: b.argument("ListTickets", "sort").update(description="An order")),
    ("OperationMustHaveResponse", lambda b: b.op("GetTicket").update(responses={})),
    ("OperationShouldHaveSuccessfulResponse", lambda b: b.op("GetTicket")["responses"].pop("200")),
    ("SchemaDefinitionSetIncorrectly", lambda b: b.answer("GetTicket").update(schema={})),
    ("SchemaDefinitionSetIncorrectly", lambda b: b.answer("GetTicket").pop("schema")),
    ("ErrorResponseHasSchema", lambda b: b.answer("GetTicket", "404").update(schema=TEXT)),
    ("ResponseDescriptionRequired", lambda b: b.answer("GetTicket", "404").update(description="")),
    ("ResponseExampleMustBeProducedByOperation", lambda b: b.answer("GetTicket").update(examples={"text/csv": "a"})),
]  # fmt: skip

SCHEMAS = [
    ("ObjectHasNoProperties", lambda b: b.field("NewTicket", "title").update(type="object")),
    ("SchemaTypeMissing", lambda b: b.field("NewTicket", "title").pop("type")),
    ("AdditionalPropertiesMakeItUntyped", lambda b: b.schema("NewTicket").update(additionalProperties=TEXT)),
    ("TitleHidesLabel", lambda b: b.field("NewTicket", "title").update(title="Title")),
    ("MinimumAboveMaximum", lambda b: b.argument("ListTickets", "limit").update(minimum=300)),
    ("MinimumAboveMaximum", lambda b: b.field("NewTicket", "title").update(minLength=300)),
    ("PatternShouldBeValidRegularExpression", lambda b: b.field("NewTicket", "title").update(pattern="[a-")),
    ("AdditionalPropertyNotAllowedAdjacentToRef", lambda b: b.field("NewTicket", "customer").update(description="It.")),
    ("SchemaReferenceNotFound", lambda b: b.field("Ticket", "tags").update(items=ODD)),
    ("SchemaRefLoopNotAllowed", lambda b: b.schema("Customer")["properties"].update(
        friend={"$ref": "#/definitions/Customer"})),
    ("SchemaTooDeep", _deep),
    ("TooManySchemas", _wide),
    ("RequiredPropertyDefinitionMissing", lambda b: b.schema("NewTicket")["required"].append("body")),
    ("RequiredPropertyArrayEmpty", lambda b: b.schema("NewTicket").update(required=[])),
    ("RequiredPropertyNotOnObject", lambda b: b.field("NewTicket", "title").update(required=["a"])),
    ("RequiredMustBeList", lambda b: b.field("NewTicket", "title").update(required=True)),
    ("RequiredReadOnlyPropertyNotAllowedAsInput", lambda b: b.field("NewTicket", "title").update(readOnly=True)),
    ("EnumMustContainAtLeastOneElement", lambda b: b.field("NewTicket", "title").update(enum=[])),
    ("InvalidEnumValue", lambda b: b.argument("ListTickets", "sort").update(enum=["new", "old", "old"])),
    ("InvalidEnumValue", lambda b: b.field("NewTicket", "title").update(
        {"enum": ["1", 2], "x-ms-enum-values": [{"value": n, "displayName": str(n)} for n in ("1", 2)]})),
    ("EnumMustBeText", lambda b: b.argument("ListTickets", "limit").update(
        {"enum": [50, 100], "x-ms-enum-values": [{"value": n, "displayName": str(n)} for n in (50, 100)]})),
    ("EnumValuesExtensionRequired", lambda b: b.argument("ListTickets", "sort").pop("x-ms-enum-values")),
    ("DuplicateEnumValuesInExtension", lambda b: _entry(b).update(displayName="New")),
    ("InvalidEnumValuesExtensionValue", lambda b: _entry(b).update(value="oldest")),
    ("MissingEnumValuesDisplayName", lambda b: _entry(b).update(displayName="")),
    ("OperationMissingRequiredProperty", lambda b: b.d["x-ms-capabilities"]["testConnection"].pop("parameters")),
    ("DynamicParameterNotFound", lambda b: _old(b)["parameters"].update(kind="all")),
    ("InvokedOperationShouldProduceArray", lambda b: _old(b).update({"value-collection": "rows"})),
    ("InvokedOperationShouldProduceProperty", lambda b: _old(b).update({"value-title": "words"})),
    ("DynamicListExtensionRequired", lambda b: b.argument("ListTickets", "status").pop("x-ms-dynamic-list")),
    ("DynamicExtensionDefinitionNotAllowedInAnswer", lambda b: b.field("Ticket", "title").update(
        copy.deepcopy(DROP_DOWN))),
    ("InvokedOperationShouldBeInternal", lambda b: b.op("ListChoices").pop("x-ms-visibility")),
    ("TestConnectionMustBeFetch", lambda b: b.d["x-ms-capabilities"].update(
        testConnection={"operationId": _hidden(b, "CreateTicket"), "parameters": {}})),
]  # fmt: skip

TRIGGERS = [
    ("UnrecognizedTrigger", lambda b: b.op("GetTicket").update({"x-ms-trigger": "often"})),
    ("TriggerHintRequired", lambda b: b.op("OnNewTicket").pop("x-ms-trigger-hint")),
    ("PollingTriggerMustBeFetch", lambda b: b.d["paths"]["/api/triggers/new-tickets"].update(
        post=b.d["paths"]["/api/triggers/new-tickets"].pop("get"))),
    ("PollingTriggerShouldProduceArray", lambda b: b.answer("OnNewTicket")["schema"].update(
        {"$ref": "#/definitions/Customer"})),
    ("TriggerPolicyMissing", lambda b: b.p.pop("policyTemplateInstances")),
    ("TriggerPolicyOperationNotFound", lambda b: _policy(b)["x-ms-apimTemplate-operationName"].append("Nothing")),
    ("TriggerPolicyParameterNotFound", lambda b: _policy(b)["x-ms-apimTemplateParameter.triggerConfig"].update(since="")),
    ("OperationMustHaveNotificationContentExtension", lambda b: b.d["paths"]["/api/hooks"].pop(
        "x-ms-notification-content")),
    ("WebhookOperationsMissingNotificationUrlProperty", lambda b: (
        b.field("Hook", "url").pop("x-ms-notification-url"), b.field("Hook", "url").pop("x-ms-visibility"))),
    ("NotificationUrlNotRequired", lambda b: b.schema("Hook").pop("required")),
    ("NotificationUrlNotInternal", lambda b: b.field("Hook", "url").pop("x-ms-visibility")),
    ("NotificationUrlNotString", lambda b: b.field("Hook", "url").update(type="integer")),
    ("NotificationUrlNotAllowedInThisPosition", lambda b: b.answer("GetTicket").update({"x-ms-notification-url": True})),
]  # fmt: skip


def _white(broken: Broken) -> bytes:
    start = broken.connector.icon.find(b"PLTE") + 4
    return broken.connector.icon[:start] + b"\xff\xff\xff" + broken.connector.icon[start + 3 :]


def _entry(broken: Broken) -> dict[str, Any]:
    return broken.argument("ListTickets", "sort")["x-ms-enum-values"][1]


def _old(broken: Broken) -> dict[str, Any]:
    return broken.argument("ListTickets", "status")["x-ms-dynamic-values"]


def _hidden(broken: Broken, name: str) -> str:
    broken.op(name).update({"x-ms-visibility": "internal"})
    return name


def _policy(broken: Broken) -> dict[str, Any]:
    return broken.p["policyTemplateInstances"][0]["parameters"]
