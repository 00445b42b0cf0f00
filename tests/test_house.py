"""The walls of the house: who may import what, who may decide what, and how large a room may be."""

import ast
import re
import statistics
from pathlib import Path

import pytest

from database import migrations
from database.tables import metadata

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
    assert importers("openai") == {"ai/llm.py"}
    assert importers("smtplib") == {"notifier.py"}
    assert importers("argon2") == {"auth/passwords.py"}
    assert importers("limits") == {"config.py", "api/http/rate_counters.py", "api/http/rate_limits.py"}
    assert importers("jwt") == {"auth/tokens.py", "auth/oidc.py"}
    assert importers("alembic") <= {"database/migrations/__init__.py", "database/migrations/env.py"}


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
        "commands/data.py",
        "commands/backup.py",
        "tools/api_examples/player.py",
        "tools/connector/commands.py",
        "tools/api_examples/commands.py",
    }
    assert {name for name in importers("flask") if not name.startswith(("api/", "web/"))} <= allowed


def test_only_storage_runs_queries():
    engines = {
        "storage.py",
        "database/sqlite_engine.py",
        "database/postgres_engine.py",
        "database/postgres_tables.py",
        "database/json_store/engine.py",
        "database/json_store/document.py",
        "database/json_store/row_loader.py",
        "database/json_store/snapshot.py",
        "database/bulk_load.py",
        "database/sqlite_statistics.py",
        "database/transfer/staging_copy.py",
        "database/search/words.py",
        "database/search/postgres_index.py",
        "database/search/sqlite_index.py",
    }
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name not in engines and not name.startswith("migrations/"):
            assert not re.search(r"\.(execute|exec_driver_sql|scalars|begin_nested)\(", path.read_text()), name


def test_only_the_gate_asks_for_permissions():
    askers = {str(path.relative_to(ROOT)) for path in SOURCES if "allows(" in path.read_text()} - {
        "core/permissions.py"
    }
    assert askers == {"api/http/gate.py"}


def test_only_services_write_ticket_state():
    writers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"\.(update|update_where|insert)\(\s*(tables\.)?(tickets|table)\b", path.read_text())
        and "tickets" in path.read_text()
    }
    assert {name for name in writers if not name.startswith("services/")} <= {"jobs/runner.py"}


def test_only_sign_in_jobs_and_commands_open_an_unscoped_desk():
    openers = {str(p.relative_to(ROOT)) for p in SOURCES if re.search(r"\.desk\(None", p.read_text())}
    assert openers <= {
        "services/accounts/key_login.py",
        "jobs/runner.py",
        "commands/data.py",
        "api/health.py",
        "runtime/bootstrap.py",
        "services/accounts/sign_in.py",
        "jobs/handlers.py",
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
