"""What a value of the JSON document may be: a hand may write anything, the tables hold text, whole numbers and JSON text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import orjson

from core import models, timestamps

LARGEST = 2**53 - 1  # what every reader of JSON tells from its neighbours, and leaves room for counting on
_DECIDERS = ("", *get_args(models.Decider))
_CHOICES: dict[tuple[str, str], Sequence[str]] = {
    ("tickets", "status"): models.STATUSES,
    ("tickets", "category"): models.CATEGORIES,
    ("tickets", "priority"): models.PRIORITIES,
    ("tickets", "sentiment"): models.SENTIMENTS,
    ("tickets", "customer_tier"): models.TIERS,
    ("tickets", "source"): models.SOURCES,
    ("tickets", "ai_status"): get_args(models.AiStatus),
    ("tickets", "ai_source"): _DECIDERS,
    ("tickets", "triage_source"): _DECIDERS,
    ("tickets", "sla_status"): ("", *models.SLA_STATUSES),
    ("customers", "tier"): models.TIERS,
    ("replies", "author_role"): get_args(models.AuthorRole),
    ("replies", "ai_source"): _DECIDERS,
    ("transfers", "kind"): models.TRANSFER_KINDS,
    ("transfers", "state"): models.TRANSFER_STATES,
    ("attachments", "author_role"): ("agent", "customer"),
    ("conversations", "answered_by"): get_args(models.AnsweredBy),
    ("conversations", "escalation_reason"): ("", *models.ESCALATIONS),
    ("users", "role"): models.ROLES,
    ("articles", "status"): models.ARTICLE_STATUSES,
    ("articles", "category"): models.CATEGORIES,
    ("drafts", "source"): get_args(models.Decider),
    ("drafts", "outcome"): ("", *models.DRAFT_OUTCOMES),
    ("drafts", "reason"): ("", *models.DISCARD_REASONS),
    ("api_keys", "role"): models.ROLES,
    ("incidents", "status"): models.INCIDENT_STATUSES,
    ("presence", "state"): models.PRESENCE_STATES,
    ("teams", "assignment"): models.ASSIGNMENTS,
    ("routing_rules", "priority"): ("", *models.PRIORITIES),
    ("webhooks", "format"): models.WEBHOOK_FORMATS,
    ("deliveries", "state"): models.DELIVERY_STATES,
}
# Lists of objects: the fields of each object with the type of their values.
_OBJECTS: dict[tuple[str, str], dict[str, type]] = {
    ("transfers", "errors"): {"file": str, "line": int, "field": str, "message": str},
    ("tickets", "links"): {"ticket_id": str, "number": int, "kind": str},
}
_THOUSANDTHS = (0, 1000)
_RANGES: dict[tuple[str, str], tuple[int, int]] = {
    ("tickets", "number"): (1, LARGEST),
    ("tickets", "version"): (1, LARGEST),
    ("tickets", "urgency"): (10, 50),
    ("tickets", "priority_rank"): (1, len(models.PRIORITIES)),
    ("tickets", "priority_score"): (0, 100),
    **{("tickets", f"{name}_confidence"): _THOUSANDTHS for name in ("topic", "ai", "category")},
    ("examples", "confidence"): _THOUSANDTHS,
    ("drafts", "confidence"): _THOUSANDTHS,
    ("drafts", "version"): (1, LARGEST),
    ("attachments", "size"): (0, LARGEST),
    ("idempotency", "status"): (100, 599),
    ("users", "capacity"): (0, models.MOST_CAPACITY),
    ("routing_rules", "position"): (1, LARGEST),
    ("webhooks", "generation"): (1, LARGEST),
}
# Times that say when something ends or is due. All others say when it happened: the latest of them is where new ones begin, so
# one that is far ahead would stay for good. No clock is wrong by as much.
AHEAD_YEARS = 100
_ENDS = {"expires_at", "tries_until", "run_at", "idle_due_at", "sla_next_at", "first_response_due_at"}
_ENDS |= {"resolve_due_at", "snoozed_until"}
_ENDS |= {"next_try_at", "rotated_until"}  # of deliveries and webhooks
_WITHOUT_NULL = {("companies", "settings")}  # what jobs carry is between programs


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the document's rows fill it. `kind` is text, time, number, flag, list or object."""

    table: str
    name: str
    kind: str
    nullable: bool

    @property
    def accepted(self) -> str:
        """What its value must be, as the end of a sentence."""
        if self.kind == "number":
            least, most = self.range
            return f"a whole number from {least} to {most}"
        if self.kind == "list":
            fields = _OBJECTS.get((self.table, self.name))
            return f"a list of objects with {', '.join(fields)}" if fields else "a list of texts"
        if self.kind == "object":
            return f"an object{' without null' if self._is_without_null else ''}"
        return {"flag": "true or false"}.get(self.kind, "text")

    @property
    def range(self) -> tuple[int, int]:
        """The least and the largest number."""
        return _RANGES.get((self.table, self.name), (0, LARGEST))

    @property
    def choices(self) -> Sequence[str]:
        """The words of which a text is one; () where any text may stand."""
        return _CHOICES.get((self.table, self.name), ())

    @property
    def may_be_ahead(self) -> bool:
        """Whether a time says when something ends or is due, not when it happened."""
        return self.name in _ENDS

    @property
    def _is_without_null(self) -> bool:
        return (self.table, self.name) in _WITHOUT_NULL

    def to_stored(self, values: Sequence[Any]) -> Sequence[Any]:
        """The values of many rows as SQLite stores them, up to the first that is not accepted."""
        also = {type(None)} if self.nullable else set()
        types = set(map(type, values))
        if self.kind in ("text", "time") and types <= {str, *also}:
            return values
        if self.kind == "number" and types <= {int, *also} and self._are_in_range(values):
            return values
        if self.kind == "flag" and types == {int} and set(values) <= {0, 1}:
            return values
        ready: list[str | int | None] = []
        for value in values:
            converted = None if type(value) in also else self._one(value)
            if converted is None and type(value) not in also:
                break
            ready.append(converted)
        return ready

    def _are_in_range(self, values: Sequence[int | None]) -> bool:
        least, most = self.range
        numbers = [value for value in values if value is not None]
        return not numbers or (min(numbers) >= least and max(numbers) <= most)

    def _one(self, value: Any) -> str | int | None:
        if self.kind == "flag":
            return int(value) if isinstance(value, int) and value in (0, 1) else None
        if self.kind == "number":
            return value if type(value) is int and self._are_in_range([value]) else None
        if self.kind in ("text", "time"):
            return value if isinstance(value, str) else None
        return self._as_json(value)

    def _as_json(self, value: Any) -> str | None:
        if not isinstance(value, list if self.kind == "list" else dict):
            return None
        if self.kind == "list" and not self._are_items(value):
            return None
        try:
            return None if self._is_without_null and _holds_null(value) else orjson.dumps(value).decode()
        except (TypeError, RecursionError):  # nested deeper than can be written again
            return None

    def _are_items(self, values: Any) -> bool:
        fields = _OBJECTS.get((self.table, self.name))
        if fields is None:
            return not set(map(type, values)) - {str}
        return all(
            isinstance(one, dict) and {name: type(value) for name, value in one.items()} == fields for one in values
        )

    def wrong(self) -> tuple[str, str]:
        """The SQL condition its value must not meet ("" when there is none), and what is accepted instead."""
        if self.kind == "time":
            # Read and written again: what is not in this form changes, and by the modifier a 30th of February does too.
            normalized = f"strftime('%Y-%m-%dT%H:%M:%fZ', \"{self.name}\", '+0 days')"
            rule = f'"{self.name}" IS NOT {normalized} OR "{self.name}" < \'0001\''
            if self.may_be_ahead:
                return rule, "a time like 2026-01-31T08:00:00.000Z"
            latest = timestamps.later(timestamps.stamp(timestamps.now()), seconds=AHEAD_YEARS * 365 * 24 * 3600)
            accepted = f"a time like 2026-01-31T08:00:00.000Z, at most {AHEAD_YEARS} years ahead"
            return f"{rule} OR \"{self.name}\" > '{latest}'", accepted
        choices = self.choices
        quoted_choices = ", ".join(f"'{choice}'" for choice in choices)
        words = ", ".join(choice or '""' for choice in choices)
        return (f'"{self.name}" NOT IN ({quoted_choices})' if choices else ""), f"one of {words}"


def _holds_null(value: Any) -> bool:
    """Whether there is a null in it, however deep. Raises RecursionError."""
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    if isinstance(value, list):
        return any(map(_holds_null, value))
    return value is None
