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
    return _comparable(one) == _comparable(other)


def _comparable(file: bytes) -> tuple[str, list[list[str]]]:
    """The revision, and each statement as its lines, the constraints last and in order."""
    schema = orjson.loads(file)
    return schema["revision"], [ordered_lines(statement) for statement in schema["statements"]]


def ordered_lines(statement: str) -> list[str]:
    """The lines of a statement without commas at their ends, the constraints last and in the order of their texts."""
    lines = [line.strip(" ,\t") for line in statement.splitlines()]
    constraints = {line for line in lines if line.startswith(("CONSTRAINT", "FOREIGN KEY", "UNIQUE", "CHECK"))}
    return [line for line in lines if line not in constraints] + sorted(constraints)


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
