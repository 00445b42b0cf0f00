"""Every rule of the connector's linter: a good connector broken in one way, and exactly that rule named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connector_faults import FAULTS, FILES, OPERATIONS, SCHEMAS, TRIGGERS
from tests.connector_sample import Broken, sample
from tools.connector_commands import FOLDER
from tools.connector_files import DEFINITION, ICON, PROPERTIES, SETTINGS, connector_files
from tools.connector_lint import lint, lint_folder
from tools.connector_rules import RULES

Break = Callable[[Broken], Any]
MUTATIONS = [*FAULTS, *FILES, *OPERATIONS, *SCHEMAS, *TRIGGERS]


def rules_broken(broken: Broken) -> set[str]:
    return {finding.rule for finding in lint(broken.connector)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The real connector's files, made anew."""
    for name, content in connector_files("desk.example.com").items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_sample_is_without_fault():
    assert [str(finding) for finding in lint(sample())] == []


def test_our_connector_is_without_fault(folder):
    assert [str(finding) for finding in lint_folder(folder)] == []


def test_the_checked_in_connector_is_without_fault():
    assert [str(finding) for finding in lint_folder(FOLDER)] == []


@pytest.mark.parametrize(("rule", "spoil"), MUTATIONS, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(MUTATIONS)])
def test_a_connector_broken_in_one_way_breaks_one_rule(rule, spoil):
    broken = Broken(sample())
    spoil(broken)
    assert rules_broken(broken) == {rule}


def test_no_rule_is_left_untried():
    assert set(RULES) - {rule for rule, _ in MUTATIONS} == {"FileNotReadable"}


@pytest.mark.parametrize(("rule", "spoil"), FAULTS, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(FAULTS, 1)])
def test_our_connector_with_a_fault_is_named_with_its_place(folder, rule, spoil):
    file = folder / DEFINITION
    found = Broken(sample())
    found.change(definition=json.loads(file.read_bytes()))
    spoil(found)
    file.write_text(json.dumps(found.d))
    named = [finding for finding in lint_folder(folder) if finding.rule == rule]
    assert named
    assert all(str(finding) == f"{rule} {finding.where}: {finding.sentence}" for finding in named)


def test_there_are_twenty_two_faults():
    assert len(FAULTS) == 22


@pytest.mark.parametrize("name", [DEFINITION, PROPERTIES, SETTINGS, ICON])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert [(finding.rule, finding.where) for finding in lint_folder(folder)] == [("FileNotReadable", name)]


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_a_file_that_is_no_json_object_is_named(folder, content):
    (folder / PROPERTIES).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert [(finding.rule, finding.where) for finding in lint_folder(folder)] == [("FileNotReadable", PROPERTIES)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b.d.update(paths=[]),
        lambda b: b.d.update(info=None),
        lambda b: b.d.update(definitions=[]),
        lambda b: b.op("GetTicket").update(security=None),
        lambda b: b.op("GetTicket").update(parameters=None),
        lambda b: b.schema("NewTicket").update(properties=[]),
        lambda b: b.schema("NewTicket").update(required=[[]]),
        lambda b: b.argument("ListTickets", "limit").update(maximum=None),
        lambda b: b.p.update(policyTemplateInstances=None),
    ],
)
def test_a_file_of_another_form_is_a_finding_and_no_traceback(spoil):
    broken = Broken(sample())
    spoil(broken)
    assert rules_broken(broken)


def test_a_schema_that_holds_itself_is_walked_once():
    broken = Broken(sample())
    broken.field("Ticket", "tags")["items"] = {"$ref": "#/definitions/TicketList"}
    assert "SchemaRefLoopNotAllowed" in rules_broken(broken)


def test_a_reference_to_itself_leads_nowhere():
    broken = Broken(sample())
    broken.d["definitions"]["Customer"] = {"$ref": "#/definitions/Customer"}
    assert "SchemaRefLoopNotAllowed" in rules_broken(broken)
