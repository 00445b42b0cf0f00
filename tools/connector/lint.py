"""The linter of the connector: holds a folder to Swagger's and Microsoft's JSON schemas and to our rules. It writes nothing.

Swagger's schema comes with openapi-spec-validator, Microsoft's are read from a folder where somebody has them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.connector.files import DEFINITION, ICON, PROPERTIES, SETTINGS
from tools.connector.rules import RULES, Connector

MICROSOFT = {  # of github.com/microsoft/PowerPlatformConnectors, folder schemas
    "apiDefinition.swagger.schema.json": DEFINITION,
    "paconn-apiProperties.schema.json": PROPERTIES,
    "paconn-settings.schema.json": SETTINGS,
}
LONGEST = 300


@dataclass(frozen=True)
class Finding:
    """One broken rule at one place."""

    rule: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.sentence}"


def lint_folder(folder: Path, *, schemas: Path | None = None) -> list[Finding]:
    """What is wrong with the connector's files; [] when nothing is. `schemas`: a folder with Microsoft's JSON schemas.

    Raises ModuleNotFoundError without the libraries of requirements-dev.txt.
    """
    files, findings = _read(folder)
    if schemas and not findings:
        findings = list(_not_microsofts(files, schemas))
    findings = findings or list(_not_swagger(files[DEFINITION]))
    return findings or list(_against_rules(files, (folder / DEFINITION).stat().st_size))


def _read(folder: Path) -> tuple[dict[str, Any], list[Finding]]:
    files: dict[str, Any] = {}
    findings = []
    for name in (DEFINITION, PROPERTIES, SETTINGS, ICON):
        try:
            content = (folder / name).read_bytes()
            files[name] = content if name == ICON else json.loads(content)
        except (OSError, ValueError) as error:
            findings.append(Finding("FileNotReadable", name, f"it cannot be read ({error})."))
            continue
        if name != ICON and not isinstance(files[name], dict):
            findings.append(Finding("FileNotReadable", name, "it is not a JSON object."))
    return files, findings


def _not_microsofts(files: dict[str, Any], schemas: Path) -> Iterator[Finding]:
    from jsonschema.validators import validator_for

    for schema, name in MICROSOFT.items():
        content = json.loads((schemas / schema).read_bytes())
        for error in validator_for(content)(content).iter_errors(files[name]):
            yield Finding("MicrosoftSchema", f"{name} {error.json_path}", error.message[:LONGEST])


def _not_swagger(definition: dict[str, Any]) -> Iterator[Finding]:
    """What the Swagger 2.0 schema and the specification forbid."""
    from openapi_spec_validator import OpenAPIV2SpecValidator

    try:
        for error in OpenAPIV2SpecValidator(definition).iter_errors():
            yield Finding("SwaggerNotValid", getattr(error, "json_path", "$"), error.message[:LONGEST])
    except Exception as error:  # it raises where a reference leads nowhere
        yield Finding("SwaggerNotValid", "$", f"it cannot be read ({error}).")


def _against_rules(files: dict[str, Any], size: int) -> Iterator[Finding]:
    connector = Connector(files[DEFINITION], files[PROPERTIES], files[SETTINGS], files[ICON], size)
    for name, check in RULES.items():
        try:
            yield from [Finding(name, where, sentence) for where, sentence in check(connector)]
        except (AttributeError, TypeError, LookupError, ValueError) as error:
            yield Finding("FormNotValid", PROPERTIES, f"a file is not of the right form to decide {name} ({error}).")
