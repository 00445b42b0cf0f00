"""Puts checked rows of one file into the company: skips what is here, matches people and teams, and adds the rest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_
from sqlalchemy.exc import IntegrityError

from auth.erasure_marks import ErasureMarks
from core.errors import AppError
from core.models import TEAMS
from database.tables import articles, customers, notice_texts, users
from database.tables import teams as teams_table
from services.privacy import erased_people
from services.routing import plan, rules, teams
from services.tickets import transferred
from services.transfers.contents import TABLES
from services.transfers.references import Ids, Targets
from services.transfers.requests import MOST_ERRORS
from services.transfers.values import Refused
from storage import Row, UnitOfWork

Line = tuple[int, Row]
Check = Callable[[Row], Row]  # the rules of the API for a part of a row; raises AppError
_PERSON_COLUMNS = {"users": ["email"], "customers": ["email", "customer_id"], "inbound_mails": ["sender"]}
REMEMBERED = ("users", "teams", "customers", "articles")  # files whose rows may be here under another id
TAKEN = "Another row of this company has the same id, number, address or key already."


@dataclass
class Tally:
    """What became of rows. `errors` says why rows were refused, the first 200 reasons."""

    created: int = 0
    skipped: int = 0
    rejected: int = 0
    renumbered: int = 0
    errors: list[Row] = field(default_factory=list)

    def refuse(self, name: str, line: int, reason: Refused) -> None:
        """Counts a row that cannot be taken."""
        self.rejected += 1
        self.tell(f"{name}.jsonl", line, reason.field, str(reason))

    def tell(self, file: str, line: int, column: str, message: str) -> None:
        """Says what is wrong with a part of the file."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"file": file[:200], "line": line, "field": column[:100], "message": message[:500]})


@dataclass(frozen=True)
class Arrivals:
    """Adds the rows of an import to a company. `roles` may be granted; `checks` has the rules of the API by file.

    `marks` tell who was erased here.
    """

    ids: Ids
    roles: Sequence[str]
    checks: Mapping[str, Check]
    marks: ErasureMarks

    def add(self, uow: UnitOfWork, name: str, lines: Sequence[Line], tally: Tally) -> None:
        """Adds the rows of a page that are not here. A row that is refused changes nothing."""
        ready: list[Line] = []
        for line, row in self.new(uow, name, lines, tally):
            try:
                ready.append((line, self._adapted(uow, name, row)))
            except Refused as reason:
                tally.refuse(name, line, reason)
        if ready:
            self._insert(uow, name, ready, tally)

    def new(self, uow: UnitOfWork, name: str, lines: Sequence[Line], tally: Tally) -> list[Line]:
        """The rows that are not here, with the ids of this company. The others are counted."""
        here = self.ids.here(uow, name, [row["id"] for _, row in lines])
        rest, seen = [], set(here)
        for line, row in lines:
            if row["id"] in seen:
                tally.skipped += 1
            else:
                rest.append((line, row))
            seen.add(row["id"])
        matches = self.match(uow, name, rest, tally)
        tally.skipped += sum(match != "" for match in matches.values())
        unmatched = [(line, row) for line, row in rest if row["id"] not in matches]
        targets, result = Targets(uow, self.ids, name, [row for _, row in unmatched]), []
        for line, row in unmatched:
            try:
                result.append((line, targets.resolve(row)))
            except Refused as reason:
                tally.refuse(name, line, reason)
        return result

    def match(self, uow: UnitOfWork, name: str, lines: Sequence[Line], tally: Tally) -> dict[str, str]:
        """Maps the id of a row in the file to that of the same customer, person, article … of the company.

        A row that was refused has "". The matches are kept in `ids.aliases`; the rows of the company stay as they are.
        """
        matches: dict[str, str] = {}
        candidates = _alike(uow, name, [row for _, row in lines])
        erased = erased_people.fields_of_erased(uow, self.marks, lines, _PERSON_COLUMNS.get(name, ()))
        for line, row in lines:
            try:
                if line in erased and row.get("role", "customer") == "customer":
                    raise Refused(erased[line], erased_people.ERASED_HERE)
                match = _match(uow, name, row, candidates)
            except Refused as reason:
                tally.refuse(name, line, reason)
                matches[row["id"]] = ""
                continue
            if match:
                matches[row["id"]] = self.ids.aliases[name][row["id"]] = match
        return matches

    def _adapted(self, uow: UnitOfWork, name: str, row: Row) -> Row:
        """The row as it is stored here. Raises Refused."""
        try:
            if name == "users":
                return self._person(row)
            if name == "teams":
                return _team(uow, row)
            if name == "routing_rules":
                return rules.checked(uow, row)
            if name == "macros":
                return {**row, "changes": dict(self.checks["macros"](row["changes"])) if row["changes"] else {}}
            if name == "views":
                self.checks["views"](row["filter"])
        except AppError as error:
            if error.status >= 500:
                raise
            first = error.errors[0].field if error.errors else ""
            raise Refused(first, error.message) from None
        if name == "tickets":
            return {**row, "links": [], "merged_into": ""}
        return {**row, "idle_due_at": None, "warned": False} if name == "conversations" else row

    def _person(self, row: Row) -> Row:
        if row["role"] not in self.roles:
            raise Refused("role", f"You may not grant the role {row['role']}.")
        return {**row, "disabled": True}

    def _insert(self, uow: UnitOfWork, name: str, lines: Sequence[Line], tally: Tally) -> None:
        rows = [row for _, row in lines]
        if name == "tickets":
            transferred.settle(uow, rows)
            tally.renumbered += transferred.number(uow, rows)
        try:
            with uow.attempt():
                _put(uow, name, rows)
            tally.created += len(rows)
        except IntegrityError:
            self._insert_singly(uow, name, lines, tally)
        if name == "teams":
            plan.renew(uow)

    def _insert_singly(self, uow: UnitOfWork, name: str, lines: Sequence[Line], tally: Tally) -> None:
        for line, row in lines:
            try:
                with uow.attempt():
                    _put(uow, name, [row])
                tally.created += 1
            except IntegrityError:
                tally.refuse(name, line, Refused("", TAKEN))


