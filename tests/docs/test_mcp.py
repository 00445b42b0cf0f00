"""docs/mcp.md and connector/mcp.swagger.json against the tools and the route."""

import json
import re
from pathlib import Path

from openapi_spec_validator import validate

from api.mcp.tools import TOOLS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
CONNECTOR = json.loads((ROOT / "connector" / "mcp.swagger.json").read_text(encoding="utf-8"))


def routes(app):
    """Each operation as the page writes its route."""
    found = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            path = rule.rule.replace("<ticket_id>", "{id}").replace("<name>", "agents")
            found[rule.endpoint.rpartition(".")[2]] = f"`{method} {path}`"
    return found


def test_the_page_names_each_tool_with_its_routes_and_whether_it_reads(app):
    by_name = routes(app)
    views = {name.rpartition(".")[2]: view for name, view in app.view_functions.items()}
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (reads|writes).* \|$", PAGE, re.MULTILINE)
    assert [name for name, *_ in rows] == [tool.name for tool in TOOLS]
    for tool, (_, named, kind) in zip(TOOLS, rows, strict=True):
        assert re.findall(r"`[A-Z]+ [^`]+`", named) == [by_name[name] for name in (tool.operation, *tool.also.values())]
        assert [f"{field}: {str(value).lower()}" in named or f"{field}={str(value).lower()}" in named
                for field, value in tool.fixed.items()] == [True] * len(tool.fixed)  # fmt: skip
        assert (kind == "reads") is views[tool.operation].reads


def test_the_settings_of_clients_on_the_page_are_json():
    blocks = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    assert all(json.loads(block) for block in blocks)


def test_the_connector_describes_the_route_for_copilot_studio(app):
    validate(CONNECTOR)
    assert list(CONNECTOR["paths"]) == ["/mcp"]
    assert "/mcp" in {rule.rule for rule in app.url_map.iter_rules()}
    assert list(CONNECTOR["paths"]["/mcp"]) == ["post"]
    assert CONNECTOR["paths"]["/mcp"]["post"]["x-ms-agentic-protocol"] == "mcp-streamable-1.0"
    assert CONNECTOR["securityDefinitions"]["api_key"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}


def test_the_calls_of_the_page_work(admin):
    calls = re.findall(r"curl -s http://127\.0\.0\.1:5000(\S+) [^']*-d '([^']+)'", PAGE)
    assert [path for path, _ in calls] == ["/api/keys", "/mcp"]
    for path, body in calls:
        response = admin.client.post(path, data=body, content_type="application/json", headers={"X-API-Key": admin.key})
        assert response.status_code in (200, 201)
        assert "error" not in response.json
