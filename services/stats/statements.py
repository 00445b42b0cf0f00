"""The place of a selection, its team and agent, as parameters of a statement. Only reads."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.sql.elements import ColumnElement

from services.prepared_statements import text
from services.stats.period import Selection


def place(query: Select[Any], selection: Selection, team: ColumnElement[str], agent: ColumnElement[str]) -> Select[Any]:
    """The query limited to the parameters `team` and `agent`, where the selection has them."""
    if selection.team:
        query = query.where(team == text("team"))
    return query.where(agent == text("agent")) if selection.agent else query


def place_values(selection: Selection) -> dict[str, str]:
    """The values of the parameters of `place`."""
    named = {"team": selection.team, "agent": selection.agent}
    return {name: value for name, value in named.items() if value}
