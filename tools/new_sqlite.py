"""Development only: what all migrations leave in a new SQLite file, so that no start of a server runs them one by one.

`python -m tools.new_sqlite` writes it; `--check` fails when it differs.
"""

import sys

import orjson

from database import migrations

EMPTY = b'{"revision": "", "statements": []}'


def made_by_steps() -> bytes:
    """The revision and the statements as JSON."""
    return orjson.dumps(migrations.left_by_steps(), option=orjson.OPT_INDENT_2) + b"\n"


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two such files make the same. Constraints of a table that a step copies come in any order."""
    return sorted(line.strip(" ,") for line in _lines(one)) == sorted(line.strip(" ,") for line in _lines(other))


def _lines(file: bytes) -> list[str]:
    new = orjson.loads(file)
    return [new["revision"], *(line for statement in new["statements"] for line in statement.splitlines())]


def main() -> None:
    """Writes the file, or with --check compares."""
    new = made_by_steps()
    if is_same(new, migrations.NEW_SQLITE.read_bytes() if migrations.NEW_SQLITE.exists() else EMPTY):
        return
    if "--check" in sys.argv:
        raise SystemExit(f"{migrations.NEW_SQLITE} is out of date. Run python -m tools.new_sqlite.")
    migrations.NEW_SQLITE.write_bytes(new)


if __name__ == "__main__":
    main()
