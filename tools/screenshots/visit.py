"""How a person opens a page. Every test and every picture goes through `sign_in`."""

import json

from playwright.sync_api import Page

from tools.screenshots import pages
from tools.screenshots.desk import Desk, Person

# Where web/app/session.js keeps the credentials of a tab. Any file of the server opens that storage; this one runs nothing.
STORE = "(text) => sessionStorage.setItem('foyer.credentials', text)"
PLACE = "/assets/icon.svg"
COMPLETE = "() => !document.querySelector('[aria-busy=true]')"


def sign_in(page: Page, desk: Desk, person: Person) -> None:
    """Signs a person in for this tab, as the form does: with tokens. What was open is left."""
    tokens = desk.log_in(person)
    page.goto(desk.url + PLACE)
    page.evaluate(STORE, json.dumps({"access": tokens["access_token"], "refresh": tokens["refresh_token"]}))


def visit(page: Page, desk: Desk, listed: pages.Page) -> None:
    """Opens a page of the list as the one whom it is made for, and waits until it shows everything."""
    if listed.role:
        sign_in(page, desk, desk.person(listed.role))
    page.goto(desk.url + listed.path_for(desk))
    page.locator(listed.ready).first.wait_for()
    page.wait_for_function(COMPLETE)
