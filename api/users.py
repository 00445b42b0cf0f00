"""The people of a company over HTTP."""

from typing import Any

from marshmallow import Schema, post_load

import models
import passwords
from api import gate, shapes
from api.envelope import Answer, how_many
from api.fields import Choice, Email, Password, Text, Words, Yes
from api.inputs import PageQuery, Repeatable
from api.noun import Noun
from models import LIMITS
from permissions import Permission
from services import people
from storage import Desk, Row

blp = Noun("users", __name__, description="The people who sign in.")


class User(Schema):
    """A person who signs in."""

    id = shapes.text("Id of the person.")
    name = shapes.text("Name.")
    email = shapes.text("E-mail address they sign in with.")
    role = shapes.word(models.ROLES, "What they are.")
    team = shapes.text("Team, for automatic assignment.")
    available = shapes.flag("Whether tickets may be assigned to them automatically.")
    disabled = shapes.flag("Whether they are kept out.")
    created_at = shapes.moment("When they were added.", required=True)


class UserChanges(Schema):
    """What can be said about a person."""

    name = Text(LIMITS["name"], about="Name.")
    email = Email(about="E-mail address to sign in with; one person's only.")
    role = Choice(models.ROLES, about="admin, agent or customer.")
    team = Choice(models.TEAMS, about="Team, for automatic assignment.")
    available = Yes(about="Whether tickets may be assigned to them automatically.")
    disabled = Yes(about="true: kept out from the next request on.")
    clear = Words(1, Choice(("team",)), about="team: belongs to none any more.")
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


@blp.get("/api/users", "ListUsers", may=Permission.USERS_READ, query=PageQuery, gives=User, many=True)
def list_users(desk: Desk, query: Row) -> Answer:
    """List the people.

    Everybody of your company who signs in, by name.
    """
    rows, total = people.find(desk, limit=query["limit"], offset=query["offset"])
    data = [people.user_shape(row) for row in rows]
    return Answer(data, how_many(total, "person", "people"), page=(total, query["limit"], query["offset"]))


@blp.post("/api/users", "CreateUser", may=Permission.USERS_WRITE, body=NewUser, gives=User, status=201)
def create_user(desk: Desk, body: Row) -> Answer:
    """Add a person.

    Adds an admin, agent or customer of your company; with a password they can sign in at once.
    """
    gate.check_gift(body["role"])
    user = people.make(desk, body)
    return Answer(people.user_shape(user), f"{user['name']} is added.", 201)


@blp.patch("/api/users/<user_id>", "UpdateUser", may=Permission.USERS_WRITE, body=UserChanges, gives=User)
def update_user(desk: Desk, user_id: str, body: Row) -> Answer:
    """Change a person.

    Changes what is given. A new role or a disabled account holds from the next request on; a new password signs them out.
    """
    user = people.get(desk, user_id)
    gate.check_gift(user["role"])  # whoever is more than you is not yours to change
    gate.check_gift(body.get("role") or user["role"])
    user = people.change(desk, user_id, body)
    return Answer(people.user_shape(user), f"{user['name'] or user['email']} is saved.")


@blp.delete("/api/users/<user_id>", "DeleteUser", may=Permission.USERS_WRITE, gives=shapes.Deleted)
def delete_user(desk: Desk, user_id: str) -> Answer:
    """Delete a person.

    They are signed out and gone; what they did stays.
    """
    gate.check_gift(people.get(desk, user_id)["role"])
    people.remove(desk, user_id)
    return Answer({"deleted": True}, "The person is deleted.")
