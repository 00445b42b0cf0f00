"""Input schemas shared by many routes: page of a list, repeatable POST."""

from marshmallow import Schema

from api.http.fields import Id, Number
from core.models import LIMITS


class Repeatable(Schema):
    """A POST with an optional id that makes it safe to repeat."""

    client_reference = Id(LIMITS["key"], about="Your own id of this call; sent again, it is done once.")


class PageQuery(Schema):
    """Which page of a list."""

    limit = Number(1, 200, load_default=50, about="How many at most.")
    offset = Number(0, 10**9, load_default=0, about="How many to skip.")
