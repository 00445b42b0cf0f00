"""How a person signs in at the pages. Every test and every picture goes through `sign_in`."""

from playwright.sync_api import Page

from tools.screenshots.desk import Person


def sign_in(page: Page, url: str, person: Person) -> None:
    """Opens the front page of the server at `url` with the person's key, which the page keeps for this tab."""
    page.goto(f"{url}/#key={person.key}")
