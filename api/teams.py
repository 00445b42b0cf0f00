"""Teams over HTTP."""

from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Person, Text, Words
from api.http.resource import Resource, check_echo
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.routing import teams
from storage import Row, UnitOfWork

blp = Resource("teams", __name__, description="Who takes care of which tickets.")


class TeamOut(Schema):
    """A team."""

    id = schemas.text("Id of the team.")
    key = schemas.text("What assigned_team of its tickets holds.")
    name = schemas.text("Its name.")
    members = schemas.texts("E-mail addresses of its members.")
    assignment = schemas.word(models.ASSIGNMENTS, "How its tickets are assigned automatically.")
    built_in = schemas.flag("Whether every company has it; such a team can be renamed and not deleted.")
    created_at = schemas.moment("When it was added.", required=True)
    updated_at = schemas.moment("When it was last changed.", required=True)


class TeamFields(Schema):
    """Fields of a team."""

    name = Text(LIMITS["name"], about="Its name.")
    members = Words(
        teams.MOST_MEMBERS,
        Person(LIMITS["email"]),
        about="All its members, by e-mail address. A person belongs to one team: they leave the one they were in.",
    )
    assignment = Choice(
        models.ASSIGNMENTS,
        about="least_loaded: its tickets go by themselves to free members, of a team without members to any free agent; off: "
        "nobody gets them so.",
    )


class TeamChanges(TeamFields):
    """Fields of a team to change; what is left out stays."""

    READ_ONLY = frozenset({"id", "key", "built_in", "created_at", "updated_at"})


class NewTeam(TeamFields, Repeatable):
    """A team to add."""

    name = Text(LIMITS["name"], required=True, about="Its name.")
    key = Text(teams.MOST_KEY, about="Short name in tickets, like night_shift; made of the name when not given.")


@blp.get("/api/teams", "ListTeams", permission=Permission.SETTINGS_READ, response=TeamOut, many=True)
def list_teams(uow: UnitOfWork) -> Answer:
    """List teams.

    The built-in ones and your own, with their members.
    """
    data = [teams.team_shape(team) for team in teams.find(uow)]
    return Answer(data, how_many(len(data), "team"), page=(len(data), len(data), 0))


@blp.post("/api/teams", "CreateTeam", permission=Permission.SETTINGS_WRITE, body=NewTeam, response=TeamOut, status=201)
def create_team(uow: UnitOfWork, body: Row) -> Answer:
    """Add a team.

    Tickets, rules and people can name it from now on.
    """
    return Answer(teams.team_shape(teams.create(uow, body)), "The team is added.", 201)


@blp.patch(
    "/api/teams/<team_id>", "UpdateTeam", permission=Permission.SETTINGS_WRITE, body=TeamChanges, response=TeamOut
)
def update_team(uow: UnitOfWork, team_id: str, body: Row) -> Answer:
    """Change a team.

    Changes the fields that are given and leaves the others; members are all there are then.
    """
    check_echo(teams.team_shape(teams.get(uow, team_id)))
    return Answer(teams.team_shape(teams.update(uow, team_id, body)), "The team is saved.")


@blp.delete("/api/teams/<team_id>", "DeleteTeam", permission=Permission.SETTINGS_WRITE, response=schemas.Deleted)
def delete_team(uow: UnitOfWork, team_id: str) -> Answer:
    """Delete a team.

    Refused while rules, settings or open tickets name it. Its members belong to no team then.
    """
    teams.remove(uow, team_id)
    return Answer({"deleted": True}, "The team is deleted.")
