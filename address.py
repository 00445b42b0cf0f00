"""Addresses of stores: which engine a DATABASE_URL names, and where its file is. Nothing is opened here."""

from pathlib import Path
from typing import Literal

from folder_lock import is_held
from sqlite_file import StorageError

DOCUMENT = "foyer.json"
Engine = Literal["json", "sqlite", "postgresql"]


def read(url: str, data_dir: Path) -> tuple[Engine, Path]:
    """The engine, and the document or database file; for a server there is none and the path means nothing.

    Raises StorageError, without the address, which may hold a password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "json":
        return "json", (Path(rest) if rest else data_dir) / DOCUMENT
    if scheme in ("postgresql", "postgres"):
        return "postgresql", Path()
    path = rest.removeprefix("///")
    if scheme != "sqlite" or not rest.startswith("///"):
        raise StorageError("An address begins with json:, sqlite:/// or postgresql://.")
    if path in ("", ":memory:"):
        raise StorageError("DATABASE_URL names no file. Write it as sqlite:///path/to/desk.db.")
    return "sqlite", Path(path)


def is_taken(url: str, data_dir: Path) -> bool:
    """Whether another process has the store that `url` names, and shares it with none."""
    engine, path = read(url, data_dir)
    return engine == "json" and is_held(path)
