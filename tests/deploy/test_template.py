"""The SAM template: cfn-lint accepts it, it names what exists here, and the build copies all that the function imports."""

import json
import re
from pathlib import Path

import pytest
from cfnlint import api
from cfnlint.config import ManualArgs
from cfnlint.decode import cfn_yaml

from config import Settings
from deploy.aws.handler import SCHEDULE
from tests.import_graph import imports

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "deploy" / "aws" / "template.yaml"
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.fixture
def engine():
    """No store takes part."""
    return "json"


@pytest.fixture(scope="module")
def template():
    return cfn_yaml.load(str(FILE))


@pytest.fixture(scope="module")
def properties(template):
    return template["Resources"]["FoyerFunction"]["Properties"]


def test_cfn_lint_finds_nothing():
    found = api.lint(FILE.read_text(), config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found] == []


def test_every_variable_is_a_setting_or_of_the_host(properties):
    names = {name.lower() for name in properties["Environment"]["Variables"]}
    assert names <= set(Settings.model_fields)
    assert {"database_url", "secret_key", "api_key", "attachments_url"} <= names


def test_secrets_come_from_secrets_manager_alone(properties):
    secret = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    variables = properties["Environment"]["Variables"]
    assert len(secret & set(variables)) == 5
    for name, value in variables.items():
        if name in secret:
            assert value["Fn::Sub"] == f"{{{{resolve:secretsmanager:${{Secret}}:SecretString:{name}}}}}"


def test_the_role_may_do_no_more_than_it_needs(properties):
    text = json.dumps(properties["Policies"])
    assert '"*"' not in text
    assert not re.search(r'"\w+:\*"', text)


def test_the_schedule_sends_an_event_that_the_handler_knows(properties):
    event = properties["Events"]["Minute"]["Properties"]
    assert json.loads(event["Input"]) == {"work": SCHEDULE}
    module, _, name = properties["Handler"].rpartition(".")
    assert (ROOT / f"{module.replace('.', '/')}.py").read_text().count(f"\n{name} = ") == 1


def test_the_build_copies_every_module_that_the_function_imports():
    copied = set(re.search(r"LAMBDA_FILES := ([^#]*?)\n\w", MAKEFILE, re.DOTALL)[1].replace("\\\n", " ").split())
    imported, everything = {"deploy/aws/entry.py"}, imports(ROOT)
    while more := {one.target for one in everything if one.path in imported} - imported:
        imported |= more
    assert {path.partition("/")[0] for path in imported} == copied
    assert "\nbuild-FoyerFunction:" in MAKEFILE
