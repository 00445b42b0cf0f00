"""The linter of the connector: reads a folder and holds it to every rule. It prints and writes nothing."""

import json
from pathlib import Path
from typing import Any

from tools.connector_files import DEFINITION, ICON, PROPERTIES, SETTINGS
from tools.connector_rules import RULES, Connector, Finding

FORM = "FormNotValid"
# While one of these is broken, all others would only complain about the consequences.
FIRST = ("FileNotReadable", "SwaggerVersionNotSupported")


def lint_folder(folder: Path) -> list[Finding]:
    """What is wrong with the connector's files in this folder; [] when nothing is."""
    return lint(read(folder))


def lint(connector: Connector) -> list[Finding]:
    """What is wrong with this connector, rule by rule."""
    for name in FIRST:
        if found := _said(connector, [name]):
            return found
    return _said(connector, [name for name in RULES if name not in FIRST])


def read(folder: Path) -> Connector:
    """The files of the folder, with why one cannot be read."""
    unreadable: dict[str, str] = {}
    found = {name: _bytes(folder / name, unreadable) for name in (DEFINITION, PROPERTIES, SETTINGS, ICON)}
    return Connector(
        definition=_json(DEFINITION, found, unreadable),
        properties=_json(PROPERTIES, found, unreadable),
        settings=_json(SETTINGS, found, unreadable),
        icon=found[ICON],
        size=len(found[DEFINITION]),
        unreadable=unreadable,
    )


def _said(connector: Connector, names: list[str]) -> list[Finding]:
    found: list[Finding] = []
    for name in names:
        try:
            found += [Finding(name, where, sentence) for where, sentence in RULES[name](connector)]
        except (AttributeError, TypeError, LookupError, ValueError) as error:
            # Rules take the form of the files for granted: a list where an object belongs stops them.
            found.append(Finding(FORM, "files", f"a file is not of the right form to decide {name} ({error})."))
    return found


def _bytes(file: Path, unreadable: dict[str, str]) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        unreadable[file.name] = f"it cannot be read ({error.strerror})."
        return b""


def _json(name: str, found: dict[str, bytes], unreadable: dict[str, str]) -> dict[str, Any]:
    if name in unreadable:
        return {}
    try:
        content = json.loads(found[name])
    except ValueError as error:
        unreadable[name] = f"it is not JSON ({error})."
        return {}
    if not isinstance(content, dict):
        unreadable[name] = "it is not a JSON object."
        return {}
    return content
