"""How a person signs in at the pages. Every test and every picture goes through `sign_in`."""

import json

from playwright.sync_api import Page

from tools.screenshots.desk import Desk, Person

# Where web/app/session.js keeps the credentials of a tab. Any file of the server opens that storage; this one runs nothing.
STORE = "(text) => sessionStorage.setItem('foyer.credentials', text)"
PLACE = "/assets/icon.svg"


def sign_in(page: Page, desk: Desk, person: Person) -> None:
    """Signs a person in for this tab, as the form does: with tokens. What was open is left."""
    tokens = desk.log_in(person)
    page.goto(desk.url + PLACE)
    page.evaluate(STORE, json.dumps({"access": tokens["access_token"], "refresh": tokens["refresh_token"]}))
