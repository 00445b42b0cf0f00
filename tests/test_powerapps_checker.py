"""What the names in a formula mean, held to the connector: calls, variables, controls, fields; and proof that faults are caught."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.specs import connector
from tests.power_fx import (
    BY_ROW,
    ENUMS,
    FAILURE,
    FLAG,
    FUNCTIONS,
    GIVES,
    NUMBER,
    ONE_OF,
    PROPERTIES,
    ROW_OF_FIRST,
    SAME_AS_FIRST,
    SEEN_FROM_INSIDE,
    TEXT,
    Node,
    Shape,
    Unreadable,
    look,
    merged,
    parse,
    record,
    table,
)


@dataclass
class Control:
    """A control of the app: its kind without version, its formulas, and the gallery it is a row of ("" for none)."""

    kind: str
    formulas: dict[str, str]
    gallery: str = ""


@dataclass
class Maker:
    """An app and the connector it is made on. `check` reads one formula; `problems` is what was wrong."""

    document: dict[str, Any] = field(default_factory=lambda: deepcopy(connector("desk.example.com")))
    controls: dict[str, Control] = field(default_factory=dict)
    screens: set[str] = field(default_factory=set)
    flows: set[str] = field(default_factory=set)
    variables: dict[str, Shape] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.operations = {
            operation["operationId"]: operation
            for methods in self.document["paths"].values()
            for method, operation in methods.items()
            if method != "parameters"
        }

    def learn(self, formulas: list[tuple[str, str, str]]) -> None:
        """Finds out what every variable holds from (where, formula, gallery); what one is set from may be set elsewhere."""
        for _ in range(4):
            for each in formulas:
                self.check(*each)
            self.problems.clear()

    def check(self, where: str, formula: str, gallery: str = "") -> Shape:
        """Reads one formula as the app would; adds to `problems`."""
        before = len(self.problems)
        try:
            shape = self.shape(parse(formula), [{"ThisItem": self.row(gallery)}] if gallery else [])
        except Unreadable as error:
            self.problems.append(str(error))
            shape = None
        self.problems[before:] = [f"{where}: {problem}" for problem in self.problems[before:]]
        return shape

    def row(self, control: str) -> Shape:
        """One row of what a gallery, chart or drop-down shows."""
        about = self.controls.get(control)
        if about is None:
            self.problems.append(f"there is no gallery {control}")
            return None
        shape = self.shape(parse(about.formulas["Items"]), [])
        return shape.get("items") if shape else None

    def shape(self, node: Node, scopes: list[dict[str, Shape]]) -> Shape:
        """What a piece of a formula gives."""
        if node.kind in ("text", "number"):
            return {**TEXT, "enum": [node.value]} if node.kind == "text" else NUMBER
        if node.kind == "record":
            given = [self.shape(part, scopes) for part in node.parts]
            return record(**dict(zip(node.names, given, strict=True)))
        if node.kind == "table":
            rows = [self.shape(part, scopes) for part in node.parts]
            return table(
                rows[0] if rows and rows[0] and "properties" in rows[0] else record(Value=rows[0] if rows else None)
            )
        if node.kind in ("operation", "chain"):
            shapes = [self.shape(part, scopes) for part in node.parts]
            return shapes[-1] if node.kind == "chain" else None
        return getattr(self, f"_{node.kind}")(node, scopes)

    def _name(self, node: Node, scopes: list[dict[str, Shape]]) -> Shape:
        name = node.value
        for scope in reversed(scopes):
            if name in scope:
                return scope[name]
        if name in self.variables:
            self.read.add(name)
            return self.variables[name]
        known = name in self.controls or name in self.screens or name in ENUMS
        if not known and name not in ("true", "false", "Self", "Parent"):
            self.problems.append(f"{name} is not defined")
        return FLAG if name in ("true", "false") else None

    def _dot(self, node: Node, scopes: list[dict[str, Shape]]) -> Shape:
        of, name = node.parts[0], node.value
        if of.kind == "name" and of.value in ENUMS:
            if name not in ENUMS[of.value].split():
                self.problems.append(f"{of.value} has no {name}")
            return None
        if of.kind == "name" and of.value in ("Self", "Parent") and name not in SEEN_FROM_INSIDE:
            self.problems.append(f"{of.value} has no {name}")
        if of.kind == "name" and of.value in self.controls and of.value not in self.variables:
            return self._of_control(of.value, name)
        shape = self.shape(of, scopes)
        if shape is None:
            return None
        fields = (shape.get("items") or {} if shape["type"] == "array" else shape).get("properties", {})
        if name not in fields:
            self.problems.append(f"there is no field {name} here: {', '.join(sorted(fields)) or shape['type']}")
        return fields.get(name)

    def _of_control(self, control: str, name: str) -> Shape:
        kind = self.controls[control].kind
        if name == "Selected" and kind in ("Gallery", "Classic/DropDown"):
            return self.row(control)
        if name == "Text" and kind == "Classic/TextInput":
            return TEXT
        if name not in PROPERTIES[kind]:
            self.problems.append(f"{control} is a {kind} and has no {name}")
        return None

    def _call(self, node: Node, scopes: list[dict[str, Shape]]) -> Shape:
        target, arguments = node.parts[0], node.parts[1:]
        if target.kind == "dot" and target.parts[0] == Node("name", "Foyer"):
            return self._operation(target.value, arguments, [self.shape(part, scopes) for part in arguments])
        if target.kind == "dot" and target.value == "Run" and target.parts[0].value in self.flows:
            for part in arguments:
                self.shape(part, scopes)
            return None
        name = target.value
        if target.kind != "name" or name not in FUNCTIONS:
            self.problems.append(f"there is no function {name}")
        return self._function(name, arguments, scopes)

    def _function(self, name: str, arguments: tuple[Node, ...], scopes: list[dict[str, Shape]]) -> Shape:
        if name in ("Set", "Collect", "ClearCollect"):
            return self._keep(name, arguments, scopes)
        first = self.shape(arguments[0], scopes) if arguments else None
        inner = list(scopes)
        if name == "With" and first:
            inner.append(first["properties"])
        elif name in BY_ROW:
            row = (first or {}).get("items")
            inner.append({**(row or {}).get("properties", {}), "ThisRecord": row})
        if name == "IfError":
            inner.append({"FirstError": FAILURE})
        rest = [self.shape(part, inner) for part in arguments[1:]]
        if name in ROW_OF_FIRST:
            return (first or {}).get("items")
        if name in SAME_AS_FIRST:
            return first
        if name == "Table":
            return self._table([first, *rest])
        if name == "With":
            return rest[-1]
        if name in ONE_OF:
            results = {"If": rest, "Switch": rest[1::2]}.get(name, [first, *rest])
            return {k: v for k, v in next((one for one in results if one), {}).items() if k != "enum"} or None
        return table(rest[-1]) if name == "ForAll" and rest else GIVES.get(name)

    def _table(self, rows: list[Shape]) -> Shape:
        if rows[0] is None or rows[0]["type"] == "array":  # what ParseJSON read
            return rows[0]
        if len({look(row) for row in rows if row}) > 1:
            self.problems.append("the rows of a table have different columns")
        return table(merged(rows))

    def _keep(self, name: str, arguments: tuple[Node, ...], scopes: list[dict[str, Shape]]) -> Shape:
        variable, value = arguments[0].value, self.shape(arguments[1], scopes)
        value = {k: v for k, v in value.items() if k != "enum"} if value else None
        if name != "Set" and value and value["type"] == "object":
            value = table(value)
        known = self.variables.get(variable)
        if known and value and look(known) != look(value):
            self.problems.append(f"{variable} holds two different kinds of value")
        self.variables[variable] = known or value
        return value

    # ---- the connector

    def parameters(self, name: str) -> tuple[dict[str, Shape], dict[str, Shape]]:
        """What an operation takes as (positional arguments in order, fields of the record after them).

        Required ones are arguments: of the path, then of the query, of headers, and the body's properties in their order.
        Internal ones are not offered to a maker.
        """
        places = ("path", "query", "header", "body")
        listed = sorted(self.operations[name].get("parameters", []), key=lambda each: places.index(each["in"]))
        flat: list[tuple[str, bool, Any]] = []
        for each in listed:
            body = self.resolved(each["schema"]) if each["in"] == "body" else None
            if body and body.get("properties"):
                required = body.get("required", [])
                flat += [(key, key in required, value) for key, value in body["properties"].items()]
            else:
                flat.append((each["name"], each.get("required", False), body or each))
        offered = [each for each in flat if each[2].get("x-ms-visibility") != "internal"]
        return {n: s for n, needed, s in offered if needed}, {n: s for n, needed, s in offered if not needed}

    def _operation(self, name: str, arguments: tuple[Node, ...], shapes: list[Shape]) -> Shape:
        operation = self.operations.get(name)
        if operation is None:
            self.problems.append(f"the connector has no operation {name}")
            return None
        if operation.get("x-ms-visibility") == "internal" or "x-ms-trigger" in operation or name.startswith("On"):
            self.problems.append(f"{name} is not for apps")
        positional, optional = self.parameters(name)
        if not len(positional) <= len(arguments) <= len(positional) + bool(optional):
            wanted = ", ".join(positional) or "nothing"
            self.problems.append(f"{name} takes {wanted} and one record, not {len(arguments)} arguments")
            return self.answer(operation)
        for (key, wish), argument, shape in zip(positional.items(), arguments, shapes, strict=False):
            self._fits(f"{name} {key}", wish, shape)
            self._in_place(name, key, set(positional), argument)
        if len(arguments) > len(positional):
            given = shapes[-1] or {}
            if given.get("type") != "object":
                self.problems.append(f"the last argument of {name} is a record of optional ones")
            for key, shape in given.get("properties", {}).items():
                if key not in optional:
                    self.problems.append(f"{name} has no optional {key}")
                else:
                    self._fits(f"{name} {key}", optional[key], shape)
        return self.answer(operation)

    def _fits(self, what: str, wanted: Shape, given: Shape) -> None:
        assert wanted
        if given is None:
            return
        kinds = [{"integer": "number"}.get(each["type"], each["type"]) for each in (wanted, given)]
        if kinds[0] != kinds[1]:
            self.problems.append(f"{what} takes {kinds[0]}, not {kinds[1]}")
        choices = wanted.get("enum") or self._words(what.split()[1])
        wrong = set(given.get("enum", [])) - {"", "open", *choices} if choices else set()
        if wrong:
            self.problems.append(f"{what} is never {', '.join(sorted(wrong))}")

    def _words(self, name: str) -> list[str]:
        """The words a ticket's field can hold; filters of lists take them although they list none."""
        words: list[str] = self.resolved({"$ref": "#/definitions/Ticket"})["properties"].get(name, {}).get("enum", [])
        return words

    def _in_place(self, operation: str, key: str, keys: set[str], argument: Node) -> None:
        """Text in another's place is still text: what an argument is called must not name another argument."""
        said = {word.lower() for node in argument.walk() for word in re.findall(r"[A-Z]?[a-z]+", node.value)}
        others = {other for other in keys - {key} if other.split("_")[-1] in said}
        if others and key.split("_")[-1] not in said:
            self.problems.append(f"{operation} takes {key} here, not {', '.join(others)}")

    def answer(self, operation: dict[str, Any]) -> Shape:
        """The shape of an operation's answer."""
        schema = next(each["schema"] for each in operation["responses"].values() if "schema" in each)
        return self.resolved(schema)

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema with every reference replaced by what it refers to."""
        if "$ref" in schema:
            return self.resolved(self.document["definitions"][schema["$ref"].rpartition("/")[2]])
        made = dict(schema)
        if "properties" in made:
            made["properties"] = {name: self.resolved(inner) for name, inner in made["properties"].items()}
        if "items" in made:
            inner = self.resolved(made["items"])
            made["items"] = inner if inner["type"] == "object" else record(Value=inner)
        return made


# ---- the checker is checked

TITLE = Control("Classic/TextInput", {})
PICK = Control("Classic/DropDown", {"Items": 'Table({key: "open", label: "Open"}, {key: "lost", label: "Lost"})'})
SEND = 'Set(gAnswer, Foyer.CreateTicket(txtTitle.Text, txtDescription.Text, {source: "powerapps"}))'


def problems_of(formula: str, gallery: str = "") -> str:
    """What a small app finds wrong with a formula."""
    controls = {
        "txtTitle": TITLE,
        "txtDescription": TITLE,
        "drpStatus": PICK,
        "galMine": Control("Gallery", {"Items": "colMine"}),
    }
    maker = Maker(controls=controls, screens={"scrCustomer"})
    load = "ClearCollect(colMine, Foyer.ListTickets({limit: 50}).data); Set(gTicket, First(colMine))"
    maker.learn([("load", load, ""), ("here", formula, gallery)])
    maker.check("here", formula, gallery)
    return "; ".join(maker.problems)


GOOD = [
    SEND,
    "Set(gTicket, Foyer.GetTicket(gTicket.id, {'X-On-Behalf-Of': User().Email}).data)",
    'Foyer.ListTickets({status: "open", q: "say ""hello"", (please)"}).data',
    "IfError(Foyer.GetStats(), Notify(FirstError.Details.HttpResponse, NotificationType.Error))",
    "With({answer: Foyer.ListTickets({limit: 5})}, Collect(colMine, answer.data); answer.total)",
    "Concat(gTicket.triage_reasons, Value, Char(10)) // because",
    "Sum(Foyer.GetStats().data.by_status, count)",
    'Filter(colMine, status = "new" && !IsBlank(ThisRecord.assigned_to))',
]
BAD = {
    "Foyer.CreateTickets(1)": "no operation CreateTickets",
    'Foyer.ListChoices("agents")': "ListChoices is not for apps",
    "Foyer.OnNewTicket()": "OnNewTicket is not for apps",
    "Foyer.CreateTicket(txtDescription.Text, txtTitle.Text)": "CreateTicket takes title here, not description",
    'Foyer.ResolveTicket("done", gTicket.id)': "ResolveTicket takes resolution here, not ticket_id",
    "Foyer.CreateTicket(txtTitle.Text)": "takes title, description and one record, not 1 arguments",
    "Foyer.GetTicket()": "takes ticket_id and one record, not 0",
    "Foyer.GetTicket({ticket_id: gTicket.id})": "ticket_id takes string, not object",
    "Foyer.UpdateTicket(gTicket.id, {version: gTicket.title})": "version takes number, not string",
    'Foyer.UpdateTicket(gTicket.id, {piority: "high"})': "no optional piority",
    'Foyer.UpdateTicket(gTicket.id, {priority: "highest"})': "priority is never highest",
    "Foyer.ListTickets({status: drpStatus.Selected.key})": "status is never lost",
    'Foyer.ResolveTicket(gTicket.id, "x", gTicket.version)': "is a record of optional ones",
    "Foyer.GetTicket(gTicket.id).subject": "no field subject",
    "Foyer.GetTicket(gTicket.id).data.subject": "no field subject",
    "Foyer.ListTickets().data.subject": "no field subject",
    "gTicket.subject": "no field subject",
    "First(colMine).subject": "no field subject",
    "galMine.Selected.subject": "no field subject",
    "Foyer.GetStats().data.open": "no field open",
    "Concat(colMine, subject)": "subject is not defined",
    "gNobody.id": "gNobody is not defined",
    "Navigate(scrNowhere)": "scrNowhere is not defined",
    "Reset(txtNowhere)": "txtNowhere is not defined",
    "txtTitle.Value": "txtTitle is a Classic/TextInput and has no Value",
    "FirstError.Message": "FirstError is not defined",
    "Parent.Widht": "Parent has no Widht",
    "Table({a: 1}, {b: 1})": "different columns",
    "Set(gTicket, Foyer.GetStats().data)": "gTicket holds two different kinds",
    "Notfy(gTicket.title)": "no function Notfy",
    "Notify(gTicket.title, NotificationType.Wrong)": "NotificationType has no Wrong",
    "Set(gTicket, First(colMine)": "expected at 'the end'",
    'Notify("never closed)': "cannot read",
    "If(true, [1, 2)": "expected at ')'",
    "Foyer.ListTickets({limit 50})": "':' expected",
    "1 2": "nothing expected at '2'",
}


@pytest.mark.parametrize("formula", GOOD)
def test_a_right_formula_passes(formula):
    assert problems_of(formula) == ""


@pytest.mark.parametrize("formula", BAD)
def test_a_wrong_formula_is_caught(formula):
    assert BAD[formula] in problems_of(formula)


def test_a_field_of_the_row_is_known_inside_a_gallery_only():
    assert problems_of("ThisItem.title", "galMine") == ""
    assert "no field subject" in problems_of("ThisItem.subject", "galMine")
    assert "ThisItem is not defined" in problems_of("ThisItem.title")


def test_internal_parameters_are_neither_arguments_nor_fields():
    maker = Maker()
    operation = maker.operations["GetTicket"]
    hidden = {
        "in": "query",
        "name": "view",
        "required": True,
        "type": "string",
        "default": "full",
        "x-ms-visibility": "internal",
    }
    operation["parameters"] = [hidden, *operation["parameters"]]
    assert list(maker.parameters("GetTicket")[0]) == ["ticket_id"]
