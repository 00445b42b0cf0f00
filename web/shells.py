"""The pages of the console: one shell of HTML, filled by the modules of each page.

A shell holds no data. Its modules ask /api for everything, with the credentials of whoever uses them.
"""

import json
from functools import cache
from typing import NamedTuple

from web.assets import HERE, Build, build


class Shell(NamedTuple):
    """One page: its title, its first module and its styles, by their paths in the folder of assets."""

    title: str
    module: str
    styles: tuple[str, ...]


BASE = ("styles/tokens.css", "styles/base.css", "styles/parts.css")
SHELLS = {
    "home": Shell("Foyer", "app/home/main.js", (*BASE, "styles/home.css")),
    "desk": Shell("Desk", "app/desk/main.js", (*BASE, "styles/desk.css")),
    "admin": Shell(
        "Admin", "app/admin/main.js", (*BASE, "styles/charts.css", "styles/dashboard.css", "styles/admin.css")
    ),
    "portal": Shell("Help", "app/portal/main.js", (*BASE, "styles/portal.css")),
    "accept": Shell("Accept the invitation", "app/account/accept.js", BASE),
    "reset": Shell("Set a new password", "app/account/reset.js", BASE),
    "confirm": Shell("Confirm your e-mail address", "app/account/confirm.js", BASE),
    "rate": Shell("How was our help?", "app/account/rate.js", BASE),
    "chat": Shell("Chat", "app/chat/main.js", (*BASE, "styles/chat.css")),
}


@cache
def shell(name: str) -> str:
    """The HTML of a page. Raises KeyError for an unknown name."""
    page, files = SHELLS[name], build()
    text = (HERE / "shell.html").read_text("utf-8")
    values = {
        "name": name,
        "title": page.title,
        "styles": _styles(files, page.styles),
        "modules": _modules(files, page),
    }
    for place, value in values.items():
        text = text.replace("{{" + place + "}}", value)
    return text


def manifest() -> str:
    """What makes the desk installable: its name, colours and icon."""
    return json.dumps(
        {
            "name": "Foyer",
            "short_name": "Foyer",
            "start_url": "/desk",
            "scope": "/",
            "display": "standalone",
            "background_color": "#faf7f1",
            "theme_color": "#0f5c55",
            "icons": [{"src": "/assets/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        }
    )


def _styles(files: Build, paths: tuple[str, ...]) -> str:
    return "\n".join(f'  <link rel="stylesheet" href="{files.url(path)}">' for path in paths)


def _modules(files: Build, page: Shell) -> str:
    first, *others = files.modules_of(page.module)
    ahead = "\n".join(f'  <link rel="modulepreload" href="{files.url(path)}">' for path in others)
    return f'  <script type="module" src="{files.url(first)}"></script>\n{ahead}'
