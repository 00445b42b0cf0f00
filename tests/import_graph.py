"""The import graph of a source tree, read with `ast`: imports anywhere in a file count, under TYPE_CHECKING too."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOT_SOURCE = {"tests", "versions", ".venv", "venv", "node_modules"}


@dataclass(frozen=True)
class Import:
    """One import: the importing file, its line, and the imported file of ours."""

    path: str
    line: int
    target: str


def sources(root: Path) -> list[Path]:
    """The Python files of the tree, without tests and migration steps."""
    return sorted(path for path in root.rglob("*.py") if not NOT_SOURCE & set(path.relative_to(root).parts))


@cache  # many rules ask about each file
def module_names(path: Path) -> list[tuple[int, str]]:
    """Line and dotted name of everything the file imports; `from a import b` gives both a.b and a."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{path}:{node.lineno}: relative imports are not used here")
            names += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return names


def imports(root: Path) -> list[Import]:
    """Every import of one of our files by another."""
    files = {path.relative_to(root).as_posix() for path in sources(root)}
    found = []
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        for line, module in module_names(path):
            target = _file_of(module, files)
            if target and target != name:
                found.append(Import(name, line, target))
    return found


def _file_of(module: str, files: set[str]) -> str:
    parts = module.split(".")
    for end in (len(parts), len(parts) - 1):
        place = "/".join(parts[:end])
        for candidate in (f"{place}.py", f"{place}/__init__.py"):
            if place and candidate in files:
                return candidate
    return ""


def level_of(path: str, levels: list[tuple[str, ...]]) -> int:
    """The level of a file, 0 at the top: by its own name or by its first folder. Raises AssertionError for none."""
    for number, members in enumerate(levels):
        if path in members or path.split("/")[0] in members:
            return number
    raise AssertionError(f"{path} is in no level; put its folder into LEVELS of tests/test_house.py")


def upward(root: Path, levels: list[tuple[str, ...]]) -> list[str]:
    """Each import that goes up, as `file:line: rule`."""
    return [
        f"{one.path}:{one.line}: imports {one.target}, which is on a higher level"
        for one in imports(root)
        if level_of(one.target, levels) < level_of(one.path, levels)
    ]


def circles(root: Path) -> list[str]:
    """Each circle of imports, as `a -> b -> a`, found once."""
    graph: dict[str, set[str]] = {}
    for one in imports(root):
        graph.setdefault(one.path, set()).add(one.target)
    return list(_circles(graph))


def _circles(graph: dict[str, set[str]]) -> Iterator[str]:
    done: set[str] = set()

    def visit(path: str, trail: list[str]) -> Iterator[str]:
        if path in trail:
            yield " -> ".join([*trail[trail.index(path) :], path])
        elif path not in done:
            for target in sorted(graph.get(path, ())):
                yield from visit(target, [*trail, path])
            done.add(path)

    for path in sorted(graph):
        yield from visit(path, [])
