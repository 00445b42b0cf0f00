"""Power Fx as a language: text into tokens, tokens into a tree, and the functions, enumerations and controls it has.

Only what formulas of ours use. What the names in one app mean is tests/test_powerapps_checker.py's question.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_PATTERNS = {
    "space": r"\s+|//[^\n]*|/\*.*?\*/",
    "text": r'"(?:[^"]|"")*"',
    "number": r"\d+(?:\.\d+)?",
    "name": r"[^\W\d]\w*|'(?:[^']|'')+'",
    "sign": r"&&|\|\||<>|<=|>=|[-+*/^&=<>!%.,;:(){}\[\]]",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()), re.DOTALL)
_BINARY = {"&&", "||", "<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "^", "&", "in", "exactin", "And", "Or"}


class Unreadable(ValueError):
    """The formula is not Power Fx; says where."""


@dataclass(frozen=True)
class Token:
    """A piece of a formula: what kind, its value (quotes taken off), and where it begins."""

    kind: str
    value: str
    at: int


@dataclass(frozen=True)
class Node:
    """A piece of the tree.

    `kind` is text, number, name, dot, call, record, table, operation or chain. `value` is the text, number, name or the
    field after a dot; `parts` what it is made of: of a call the function first, of a record its values, named by `names`.
    """

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()
    names: tuple[str, ...] = field(default=())

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def tokens(formula: str) -> list[Token]:
    """The formula's pieces, without spaces and comments. Raises Unreadable."""
    found = []
    at = 0
    while at < len(formula):
        match = _TOKEN.match(formula, at)
        if match is None or match.lastgroup is None:
            raise Unreadable(f"cannot read {formula[at : at + 20]!r}")
        kind, value = match.lastgroup, match[0]
        if kind == "text":
            value = value[1:-1].replace('""', '"')
        elif value.startswith("'"):
            value = value[1:-1].replace("''", "'")
        if kind != "space":
            found.append(Token(kind, value, at))
        at = match.end()
    return found


def parse(formula: str) -> Node:
    """The formula as a tree; a chain of several is a node of its own. Raises Unreadable."""
    reader = _Reader(formula)
    tree = reader.chain("")
    if reader.peek() is not None:
        raise Unreadable(f"nothing expected at {reader.rest()!r}")
    return tree


