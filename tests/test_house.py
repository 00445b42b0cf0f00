"""The rules of the house: imports only go down, each outside system has one importer, each table one writer, files stay small."""

import ast
import re
import statistics
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from database import migrations
from database.tables import metadata
from tests.import_graph import circles, imports, module_names, sources, upward

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sources(ROOT)
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in SOURCES}
# From top to bottom. A file may import its own level and every level below, never one above.
LEVELS = [
    ("tools", "benchmarks", "deploy"),
    ("app.py", "gunicorn.conf.py"),
    ("commands",),
    ("api",),
    ("runtime",),
    ("jobs",),
    ("services",),
    ("ai_responder.py", "notifier.py", "storage.py", "channels"),
    ("ai", "auth", "database", "web"),
    ("config.py", "core"),
]
# A library of the outside world, and who may import it.
ONE_IMPORTER = {
    "openai": {"ai/llm.py"},
    "smtplib": {"notifier.py"},
    "imap_tools": {"channels/imap_poller.py"},
    "imaplib": {"channels/imap_poller.py"},
    "mailparser_reply": {"channels/reply_text.py"},
    "boto3": {"channels/sns.py", "database/file_store/bucket.py", "deploy/aws/self_call.py"},
    "argon2": {"auth/passwords.py"},
    "pyotp": {"auth/totp.py"},
    "segno": {"auth/totp.py"},
    "jwt": {"auth/tokens.py", "auth/oidc.py"},
    "limits": {"core/setting_values.py", "api/http/rate_counters.py", "api/http/rate_limits.py"},
    "python_calamine": {"services/import_export/spreadsheets.py"},
    "xlsxwriter": {"services/import_export/spreadsheets.py"},
    "puremagic": {"core/file_types.py"},
    "psycopg": {"database/postgres_engine.py"},
    "playwright": {f"tools/screenshots/{name}.py" for name in ("browser", "open_requests", "pictures", "visit")},
}
KNOWS_FLASK = ("api/", "web/", "commands/", "benchmarks/", "tools/", "deploy/", "app.py")
RUNS_QUERIES = ("storage.py", "database/", "benchmarks/")
UNSCOPED = ("services/accounts/", "services/privacy/", "jobs/", "commands/", "runtime/", "api/health.py", "benchmarks/")
ROOT_FILES = {"app.py", "config.py", "storage.py", "ai_responder.py", "notifier.py", "gunicorn.conf.py"}


def importers(library: str) -> set[str]:
    """The files that import a library, anywhere in them."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(name.split(".")[0] == library for _, name in module_names(path))
    }


def files_with(pattern: str) -> set[str]:
    """The files in which a pattern stands."""
    return {name for name, text in TEXTS.items() if re.search(pattern, text)}


def test_imports_only_go_down():
    assert upward(ROOT, LEVELS) == []


def test_there_is_no_circle_of_imports():
    assert circles(ROOT) == []


def test_only_the_users_own_files_are_at_the_root():
    assert {name for name in TEXTS if "/" not in name} == ROOT_FILES


OFFENCES = {
    "a plain import": "from services import high\n",
    "inside a function": "def f():\n    import services.high\n",
    "under TYPE_CHECKING": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from services.high import x\n",
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_planted_offence_is_named_with_file_line_and_rule(tmp_path, offence):
    for folder in ("core", "services"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A folder."""\n')
    (tmp_path / "services" / "high.py").write_text("import core.low\nx = 1\n")
    (tmp_path / "core" / "low.py").write_text(OFFENCES[offence])
    line = OFFENCES[offence].count("\n")
    rule = f"core/low.py:{line}: imports services/high.py, which is on a higher level"
    assert upward(tmp_path, LEVELS) == [rule]
    assert circles(tmp_path) == ["core/low.py -> services/high.py -> core/low.py"]


@pytest.mark.parametrize("library", ONE_IMPORTER)
def test_each_library_of_the_outside_has_its_importers(library):
    assert importers(library) == ONE_IMPORTER[library]


def test_only_config_reads_the_environment():
    readers = files_with(r"os\.environ|getenv")
    assert {name for name in readers if not name.startswith("benchmarks/")} == {"config.py"}


def test_services_know_no_http():
    known = importers("flask") | importers("flask_smorest") | importers("werkzeug")
    assert {name for name in known if not name.startswith(KNOWS_FLASK)} == set()


def test_only_storage_and_the_database_run_queries():
    runners = files_with(r"\.(execute|exec_driver_sql|scalars|begin_nested)\(")
    assert {name for name in runners if not name.startswith(RUNS_QUERIES)} == set()


def test_only_the_gate_asks_for_permissions():
    assert files_with(r"\ballows\(") - {"core/permissions.py"} == {"api/http/gate.py"}


def test_only_services_tickets_writes_the_tickets_table():
    assert set(writers_of("tickets")) == {"services/tickets"}


def writers_of(table: str) -> dict[str, list[str]]:
    """The folders that insert, update or delete rows of a table, with the files."""
    found: dict[str, list[str]] = {}
    verbs = {"insert", "insert_many", "insert_new", "update", "update_where", "delete", "count_up"}
    for name, text in TEXTS.items():
        if name.startswith(RUNS_QUERIES):
            continue
        tree = ast.parse(text)
        local = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "database.tables"
            for alias in node.names
            if alias.name == table
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs:
                first = ast.unparse(node.args[0]) if node.args else ""
                if first in local or first == f"tables.{table}":
                    found.setdefault(str(Path(name).parent), []).append(f"{name}:{node.lineno}")
    return found


def test_only_sign_in_jobs_and_commands_open_an_unscoped_unit_of_work():
    openers = files_with(r"\.unit_of_work\(None")
    assert {name for name in openers if not name.startswith(UNSCOPED)} == set()


def test_only_benchmarks_import_the_tools():
    users = {one.path.partition("/")[0] for one in imports(ROOT) if one.target.startswith("tools/")}
    assert users == {"tools", "benchmarks"}


def test_the_names_of_migrations_begin_with_their_revisions_in_order():
    steps = ScriptDirectory(str(migrations.HERE))
    assert [step.revision for step in steps.walk_revisions()] == migrations._revisions(migrations.HERE)[::-1]
    assert migrations.head() == steps.get_current_head()  # which raises when there are two


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_stays_small_and_says_what_it_is(name):
    assert TEXTS[name].count("\n") <= 400
    assert ast.get_docstring(ast.parse(TEXTS[name])), "a module begins with a docstring: what lives here"


def test_most_files_are_shorter_than_130_lines():
    assert statistics.median(text.count("\n") for text in TEXTS.values()) < 130


def test_every_table_but_companies_belongs_to_one():
    without = {table.name for table in metadata.sorted_tables if "company_id" not in table.c}
    assert without <= {"companies", "sign_in_tries"}


def test_the_architecture_page_has_a_line_for_every_file():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"^\| `([\w./]+\.py)`", page, re.MULTILINE))
    assert set(TEXTS) - named == set()
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_only_sign_in_starts_sessions_so_that_nobody_comes_in_without_a_second_factor():
    assert files_with(r"\bsessions\.start\(") == {
        "services/accounts/admission.py",
        "services/accounts/registration.py",
    }