def _put(uow: UnitOfWork, name: str, rows: Sequence[Row]) -> None:
    if name == "tickets":
        transferred.insert(uow, rows)
    elif name == "routing_rules":
        rules.move_in(uow, rows)
    else:
        uow.insert_many(TABLES[name], rows)


def _team(uow: UnitOfWork, row: Row) -> Row:
    if not teams.is_key(row["key"]):
        raise Refused("key", "key must be a letter and then letters a to z, digits and _, like night_shift.")
    if uow.count(uow.query(teams_table)) >= teams.MOST_TEAMS:
        raise Refused("", f"A company may have at most {teams.MOST_TEAMS} teams.")
    return {**row, "id": teams.id_of_built_in(uow.actor.company_id, row["key"])} if row["key"] in TEAMS else row


def _alike(uow: UnitOfWork, name: str, rows: Sequence[Row]) -> list[Row]:
    """The rows of the company with the address, customer id, key or source of a row of the file."""
    if not rows:
        return []
    if name == "users":
        return uow.find(uow.query(users).where(users.c.email.in_(_texts(rows, "email"))))
    if name == "customers":
        c = customers.c
        is_alike = or_(c.email.in_(_texts(rows, "email")), c.customer_id.in_(_texts(rows, "customer_id")))
        return uow.find(uow.query(customers).where(is_alike))
    if name == "articles":
        return uow.find(uow.query(articles).where(articles.c.source.in_(_texts(rows, "source"))))
    if name == "notice_texts":
        return uow.find(uow.query(notice_texts))
    return uow.find(uow.query(teams_table)) if name == "teams" else []


def _texts(rows: Iterable[Row], column: str) -> list[str]:
    return [row[column] for row in rows if row[column]]


def _match(uow: UnitOfWork, name: str, row: Row, candidates: Sequence[Row]) -> str:
    """The id of the row of the company for the same thing, "" for none. Raises Refused when there are several."""
    if name == "customers":
        return _same_customer(row, candidates)
    columns = {"users": ["email"], "articles": ["source"], "teams": ["key"], "notice_texts": ["kind", "language"]}
    if name not in columns or not row[columns[name][0]]:
        return ""
    key = [row[column] for column in columns[name]]
    return next((one["id"] for one in candidates if [one[column] for column in columns[name]] == key), "")


def _same_customer(row: Row, candidates: Sequence[Row]) -> str:
    identity = {name: row[name] for name in ("email", "customer_id") if row[name]}
    alike = [one for one in candidates if any(one[name] == value for name, value in identity.items())]
    if len(alike) > 1 or any(one[name] not in ("", value) for one in alike for name, value in identity.items()):
        raise Refused("customer_id", "The e-mail address and the customer id belong to different customers here.")
    return str(alike[0]["id"]) if alike else ""
