"""API keys over HTTP: a key itself is shown once, when it is made."""

from marshmallow import Schema

import models
from api import gate, shapes
from api.envelope import Answer, how_many
from api.fields import Choice, Moment, Text, Words
from api.inputs import PageQuery, Repeatable
from api.noun import Noun
from models import LIMITS
from permissions import SCOPES, Permission
from services import keys
from storage import Desk, Row

blp = Noun("keys", __name__, description="Keys for apps and scripts.")


class Key(Schema):
    """A key, without the key."""

    id = shapes.text("Id of the key.")
    name = shapes.text("Name.")
    prefix = shapes.text("How the key begins, to tell it from others.")
    role = shapes.word(models.ROLES, "What it may do.")
    scopes = shapes.texts("What it is narrowed to, and whether it acts for customers.")
    expires_at = shapes.moment("When it ends.")
    last_used_at = shapes.moment("When it was last used, to about ten minutes.")
    created_at = shapes.moment("When it was made.", required=True)


class NewKeyOut(Key):
    """A key that was just made."""

    key = shapes.text("The key. It is shown only now.")


class NewKey(Repeatable):
    """A key to make."""

    name = Text(LIMITS["name"], required=True, about="Name, such as the app that uses it.")
    role = Choice(models.ROLES, required=True, about="admin, agent or customer.")
    scopes = Words(
        len(SCOPES),
        Choice(SCOPES, about="One of them."),
        load_default=[],
        about="act_for_customers to act for customers; permissions to narrow the key to them.",
    )
    expires_at = Moment(about="When it ends; when not given, with the key you use, and never if that does not end.")


class RotateKey(Repeatable):
    """Rotating takes nothing but a reference."""


@blp.get("/api/keys", "ListKeys", may=Permission.KEYS_READ, query=PageQuery, gives=Key, many=True)
def list_keys(desk: Desk, query: Row) -> Answer:
    """List the keys.

    The keys of your company, the newest first.
    """
    rows, total = keys.find(desk, limit=query["limit"], offset=query["offset"])
    data = [keys.key_shape(row) for row in rows]
    return Answer(data, how_many(total, "key"), page=(total, query["limit"], query["offset"]))


@blp.post("/api/keys", "CreateKey", may=Permission.KEYS_WRITE, body=NewKey, gives=NewKeyOut, status=201, secret=True)
def create_key(desk: Desk, body: Row) -> Answer:
    """Make a key.

    The answer holds the key, this once; keep it where nobody reads it.
    """
    gate.check_gift(body["role"], tuple(body["scopes"]))
    row, key = keys.make(desk, body)
    return Answer({**keys.key_shape(row), "key": key}, "The key is made. It is shown only this once.", 201)


@blp.post(
    "/api/keys/<key_id>/rotate",
    "RotateKey",
    may=Permission.KEYS_WRITE,
    body=RotateKey,
    gives=NewKeyOut,
    status=201,
    secret=True,
)
def rotate_key(desk: Desk, key_id: str, body: Row) -> Answer:
    """Rotate a key.

    Makes a new key like it; the old one goes on working for 24 hours. The new one ends no later than the key you use.
    """
    old = keys.get(desk, key_id)
    gate.check_gift(old["role"], tuple(old["scopes"]))
    row, key = keys.rotate(desk, key_id)
    return Answer({**keys.key_shape(row), "key": key}, "Here is the new key. The old one works for a day more.", 201)


@blp.delete("/api/keys/<key_id>", "RevokeKey", may=Permission.KEYS_WRITE, gives=shapes.Deleted)
def revoke_key(desk: Desk, key_id: str) -> Answer:
    """Revoke a key.

    It stops working with the next request.
    """
    old = keys.get(desk, key_id)
    gate.check_gift(old["role"], tuple(old["scopes"]))
    keys.revoke(desk, key_id)
    return Answer({"deleted": True}, "The key is revoked.")
