"""Which rows the columns of an imported row name, and the ids of those rows in this company."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.tickets.anonymise import ERASED
from services.transfers.contents import TABLES
from services.transfers.new_ids import derived
from services.transfers.values import Refused
from storage import Row, UnitOfWork

# Column -> the file of the row that it names. The row must be here; "" and null name none.
_OF_TICKET = {"ticket_id": "tickets"}
NEEDED: dict[str, dict[str, str]] = {
    "tickets": {"customer_row": "customers", "external_scope": "customers", "incident_id": "incidents"},
    "conversations": _OF_TICKET,
    "replies": _OF_TICKET,
    "attachments": {**_OF_TICKET, "reply_id": "replies"},
    "examples": _OF_TICKET,
    "merges": _OF_TICKET,
    "drafts": _OF_TICKET,
    "citations": {**_OF_TICKET, "article_id": "articles"},
    "inbound_mails": _OF_TICKET,
    "inbound_originals": {"mail_id": "inbound_mails"},
}
# Columns with a list of ids of articles, some of which may be deleted.
LISTS = {"tickets": "ai_citations", "replies": "citations", "drafts": "citations"}
_SUBJECTS = "ticket customer user article macro view attachment team routing_rule incident".split()
# Field of an event -> the file of the rows that its values name.
_OF_EVENTS = {"replies": "replies", "merged_from": "tickets", "merged_into": "tickets", "incident_id": "incidents"}
_TEXT_OF_ERASED = {"replies": "body", "drafts": "body"}
_NOT_OF_ERASED = ("attachments", "merges", "examples", "citations", "inbound_mails")


@dataclass
class Ids:
    """The ids of imported rows in the company. `aliases` has those of rows that were here before: file -> old id -> id."""

    salt: str
    aliases: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def new(self, file: str, old_id: str) -> str:
        """The id of a row of the file."""
        return self.aliases[file].get(old_id) or derived(self.salt, file, old_id)

    def here(self, uow: UnitOfWork, file: str, old_ids: Iterable[str]) -> dict[str, Row]:
        """The rows that are here, by their ids in the file: imported before, or of this company's own export."""
        candidates: dict[str, tuple[str, ...]] = {}
        for old_id in old_ids:
            alias = self.aliases[file].get(old_id)
            candidates[old_id] = (alias,) if alias else (old_id, derived(self.salt, file, old_id))
        rows = _rows(uow, file, {one for ids in candidates.values() for one in ids})
        matches = {old_id: next((rows[one] for one in ids if one in rows), None) for old_id, ids in candidates.items()}
        return {old_id: row for old_id, row in matches.items() if row is not None}


def _rows(uow: UnitOfWork, file: str, ids: set[str]) -> dict[str, Row]:
    table = TABLES[file]
    more = {"tickets": ("erased_at",), "customers": ("email", "customer_id")}.get(file, ())
    query = uow.query(table, table.c.id, *(table.c[name] for name in more))
    return {row["id"]: row for row in uow.find(query.where(table.c.id.in_(ids)))} if ids else {}


class Targets:
    """The rows of the company that a page of rows refers to, read at once."""

    def __init__(self, uow: UnitOfWork, ids: Ids, file: str, rows: Iterable[Row]) -> None:
        self._uow, self._ids, self._file = uow, ids, file
        wanted: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            for column, target in NEEDED.get(file, {}).items():
                if row[column]:
                    wanted[target].add(row[column])
            if file in LISTS:
                wanted["articles"].update(row[LISTS[file]])
            if file == "history":
                for target, old_id in _named_by_event(row):
                    wanted[target].add(old_id)
        self._here = {target: ids.here(uow, target, old_ids) for target, old_ids in wanted.items()}

    def resolve(self, row: Row) -> Row:
        """The row with the ids of this company. Raises Refused for a row that is not here, or that was erased here."""
        values: Row = {"id": self._ids.new(self._file, row["id"])}
        for column, target in NEEDED.get(self._file, {}).items():
            if row[column]:
                values[column] = self._needed(column, target, row)
        if self._file in LISTS:
            values[LISTS[self._file]] = [self._id("articles", one) for one in row[LISTS[self._file]]]
        if self._file == "history":
            values |= self._of_event(row)
        if self._file == "views":
            values["owner"] = self._owner(row)
        return {**row, **values}

    def _needed(self, column: str, target: str, row: Row) -> str:
        target_row = self._here[target].get(row[column])
        if target_row is None:
            raise Refused(column, f"{column} names a row of {target}.jsonl that is not here.")
        if target == "tickets" and target_row["erased_at"]:
            self._check_erased(row)
        is_erased = target == "customers" and not (target_row["email"] or target_row["customer_id"])
        if is_erased and self._file == "tickets" and not row["erased_at"]:
            raise Refused(column, "The customer of this ticket was erased here.")
        return str(target_row["id"])

    def _check_erased(self, row: Row) -> None:
        text = _TEXT_OF_ERASED.get(self._file)
        if self._file in _NOT_OF_ERASED or (text and row[text] != ERASED):
            raise Refused("ticket_id", "The ticket was erased here.")

    def _id(self, target: str, old_id: str) -> str:
        target_row = self._here.get(target, {}).get(old_id)
        return str(target_row["id"]) if target_row else self._ids.new(target, old_id)

    def _of_event(self, row: Row) -> Row:
        subject, old_id = row["subject"], row["subject_id"]
        if subject in ("company", "settings"):
            return {"subject_id": self._uow.actor.company_id}
        if subject not in _SUBJECTS:
            return {"subject_id": derived(self._ids.salt, subject, old_id)}
        target = _file_of(subject)
        found: Mapping[str, object] = self._here[target].get(old_id, {})
        values = {"subject_id": self._id(target, old_id)}
        if found.get("erased_at"):
            return values | {"from_value": "", "to_value": ""}
        if named := _OF_EVENTS.get(row["field"], ""):
            values |= {one: self._id(named, row[one]) for one in ("from_value", "to_value") if row[one]}
        return values

    def _owner(self, row: Row) -> str:
        """The owner of a view: a person of the file; without one a view that is shared belongs to nobody."""
        found = self._ids.here(self._uow, "users", [row["owner"]]) if row["owner"] else {}
        if not found and not row["shared"]:
            raise Refused("owner", "The view belongs to nobody of users.jsonl, and is not shared.")
        return str(found[row["owner"]]["id"]) if found else ""


def _named_by_event(row: Row) -> Iterable[tuple[str, str]]:
    """The files and ids of the rows that an event names."""
    if row["subject"] in _SUBJECTS:
        yield _file_of(row["subject"]), row["subject_id"]
        if target := _OF_EVENTS.get(row["field"], ""):
            yield from ((target, row[one]) for one in ("from_value", "to_value") if row[one])


def _file_of(subject: str) -> str:
    return {"ticket": "tickets", "routing_rule": "routing_rules"}.get(subject, f"{subject}s")
