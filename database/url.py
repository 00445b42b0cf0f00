"""Parses DATABASE_URL: the engine it names and the path of its file. Nothing is opened here."""

from pathlib import Path
from typing import Literal

from core.errors import StorageError
from database.json_store.folder_lock import Owner, is_held, owner_of

DOCUMENT = "foyer.json"
Engine = Literal["json", "sqlite", "postgresql"]


def parse_url(url: str, data_dir: Path) -> tuple[Engine, Path]:
    """The engine, and the document or database file; for a server there is none and the path means nothing.

    Raises StorageError, without the address, which may hold a password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "json":
        folder = Path(rest) if rest else data_dir
        if folder.name == DOCUMENT and not folder.is_dir():
            return "json", folder
        if folder.is_file():
            raise StorageError(f"{folder} cannot be used: it is a file. Name its folder, or the file {DOCUMENT} in it.")
        return "json", folder / DOCUMENT
    if scheme in ("postgresql", "postgres"):
        return "postgresql", Path()
    path = rest.removeprefix("///")
    if scheme != "sqlite" or not rest.startswith("///"):
        raise StorageError("An address begins with json:, sqlite:/// or postgresql://.")
    if path in ("", ":memory:"):
        raise StorageError("DATABASE_URL names no file. Write it as sqlite:///path/to/foyer.db.")
    return "sqlite", Path(path)


def lock_owner(url: str, data_dir: Path) -> Owner | None:
    """The process that has the file `url` names, None when none has it or a server keeps the data for several."""
    engine, path = parse_url(url, data_dir)
    if engine == "postgresql" or not is_held(path):
        return None
    return owner_of(path) or Owner(0, "this machine")
