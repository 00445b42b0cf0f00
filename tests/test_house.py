"""The walls of the house: who may import what, who may decide what, and how large a room may be."""

import ast
import re
import statistics
from pathlib import Path

import pytest

import migrations
from tables import metadata

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not {"tests", "benchmarks", "versions", ".venv", "node_modules"} & set(path.relative_to(ROOT).parts)
)


def imported(path: Path) -> set[str]:
    """The top-level modules a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def importers(module: str) -> set[str]:
    """Who imports a module, as paths from the root."""
    return {str(path.relative_to(ROOT)) for path in SOURCES if module in imported(path)}


def test_each_door_to_the_outside_has_one_keeper():
    assert importers("openai") == {"llm.py"}
    assert importers("smtplib") == {"notifier.py"}
    assert importers("argon2") == {"passwords.py"}
    assert importers("limits") == {"config.py", "counters.py", "api/limits.py"}
    assert importers("jwt") == {"tokens.py", "oidc.py"}
    assert importers("alembic") <= {"migrations/__init__.py", "migrations/env.py"}


def test_only_config_reads_the_environment():
    readers = {str(path.relative_to(ROOT)) for path in SOURCES if re.search(r"os\.environ|getenv", path.read_text())}
    assert readers == {"config.py"}


def test_services_know_no_http_no_model_client_and_no_settings():
    forbidden = {"flask", "flask_smorest", "werkzeug", "openai", "smtplib", "api", "app", "config", "foyer", "requests"}
    for path in (ROOT / "services").glob("*.py"):
        assert not imported(path) & forbidden, path.name


def test_only_the_api_and_the_front_doors_know_flask():
    allowed = {
        "app.py",
        "cli.py",
        "data_commands.py",
        "tools/api_docs_player.py",
        "tools/connector_commands.py",
        "tools/story_commands.py",
    }
    assert {name for name in importers("flask") if not name.startswith(("api/", "web/"))} <= allowed


def test_only_storage_runs_queries():
    engines = {
        "storage.py",
        "sqlite_file.py",
        "postgres.py",
        "postgres_tables.py",
        "json_file.py",
        "json_document.py",
        "json_rows.py",
        "json_snapshot.py",
        "derived.py",
        "planner.py",
        "staging.py",
        "search.py",
        "search_postgres.py",
        "search_sqlite.py",
    }
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name not in engines and not name.startswith("migrations/"):
            assert not re.search(r"\.(execute|exec_driver_sql|scalars|begin_nested)\(", path.read_text()), name


def test_only_the_gate_asks_for_permissions():
    askers = {str(path.relative_to(ROOT)) for path in SOURCES if "allows(" in path.read_text()} - {"permissions.py"}
    assert askers == {"api/gate.py"}


def test_only_services_write_ticket_state():
    writers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"\.(update|update_where|insert)\(\s*(tables\.)?(tickets|table)\b", path.read_text())
        and "tickets" in path.read_text()
    }
    assert {name for name in writers if not name.startswith("services/")} <= {"jobs.py"}


def test_only_sign_in_jobs_and_commands_open_an_unscoped_desk():
    openers = {str(p.relative_to(ROOT)) for p in SOURCES if re.search(r"\.desk\(None", p.read_text())}
    assert openers <= {
        "credentials.py",
        "jobs.py",
        "cli.py",
        "api/health.py",
        "foyer.py",
        "sign_in.py",
        "registration.py",
        "workers.py",
    }


def test_there_is_one_newest_revision():
    assert migrations.head()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_stays_small_and_says_what_it_is(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text)), "a module begins with what lives in it"


def test_most_rooms_are_smaller_than_a_page():
    assert statistics.median(path.read_text().count("\n") for path in SOURCES) < 130


def test_every_table_but_companies_belongs_to_one():
    without = {table.name for table in metadata.sorted_tables if "company_id" not in table.c}
    assert without == {"companies", "sign_in_tries"}


def test_the_architecture_page_has_a_line_for_every_file():
    page = (ROOT / "docs" / "architecture.md").read_text()
    missing = [str(path.relative_to(ROOT)) for path in SOURCES if f"`{path.relative_to(ROOT)}`" not in page]
    assert not missing
    named = set(re.findall(r"^\| `([\w/]+\.py)`", page, re.MULTILINE))
    assert not {name for name in named if not (ROOT / name).exists()}
