"""Links between tickets of a company. Both tickets hold the link, each from its own side."""

from core.errors import conflict, invalid_field, not_found
from core.models import LIMITS, label
from database.tables import tickets
from services.history import Change, record
from services.tickets import changes
from storage import Row, UnitOfWork

FROM_THE_OTHER = {"caused_by": "causes", "causes": "caused_by"}  # other kinds are the same from both sides


def add(
    uow: UnitOfWork, ticket_id: str, other_id: str, kind: str, *, said_by: str = "", version: int | None = None
) -> Row:
    """Links the ticket to the other one and returns it; a link that exists stays. Raises AppError 400, 404, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    if other_id == ticket["id"]:
        raise invalid_field("ticket_id", "A ticket cannot be linked to itself.")
    other = changes.get_for_update(uow, other_id)
    if _link(other, kind) in ticket["links"]:
        return ticket
    for one in (ticket, other):
        if len(one["links"]) >= LIMITS["links"]:
            raise conflict("too_many_links", f"Ticket #{one['number']} has {LIMITS['links']} links, which is the most.")
    _add_one(uow, other, _link(ticket, FROM_THE_OTHER.get(kind, kind)), said_by=said_by)
    return _add_one(uow, ticket, _link(other, kind), said_by=said_by)


def _link(ticket: Row, kind: str) -> Row:
    return {"ticket_id": ticket["id"], "number": ticket["number"], "kind": kind}


def _add_one(uow: UnitOfWork, ticket: Row, link: Row, *, said_by: str) -> Row:
    record(uow, ticket["id"], [Change("linked", "links", "", _as_text(link))], said_by=said_by)
    return changes.write(uow, ticket, {"links": [*ticket["links"], link]}, "linked", said_by=said_by)


def _as_text(link: Row) -> str:
    return f"{label(link['kind'])} #{link['number']}"


def remove(
    uow: UnitOfWork, ticket_id: str, other_id: str, kind: str, *, said_by: str = "", version: int | None = None
) -> Row:
    """Removes the link of that kind, or with "" every link to the other ticket. Raises AppError 404, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    links = [link for link in ticket["links"] if link["ticket_id"] == other_id and kind in ("", link["kind"])]
    if not links:
        raise not_found()
    if other := uow.get(tickets, other_id, lock=True):
        kinds = {FROM_THE_OTHER.get(link["kind"], link["kind"]) for link in links}
        _remove_some(
            uow,
            other,
            [link for link in other["links"] if link["ticket_id"] == ticket["id"] and link["kind"] in kinds],
            said_by=said_by,
        )
    return _remove_some(uow, ticket, links, said_by=said_by)


def remove_all(uow: UnitOfWork, ticket: Row) -> None:
    """Removes the links that other tickets have to this one, which is being deleted."""
    for other_id in dict.fromkeys(link["ticket_id"] for link in ticket["links"]):
        if other := uow.get(tickets, other_id, lock=True):
            _remove_some(uow, other, [link for link in other["links"] if link["ticket_id"] == ticket["id"]])


def _remove_some(uow: UnitOfWork, ticket: Row, links: list[Row], *, said_by: str = "") -> Row:
    record(
        uow,
        ticket["id"],
        [Change("unlinked", "links", _as_text(link), "") for link in links],
        said_by=said_by,
    )
    remaining = [link for link in ticket["links"] if link not in links]
    return changes.write(uow, ticket, {"links": remaining}, "unlinked", said_by=said_by)
