"""What a rule is: a function over a connector that yields where and what; its name is the function's in PascalCase."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tools.connector_rules.walk import Op, Place, operations, places, schema_roots

Json = dict[str, Any]
Said = Iterable[tuple[str, str]]  # where, and a sentence


@dataclass(frozen=True)
class Connector:
    """The files of a connector, read; `unreadable` says of a file why it is not."""

    definition: Json
    properties: Json = field(default_factory=dict)
    settings: Json = field(default_factory=dict)
    icon: bytes = b""
    size: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)

    @cached_property
    def operations(self) -> list[Op]:
        """Every operation of the definition."""
        return list(operations(self.definition))

    @cached_property
    def places(self) -> list[Place]:
        """Every parameter and schema; a referenced one where it is first met."""
        return list(places(self.definition, self.operations))

    @cached_property
    def roots(self) -> list[Place]:
        """The whole schemas: bodies, answers and definitions."""
        return list(schema_roots(self.definition, self.operations))

    def operation(self, name: object) -> Op | None:
        """The operation of this id."""
        return next((op for op in self.operations if op.doc.get("operationId") == name), None)


@dataclass(frozen=True)
class Finding:
    """One broken rule at one place."""

    rule: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.sentence}"


Rule = Callable[[Connector], Said]
RULES: dict[str, Rule] = {}


def rule(check: Rule) -> Rule:
    """Notes a rule under its name."""
    RULES["".join(word.capitalize() for word in check.__name__.split("_"))] = check
    return check
