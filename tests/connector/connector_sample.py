"""A small connector without a fault, and helpers to break it."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from tools.connector.commands import FOLDER
from tools.connector.files import DEFINITION, ICON, PROPERTIES, SETTINGS, properties, settings

Json = dict[str, Any]
DOCUMENT = json.dumps(yaml.safe_load((Path(__file__).parent.parent / "fixtures" / "small_connector.yaml").read_text()))


def document() -> Json:
    """The definition."""
    return json.loads(DOCUMENT)


def shown(kind: str, label: str, **more: Any) -> Json:
    """A property with all that people see of it."""
    return {"type": kind, "x-ms-summary": label, "description": f"{label} of it.", **more}


def query(name: str, kind: str, label: str, **more: Any) -> Json:
    """A parameter of the query."""
    return {"in": "query", "name": name, "required": False, **shown(kind, label, **more)}


class Broken:
    """A connector in the hands of who breaks it: `d` its definition, `p` its properties, `s` its settings."""

    def __init__(self) -> None:
        self.d, self.s = document(), dict(settings())
        self.p = properties(self.d)["properties"]

    def write(self, folder: Path) -> Path:
        for name, content in ((DEFINITION, self.d), (PROPERTIES, {"properties": self.p}), (SETTINGS, self.s)):
            (folder / name).write_text(json.dumps(content))
        (folder / ICON).write_bytes((FOLDER / ICON).read_bytes())
        return folder

    def op(self, name: str) -> Json:
        return next(o for item in self.d["paths"].values() for o in item.values() if o.get("operationId") == name)

    def argument(self, name: str, argument: str) -> Json:
        return next(parameter for parameter in self.op(name)["parameters"] if parameter.get("name") == argument)

    def answer(self, name: str, status: str = "200") -> Json:
        return self.op(name)["responses"][status]

    def schema(self, name: str) -> Json:
        return self.d["definitions"][name]

    def field(self, name: str, field: str) -> Json:
        return self.schema(name)["properties"][field]

    def add(self, name: str, parameter: Json) -> None:
        self.op(name)["parameters"].append(parameter)

    def copy(self, name: str, path: str, **more: Any) -> None:
        """Puts a copy of a GET under another path, with another id."""
        self.d["paths"][path] = {"get": {**copy.deepcopy(self.op(name)), **more}}
