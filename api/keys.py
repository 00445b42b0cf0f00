"""API keys over HTTP: a key itself is shown once, when it is made."""

from marshmallow import Schema

from api.http import gate, schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Moment, Text, Words
from api.http.resource import Resource
from core import models
from core.models import LIMITS
from core.permissions import SCOPES, Permission
from services.accounts import api_keys
from storage import Row, UnitOfWork

blp = Resource("keys", __name__, description="Keys for apps and scripts.")


class Key(Schema):
    """A key, without the key."""

    id = schemas.text("Id of the key.")
    name = schemas.text("Name.")
    prefix = schemas.text("How the key begins, to tell it from others.")
    role = schemas.word(models.ROLES, "What it may do.")
    scopes = schemas.texts("What it is narrowed to, and whether it acts for customers.")
    expires_at = schemas.moment("When it ends.")
    last_used_at = schemas.moment("When it was last used, to about ten minutes.")
    created_at = schemas.moment("When it was made.", required=True)


class NewKeyOut(Key):
    """A key that was just made."""

    key = schemas.text("The key. It is shown only now.")


class NewKey(Repeatable):
    """A key to make."""

    name = Text(LIMITS["name"], required=True, about="Name, such as the app that uses it.")
    role = Choice(models.ROLES, required=True, about="admin, agent or customer.")
    scopes = Words(
        len(SCOPES),
        Choice(SCOPES, about="One of them."),
        load_default=[],
        about="act_for_customers to act for customers; read_only for a key that changes nothing; permissions to narrow the "
        "key to them.",
    )
    expires_at = Moment(about="When it ends; when not given, with the key you use, and never if that does not end.")


class RotateKey(Repeatable):
    """Rotating takes nothing but a reference."""


@blp.get("/api/keys", "ListKeys", permission=Permission.KEYS_READ, query=PageQuery, response=Key, many=True)
def list_keys(uow: UnitOfWork, query: Row) -> Answer:
    """List the keys.

    The keys of your company, the newest first.
    """
    rows, total = api_keys.find(uow, limit=query["limit"], offset=query["offset"])
    data = [api_keys.key_shape(row) for row in rows]
    return Answer(data, how_many(total, "key"), page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/keys", "CreateKey", permission=Permission.KEYS_WRITE, body=NewKey, response=NewKeyOut, status=201, secret=True
)
def create_key(uow: UnitOfWork, body: Row) -> Answer:
    """Make a key.

    The answer holds the key, this once; keep it where nobody reads it.
    """
    gate.check_can_grant(body["role"], tuple(body["scopes"]))
    row, key = api_keys.create(uow, body)
    return Answer({**api_keys.key_shape(row), "key": key}, "The key is made. It is shown only this once.", 201)


@blp.post(
    "/api/keys/<key_id>/rotate",
    "RotateKey",
    permission=Permission.KEYS_WRITE,
    body=RotateKey,
    response=NewKeyOut,
    status=201,
    secret=True,
)
def rotate_key(uow: UnitOfWork, key_id: str, body: Row) -> Answer:
    """Rotate a key.

    Makes a new key like it; the old one goes on working for 24 hours. The new one ends no later than the key you use.
    """
    old_key = api_keys.get(uow, key_id)
    gate.check_can_grant(old_key["role"], tuple(old_key["scopes"]))
    row, key = api_keys.rotate(uow, key_id)
    return Answer(
        {**api_keys.key_shape(row), "key": key}, "Here is the new key. The old one works for a day more.", 201
    )


@blp.delete("/api/keys/<key_id>", "RevokeKey", permission=Permission.KEYS_WRITE, response=schemas.Deleted)
def revoke_key(uow: UnitOfWork, key_id: str) -> Answer:
    """Revoke a key.

    It stops working with the next request.
    """
    old_key = api_keys.get(uow, key_id)
    gate.check_can_grant(old_key["role"], tuple(old_key["scopes"]))
    api_keys.revoke(uow, key_id)
    return Answer({"deleted": True}, "The key is revoked.")
