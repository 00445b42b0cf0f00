"""Tombstones over HTTP: what was deleted or erased, for a copy elsewhere that follows by `updated_since`."""

from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery
from api.http.envelope import Answer, how_many
from api.http.fields import Choices, Moment
from api.http.resource import Resource
from core.permissions import Permission
from services import tombstones
from storage import Row, UnitOfWork

blp = Resource("tombstones", __name__, description="What is gone.")


class TombstoneQuery(PageQuery):
    """What is gone since when."""

    updated_since = Moment(about="Gone at this time or later.")
    kind = Choices(tombstones.KINDS, about="Only these kinds, several with commas between.")


class Tombstone(Schema):
    """Something that was deleted or erased."""

    id = schemas.text("Id of what is gone.")
    kind = schemas.word(tuple(tombstones.KINDS), "What it was.")
    reason = schemas.word(
        tombstones.REASONS,
        "deleted: it is not there any more. erased: what named a person is gone; a ticket is still there.",
    )
    removed_at = schemas.moment("When.", required=True)


@blp.get(
    "/api/tombstones",
    "ListTombstones",
    permission=Permission.HISTORY_READ,
    query=TombstoneQuery,
    response=Tombstone,
    many=True,
)
def list_tombstones(uow: UnitOfWork, query: Row) -> Answer:
    """List what is gone.

    What was deleted or erased since a time, oldest first. A copy of your data elsewhere follows with this list and with
    `updated_since` of the lists. Remember the newest `removed_at`, and ask from there on.
    """
    rows, total = tombstones.find(
        uow,
        since=query.get("updated_since", ""),
        kinds=query.get("kind", tombstones.KINDS),
        limit=query["limit"],
        offset=query["offset"],
    )
    return Answer(rows, how_many(total, "thing"), page=(total, query["limit"], query["offset"]))
