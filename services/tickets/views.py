"""Saved views: named filters of the list of tickets, of one person or shared with the whole company."""

from collections.abc import Callable

from core.errors import AppError, conflict, forbidden, not_found
from core.models import shape
from database.tables import users
from database.tables import views as table
from services.clearing import pop_cleared
from services.history import Change, record
from services.tickets import queries
from storage import Row, UnitOfWork

FIELDS = "id name filter sort shared own standard created_at updated_at".split()
CLEARABLE = {"sort": ""}
MOST_VIEWS = 50  # of one owner; a list shows as many of others that are shared, and the standard ones
Load = Callable[[Row], Row]  # checks a stored filter and gives the values that queries take
# The views that everybody has: id -> name, filter and order. `_standard` adds the caller to the filter of "mine".
STANDARD: dict[str, tuple[str, Row, str]] = {
    "mine": ("Mine", {"status": "open", "snoozed": "false"}, "due"),
    "unassigned": ("Unassigned", {"status": "open", "unassigned": "true", "snoozed": "false"}, "due"),
    "open": ("All open", {"status": "open"}, "due"),
    "handoff": ("Waiting for a person", {"status": "handoff"}, "waiting"),
    "due": ("Due", {"status": "open", "sla_status": "at_risk,breached"}, "due"),
    "snoozed": ("Snoozed", {"snoozed": "true"}, "due"),
    "resolved": ("Resolved", {"status": "resolved"}, "-updated_at"),
}


def _owner(uow: UnitOfWork) -> str:
    """The owner of this caller's views: the user, else the key."""
    return uow.actor.user_id or uow.actor.key_id


def view_shape(uow: UnitOfWork, view: Row) -> Row:
    """The public fields of a view."""
    return shape({**view, "own": view["owner"] == _owner(uow), "standard": view["id"] in STANDARD}, FIELDS)


def _standard(uow: UnitOfWork, view_id: str) -> Row:
    name, filters, order = STANDARD[view_id]
    if view_id == "mine":
        filters = {**filters, "assigned_to": _assignee_name(uow)}
    never = {"created_at": None, "updated_at": None}
    return {"id": view_id, "name": name, "filter": filters, "sort": order, "shared": True, "owner": "", **never}


def _assignee_name(uow: UnitOfWork) -> str:
    """The value of `assigned_to` in tickets of the caller: the address of a user, the name of a key."""
    user = uow.get(users, uow.actor.user_id) if uow.actor.user_id else None
    return str(user["email"]) if user else uow.actor.name


def get(uow: UnitOfWork, view_id: str, *, lock: bool = False) -> Row:
    """A view that is shared, the caller's own or a standard one. Raises AppError 404.

    `lock` is for a change. A standard view has no row, so it cannot be changed: 404.
    """
    if view_id in STANDARD and not lock:
        return _standard(uow, view_id)
    view = uow.get(table, view_id, lock=lock)
    if view is None or not (view["shared"] or view["owner"] == _owner(uow)):
        raise not_found()
    return view


def get_to_change(uow: UnitOfWork, view_id: str) -> Row:
    """A view that the caller may change: their own, or as an admin any shared one. Raises AppError 403, 404."""
    view = get(uow, view_id, lock=True)
    if view["owner"] != _owner(uow) and uow.actor.role != "admin":
        raise forbidden("Only whoever saved this view, or an admin, may change it.")
    return view


def find(uow: UnitOfWork, load: Load, *, standard: bool = False) -> list[Row]:
    """The caller's views and the shared ones, by name, each with the number of its tickets (`count`).

    With `standard` those that everybody has come first. A view whose filter is no longer valid has no count.
    """
    owner, by_name = _owner(uow), (table.c.name, table.c.id)
    own = uow.find(uow.query(table).where(table.c.owner == owner).order_by(*by_name).limit(MOST_VIEWS))
    others = uow.query(table).where(table.c.shared, table.c.owner != owner)
    rows = [*own, *uow.find(others.order_by(*by_name).limit(MOST_VIEWS))]
    shapes = [view_shape(uow, row) | _count(uow, row, load) for row in rows]
    shapes.sort(key=lambda view: (view["name"], view["id"]))
    first = [_standard(uow, view_id) for view_id in STANDARD] if standard else []
    return [view_shape(uow, row) | _count(uow, row, load) for row in first] + shapes


def _count(uow: UnitOfWork, view: Row, load: Load) -> Row:
    try:
        return {"count": queries.count(uow, load(view["filter"]))}
    except AppError:
        return {}


def create(uow: UnitOfWork, fields: Row) -> Row:
    """Adds a view of the caller. Raises AppError 409 when there are too many."""
    owner = _owner(uow)
    if uow.count(uow.query(table).where(table.c.owner == owner)) >= MOST_VIEWS:
        raise conflict("too_many_views", f"You have {MOST_VIEWS} views, which is the most. Delete one first.")
    view = uow.insert(table, {**fields, "owner": owner, "created_at": uow.now, "updated_at": uow.now})
    record(uow, view["id"], [Change("created", "name", "", view["name"])], subject="view")
    return view


def update(uow: UnitOfWork, view_id: str, fields: Row) -> Row:
    """Changes the given fields and empties those in `clear`. Raises AppError 400, 403, 404."""
    fields = fields | pop_cleared(fields, CLEARABLE)
    view = get_to_change(uow, view_id)
    changed = [Change("changed", name, view[name], value) for name, value in fields.items() if view[name] != value]
    record(uow, view_id, changed, subject="view")
    return uow.update(table, view_id, {**fields, "updated_at": uow.now}) or view


def remove(uow: UnitOfWork, view_id: str) -> None:
    """Deletes a view. Raises AppError 403, 404."""
    view = get_to_change(uow, view_id)
    uow.delete(table, table.c.id == view_id)
    record(uow, view_id, [Change("deleted", "name", view["name"], "")], subject="view")


def apply(uow: UnitOfWork, query: Row, load: Load) -> Row:
    """The query with the filters and the order of the view that it names. The query's own values win."""
    view = get(uow, query["view"])
    order = {"sort": view["sort"]} if view["sort"] else {}
    own = {name: value for name, value in query.items() if name != "view"}
    return {**load(view["filter"]), **order, **own}
