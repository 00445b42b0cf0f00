"""The users of a company over HTTP."""

from typing import Any

from marshmallow import Schema, post_load

from api.http import gate, schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Email, Number, Password, TeamName, Text, Words, Yes
from api.http.resource import Resource
from auth import passwords
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import users
from storage import Row, UnitOfWork

blp = Resource("users", __name__, description="The people who sign in.")


class User(Schema):
    """A person who signs in."""

    id = schemas.text("Id of the person.")
    name = schemas.text("Name.")
    email = schemas.text("E-mail address they sign in with.")
    role = schemas.word(models.ROLES, "What they are.")
    team = schemas.text("Team, for automatic assignment.")
    available = schemas.flag("Whether tickets may be assigned to them automatically.")
    capacity = schemas.integer("Open tickets up to which tickets are assigned automatically.", required=False)
    disabled = schemas.flag("Whether they are kept out.")
    second_factor = schemas.flag("Whether they sign in with a second factor.")
    invited_at = schemas.moment("When they were invited, until they accept; they cannot sign in before.")
    created_at = schemas.moment("When they were added.", required=True)


class UserChanges(Schema):
    """What can be said about a person."""

    name = Text(LIMITS["name"], about="Name.")
    email = Email(about="E-mail address to sign in with; one person's only.")
    role = Choice(models.ROLES, about="admin, agent or customer.")
    team = TeamName(about="Team, for automatic assignment.")
    available = Yes(about="Whether tickets may be assigned to them automatically.")
    capacity = Number(
        0,
        models.MOST_CAPACITY,
        about="Open tickets up to which tickets are assigned automatically; unlimited without it.",
    )
    disabled = Yes(about="true: kept out from the next request on.")
    clear = Words(
        len(users.CLEARABLE),
        Choice(tuple(users.CLEARABLE)),
        about="team: belongs to none any more; capacity: unlimited.",
    )
    password = Password(about="Password; at least 8 characters.")

    @post_load
    def _hash(self, body: Row, **_: Any) -> Row:
        """Of a password only its hash goes on, made here: before anything is locked."""
        password: Any = body.pop("password", "")
        if password:
            body["password_hash"] = passwords.hashed(passwords.check(password, email=body.get("email", "")))
        return body


class NewUser(UserChanges, Repeatable):
    """A person to add."""

    class Meta:
        exclude = ("disabled", "clear")

    name = Text(LIMITS["name"], required=True, about="Name.")
    email = Email(required=True, about="E-mail address to sign in with; one person's only.")
    role = Choice(models.ROLES, required=True, about="admin, agent or customer.")


@blp.get("/api/users", "ListUsers", permission=Permission.USERS_READ, query=PageQuery, response=User, many=True)
def list_users(uow: UnitOfWork, query: Row) -> Answer:
    """List the people.

    Everybody of your company who signs in, by name.
    """
    rows, total = users.find(uow, limit=query["limit"], offset=query["offset"])
    data = [users.user_shape(row) for row in rows]
    return Answer(data, how_many(total, "person", "people"), page=(total, query["limit"], query["offset"]))


@blp.post("/api/users", "CreateUser", permission=Permission.USERS_WRITE, body=NewUser, response=User, status=201)
def create_user(uow: UnitOfWork, body: Row) -> Answer:
    """Add a person.

    Adds an admin, agent or customer of your company; with a password they can sign in at once.
    """
    gate.check_can_grant(body["role"])
    user = users.create(uow, body)
    return Answer(users.user_shape(user), f"{user['name']} is added.", 201)


@blp.patch("/api/users/<user_id>", "UpdateUser", permission=Permission.USERS_WRITE, body=UserChanges, response=User)
def update_user(uow: UnitOfWork, user_id: str, body: Row) -> Answer:
    """Change a person.

    Changes what is given. A new role or a disabled account holds from the next request on; a new password signs them out.
    """
    user = users.get(uow, user_id)
    gate.check_can_grant(user["role"])  # whoever is more than you is not yours to change
    gate.check_can_grant(body.get("role") or user["role"])
    user = users.change(uow, user_id, body)
    return Answer(users.user_shape(user), f"{user['name'] or user['email']} is saved.")


@blp.delete("/api/users/<user_id>", "DeleteUser", permission=Permission.USERS_WRITE, response=schemas.Deleted)
def delete_user(uow: UnitOfWork, user_id: str) -> Answer:
    """Delete a person.

    They are signed out and gone; what they did stays.
    """
    gate.check_can_grant(users.get(uow, user_id)["role"])
    users.remove(uow, user_id)
    return Answer({"deleted": True}, "The person is deleted.")
