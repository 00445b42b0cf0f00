"""The company's settings over HTTP."""

from marshmallow import Schema

from api import shapes
from api.envelope import Answer
from api.fields import Choice, Number, Yes
from api.noun import Noun
from permissions import Permission
from services import settings
from storage import Desk, Row

blp = Noun("settings", __name__, description="What a company can change at run time.")


class SettingsOut(Schema):
    """Every setting."""

    ai_enabled = shapes.flag(settings.SETTINGS["ai_enabled"].about)
    ai_triage = shapes.word(settings.AI_TRIAGE, settings.SETTINGS["ai_triage"].about)
    retention_days = shapes.whole(settings.SETTINGS["retention_days"].about)


class SettingsChanges(Schema):
    """Settings to change; what is left out stays."""

    ai_enabled = Yes(about=settings.SETTINGS["ai_enabled"].about)
    ai_triage = Choice(settings.AI_TRIAGE, about=settings.SETTINGS["ai_triage"].about)
    retention_days = Number(0, settings.MOST_RETENTION_DAYS, about=settings.SETTINGS["retention_days"].about)


@blp.get("/api/settings", "GetSettings", may=Permission.SETTINGS_READ, gives=SettingsOut)
def get_settings(desk: Desk) -> Answer:
    """Get the settings.

    Every setting of your company.
    """
    return Answer(settings.current(desk), "Settings.")


@blp.put("/api/settings", "UpdateSettings", may=Permission.SETTINGS_WRITE, body=SettingsChanges, gives=SettingsOut)
def update_settings(desk: Desk, body: Row) -> Answer:
    """Change the settings.

    Changes the settings that are given; they hold from the next ticket on.
    """
    return Answer(settings.change(desk, body), "The settings are saved.")