class _Reader:
    """Walks the tokens once, from left to right. Operators are not ranked: only what they join matters here."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = tokens(formula)
        self.place = 0

    def peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def rest(self) -> str:
        token = self.peek()
        return self.formula[token.at : token.at + 30] if token else "the end"

    def sees(self, *signs: str) -> bool:
        token = self.peek()
        return token is not None and token.kind in ("sign", "name") and token.value in signs

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise Unreadable("the formula ends too early")
        self.place += 1
        return token

    def expect(self, sign: str) -> None:
        if not self.sees(sign):
            raise Unreadable(f"{sign!r} expected at {self.rest()!r}")
        self.take()

    def chain(self, *ends: str) -> Node:
        """Formulas joined by semicolons; one semicolon may end it."""
        steps = [self.expression()]
        while self.sees(";"):
            self.take()
            if self.peek() is None or self.sees(*ends, ","):
                break
            steps.append(self.expression())
        return steps[0] if len(steps) == 1 else Node("chain", parts=tuple(steps))

    def expression(self) -> Node:
        """Operands joined by operators."""
        parts = [self.operand()]
        while self.sees(*_BINARY):
            self.take()
            parts.append(self.operand())
        return parts[0] if len(parts) == 1 else Node("operation", parts=tuple(parts))

    def operand(self) -> Node:
        """A sign before, a thing, and what follows it: dots, arguments, percent."""
        if self.sees("-", "+", "!", "Not") and not self._is_call():
            self.take()
            return Node("operation", parts=(self.operand(),))
        made = self.thing()
        while self.sees(".", "(", "%"):
            sign = self.take().value
            if sign == ".":
                made = Node("dot", self.name(), (made,))
            elif sign == "(":
                made = Node("call", parts=(made, *self.items(")")))
        return made

    def _is_call(self) -> bool:
        following = self.tokens[self.place + 1 : self.place + 2]
        return self.sees("Not") and bool(following) and following[0].value == "("

    def name(self) -> str:
        token = self.take()
        if token.kind != "name":
            raise Unreadable(f"a name expected, not {token.value!r}")
        return token.value

    def thing(self) -> Node:
        """A literal, a name, or something in brackets."""
        token = self.take()
        if token.kind in ("text", "number", "name"):
            return Node(token.kind, token.value)
        if token.value == "(":
            inner = self.chain(")")
            self.expect(")")
            return inner
        if token.value == "[":
            return Node("table", parts=tuple(self.items("]")))
        if token.value == "{":
            return self.record()
        raise Unreadable(f"nothing begins with {token.value!r} at {self.formula[token.at : token.at + 30]!r}")

    def items(self, end: str) -> list[Node]:
        """What stands between commas up to the closing bracket."""
        found: list[Node] = []
        while not self.sees(end):
            if found:
                self.expect(",")
            found.append(self.chain(end))
        self.take()
        return found

    def record(self) -> Node:
        names: list[str] = []
        values: list[Node] = []
        while not self.sees("}"):
            if names:
                self.expect(",")
            names.append(self.name())
            self.expect(":")
            values.append(self.expression())
        self.take()
        return Node("record", parts=tuple(values), names=tuple(names))


# ---- what the language and the controls have

Shape = dict[str, Any] | None  # a JSON schema with its references resolved; None when it is not known
TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
WHEN = {"type": "string", "format": "date-time"}


def record(**fields: Shape) -> Shape:
    return {"type": "object", "properties": fields}


def table(row: Shape) -> Shape:
    return {"type": "array", "items": row}


GIVES: dict[str, Shape] = {
    **dict.fromkeys("Text Proper Substitute Trim Concat Char Lower Left".split(), TEXT),
    **dict.fromkeys("CountRows RoundUp Round Max Min Sum Value Len".split(), NUMBER),
    **dict.fromkeys("IsBlank IsEmpty IsError Notify Navigate Reset Select Clear StartsWith And Or Not".split(), FLAG),
    **dict.fromkeys("Now Today DateAdd".split(), WHEN),
    **dict.fromkeys("Set Collect ClearCollect RGBA Blank GUID Error Refresh Concurrent Launch".split(), None),
    "User": record(Email=TEXT, FullName=TEXT, Image=TEXT),
    # The only JSON our formulas read is what the desk answers on an error.
    "ParseJSON": record(
        message=TEXT, data=record(code=TEXT, errors=table(record(Value=record(field=TEXT, message=TEXT))))
    ),
}
SAME_AS_FIRST = set("Filter Sort SortByColumns FirstN LastN Search".split())
ROW_OF_FIRST = set("First Last LookUp Index".split())
ONE_OF = set("If IfError Coalesce Switch".split())
BY_ROW = set("Filter Sort ForAll Concat Sum Max Min LookUp AddColumns".split())
FUNCTIONS = {*GIVES, *SAME_AS_FIRST, *ROW_OF_FIRST, *ONE_OF, *BY_ROW, "With", "Table"}
ENUMS = {
    "NotificationType": "Error Success Warning Information",
    "DisplayMode": "Edit View Disabled",
    "ScreenTransition": "None Fade Cover UnCover",
    "SortOrder": "Ascending Descending",
    "DateTimeFormat": "ShortDate ShortDateTime LongDate UTC",
    "TimeUnit": "Days Hours Minutes Months",
    "TextMode": "SingleLine MultiLine Password",
    "FontWeight": "Normal Lighter Semibold Bold",
    "Align": "Left Center Right Justify",
    "VerticalAlign": "Top Middle Bottom",
    "Overflow": "Hidden Scroll",
    "DropShadow": "None Light Regular Bold",
}
FAILURE = record(
    Message=TEXT, Source=TEXT, Observed=TEXT, Kind=NUMBER, Details=record(HttpStatusCode=NUMBER, HttpResponse=TEXT)
)
PLACED = set("X Y Width Height Visible".split())
BOX = PLACED | set("Fill BorderColor BorderThickness".split())
WRITTEN = BOX | set("Text Color Size FontWeight Align VerticalAlign OnSelect DisplayMode AccessibleLabel".split())
PROPERTIES = {
    "GroupContainer": BOX | {"DropShadow"},
    "Rectangle": BOX | {"OnSelect"},
    "Label": WRITTEN | {"Wrap", "Overflow"},
    "Classic/Button": WRITTEN | set("HoverFill HoverColor PressedFill PressedColor".split()),
    "Classic/TextInput": WRITTEN - {"Text"} | set("Default HintText Mode MaxLength OnChange".split()),
    "Classic/DropDown": WRITTEN - {"Text"} | set("Items Items.Value Default OnChange".split()),
    "Gallery": BOX | set("Items OnSelect TemplateSize TemplatePadding ShowScrollbar WrapCount".split()),
    "PieChart": PLACED | {"Items", "Items.Labels", "Items.Series"},
    "BarChart": PLACED | {"Items", "Items.Labels", "Items.Series1", "NumberOfSeries"},
}
SEEN_FROM_INSIDE = set("X Y Width Height TemplateWidth TemplateHeight Text Fill DisplayMode".split())


def merged(rows: list[Shape]) -> Shape:
    """Rows of a table written out, as one row that lists the words each column holds."""
    columns: dict[str, Any] = {}
    for row in rows:
        for name, shape in (row or {}).get("properties", {}).items():
            words = [*(columns.get(name) or {}).get("enum", []), *(shape or {}).get("enum", [])]
            columns[name] = {**(shape or {}), "enum": words} if words else shape
    return record(**columns)


def look(shape: Shape) -> str:
    """How a value looks, for telling two kinds apart: its type, and the fields of a record or row."""
    assert shape
    fields = (shape.get("items") or {} if shape["type"] == "array" else shape).get("properties", {})
    return f"{shape['type'].replace('integer', 'number')} {sorted(fields)}"
