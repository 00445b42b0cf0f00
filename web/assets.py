"""The console's files: modules, styles and icons, read once, compressed once, and named by their content.

All live in one folder whose name is the hash of everything in it. So modules import each other by relative paths and
browsers keep them for a year. A new version has new addresses.
"""

import gzip
import hashlib
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from zipfile import ZipFile

HERE = Path(__file__).resolve().parent
MIMETYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SPRITE = "icons.svg"
# The icons of lucide.dev that the console shows; parts/icon.js names them.
ICONS = (HERE / "icons.txt").read_text("utf-8").split()
# Comments hold the types of the modules. Without them the desk is a fifth smaller. Their line breaks stay, so errors name the
# right line.
_COMMENT = re.compile(rb"/\*\*\s.*?\*/|^[ \t]*//[^\n]*", re.DOTALL | re.MULTILINE)
_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
_IMPORTED = re.compile(r"""^\s*(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


class Asset(NamedTuple):
    """One file: its bytes, the same compressed, and its type."""

    body: bytes
    compressed: bytes
    mimetype: str


class Build(NamedTuple):
    """Every file by its path within the folder, such as `app/dom.js`, and the folder's name."""

    name: str
    files: dict[str, Asset]

    def url(self, path: str) -> str:
        """Address of a file. Raises KeyError for one that does not exist."""
        self.files[path]
        return f"/assets/{self.name}/{path}"

    def modules_of(self, path: str) -> list[str]:
        """The module and all that it imports, itself first, so that the browser asks for them at once."""
        modules, waiting = [], [path]
        while waiting:
            module = waiting.pop(0)
            if module not in modules:
                modules.append(module)
                text = self.files[module].body.decode()
                waiting += [_resolve(module, name) for name in _IMPORTED.findall(text)]
        return modules


@cache
def build() -> Build:
    """All files as they are on disk when they are first asked for."""
    sources = {
        path.relative_to(HERE).as_posix(): path.read_bytes()
        for folder in ("app", "styles")
        for path in sorted((HERE / folder).rglob("*"))
        if path.suffix in MIMETYPES
    }
    sources = {name: _without_comments(body) if name.endswith(".js") else body for name, body in sources.items()}
    sources[SPRITE] = _sprite(ICONS)
    digest = hashlib.sha256()
    for name, body in sources.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    files = {
        name: Asset(body, gzip.compress(body, 9, mtime=0), MIMETYPES[Path(name).suffix])
        for name, body in sources.items()
    }
    return Build(digest.hexdigest()[:16], files)


def _without_comments(body: bytes) -> bytes:
    return _COMMENT.sub(lambda comment: b"\n" * comment.group().count(b"\n"), body)


def _resolve(module: str, name: str) -> str:
    """Path of an imported module, as the browser resolves it."""
    return (HERE / module).parent.joinpath(name).resolve().relative_to(HERE).as_posix()


def _sprite(names: list[str]) -> bytes:
    """One SVG file with a symbol for each icon. The package itself opens its archive of 1,700 icons anew for each."""
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg"})
    with resources.files("lucide").joinpath("lucide.zip").open("rb") as file, ZipFile(file) as icons:
        for name in names:
            text = icons.read(f"{name}.svg").decode().replace(_NAMESPACE, "")
            icon = ElementTree.fromstring(text)  # noqa: S314 (our own package)
            symbol = ElementTree.SubElement(root, "symbol", {"id": name, "viewBox": icon.attrib["viewBox"]})
            symbol.extend(list(icon))
    return ElementTree.tostring(root)
