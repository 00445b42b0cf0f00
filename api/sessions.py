"""A person's own sessions over HTTP: where they are signed in, and ending that."""

from flask import g
from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery
from api.http.envelope import Answer, how_many
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.permissions import Permission
from services.accounts import own_sessions
from storage import Row

blp = Resource("sessions", __name__, description="Where you are signed in.")


class DeviceSession(Schema):
    """A device that somebody is signed in on."""

    device = schemas.text("Browser and system, like Firefox on Windows.")
    remember = schemas.flag("Whether it stays signed in for 30 days without a call.")
    created_at = schemas.moment("When it began.", required=True)
    last_used_at = schemas.moment("When it last got new tokens, every 15 minutes of use.", required=True)
    expires_at = schemas.moment("When it ends without a call.", required=True)


class Session(DeviceSession):
    """A session of yours."""

    id = schemas.text("Id of the session.")
    current = schemas.flag("Whether it is the one of this call.")


class EndedSessions(Schema):
    """How many sessions were ended."""

    ended = schemas.integer("How many other sessions were ended.")


@blp.get(
    "/api/auth/sessions",
    "ListSessions",
    permission=Permission.ACCOUNT,
    query=PageQuery,
    response=Session,
    many=True,
    manages_transactions=True,
)
def list_sessions(query: Row) -> Answer:
    """List my sessions.

    The devices on which you are signed in, the newest first. A key has none.
    """
    rows, total = own_sessions.find(current_runtime().storage, g.actor, limit=query["limit"], offset=query["offset"])
    return Answer(rows, how_many(total, "session"), page=(total, query["limit"], query["offset"]))


@blp.delete(
    "/api/auth/sessions",
    "EndOtherSessions",
    permission=Permission.ACCOUNT,
    response=EndedSessions,
    manages_transactions=True,
)
def end_other_sessions() -> Answer:
    """End my other sessions.

    Signs you out on every other device, at once.
    """
    count = own_sessions.end_others(current_runtime().storage, g.actor)
    return Answer({"ended": count}, how_many(count, "other session") + " You stay signed in here.")


@blp.delete(
    "/api/auth/sessions/<session_id>",
    "EndSession",
    permission=Permission.ACCOUNT,
    response=schemas.Deleted,
    manages_transactions=True,
)
def end_session(session_id: str) -> Answer:
    """End a session.

    Signs you out on that device, at once; it may be this one.
    """
    own_sessions.end(current_runtime().storage, g.actor, session_id)
    is_own = session_id == g.actor.session_id
    return Answer({"deleted": True}, "You are signed out here." if is_own else "That device is signed out.")
