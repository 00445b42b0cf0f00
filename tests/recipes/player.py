"""Plays the requests of recipes/ against an app: those of the pages, and the flows of n8n and Node-RED, whose code Node.js runs."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from commands.connect import ADDRESS, FOLDER

Json = dict[str, Any]
RUN = Path(__file__).with_name("run.js")
# What a tool fills in, by the last word of its own name for it.
VALUES = {
    "id": "run 7",
    "title": 'Cannot "log in" <!channel> @everyone {{7*7}}',
    "description": "First line,\nsecond line: 50 % \\ <b>{{ }}</b>.",
    "email": "ada@example.com",
    "agent_email": "bob@example.com",
    "body": 'We are "looking" into it.\nBob',
    "offset": "0",
    "pagesize": "50",
}
VALUES |= {"agent": VALUES["agent_email"], "resolution": VALUES["body"]}
_SLOT = re.compile(r"<<\[(\w+)\]>>|\{\{\s*([\w.]+)\s*\}\}|\[(\w+)\]|<(\w+)>")
# Where Retool and Make keep a ticket that Foyer answered with. Its fields have the names of the answer.
_OF_TICKET = re.compile(r"(?:table\.selectedRow|\d+\.data\.data)\.(\w+)")


@dataclass
class Request:
    """A request as a tool sends it."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class Player:
    """Sends requests to an app and keeps what other servers would get."""

    client: Any
    key: str
    elsewhere: list[Json] = field(default_factory=list)
    sent: list[tuple[Request, Any]] = field(default_factory=list)

    def send(self, request: Request) -> Any:
        """The response; every request of a recipe must succeed."""
        if not request.url.startswith(ADDRESS):
            self.elsewhere.append(json.loads(request.body))
            return None
        path = request.url.removeprefix(ADDRESS)
        response = self.client.open(path, method=request.method, headers=request.headers, data=request.body.encode())
        assert response.status_code < 400, (request, response.get_data(as_text=True))
        self.sent.append((request, response))
        return response


def page_requests(tool: str, key: str, ticket: Json) -> list[Request]:
    """The requests of a tool's page, filled in as the tool does."""
    blocks = re.findall(r"^```http\n(.*?)^```", (FOLDER / f"{tool}.md").read_text(), re.MULTILINE | re.DOTALL)
    return [_request(block, {**VALUES, "key": key, "ticket_id": ticket["id"]}, ticket) for block in blocks]


def _request(block: str, values: dict[str, str], ticket: Json) -> Request:
    head, _, body = block.partition("\n\n")
    first, *lines = head.splitlines()
    method, _, url = first.partition(" ")
    headers = dict(line.split(": ", 1) for line in lines)

    def filled(text: str, write: Callable[[str], str]) -> str:
        return _SLOT.sub(lambda slot: write(_value(next(filter(None, slot.groups())), values, ticket)), text)

    return Request(
        method,
        filled(url, lambda value: quote(value, safe="")),
        {name: filled(value, str) for name, value in headers.items()},
        filled(body, lambda value: json.dumps(value)[1:-1]),
    )


def _value(name: str, values: dict[str, str], ticket: Json) -> str:
    """What a tool fills in for its own name of it, such as `1.title`, `body.value` or `table.selectedRow.id`."""
    if field_name := _OF_TICKET.fullmatch(name):
        return str(ticket[field_name[1]])
    return values[name.removesuffix(".value").rpartition(".")[2].lower()]


def run_javascript(code: str, memory: Json, **values: Any) -> Any:
    """The result of a piece of JavaScript; `memory` is changed as it changes it."""
    task = json.dumps({"code": code, "values": values, "memory": memory})
    done = subprocess.run(["node", str(RUN)], input=task, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    memory.update(answer["memory"])
    return answer.get("result")


def play_n8n(workflow: Json, player: Player, memory: Json, first: Json) -> None:
    """One execution of a workflow whose nodes stand in a line; `first` is what its trigger gives."""
    nodes = {node["name"]: node for node in workflow["nodes"]}
    links = {name: link["main"][0][0]["node"] for name, link in workflow["connections"].items()}
    name = next(iter(links))
    items = [first]
    while name in links:
        name = links[name]
        parameters = nodes[name]["parameters"]
        if "jsCode" in parameters:
            items = [item["json"] for item in run_javascript(parameters["jsCode"], memory, json=items[0])]
        else:
            items = [_n8n_request(parameters, player, memory, item) for item in items]


def _n8n_request(parameters: Json, player: Player, memory: Json, item: Json) -> Json:
    def named(group: str) -> dict[str, str]:
        pairs = parameters.get(group, {}).get("parameters", [])
        return {pair["name"]: _n8n_value(pair["value"], memory, item) for pair in pairs}

    headers = named("headerParameters")
    if parameters.get("genericAuthType") == "httpHeaderAuth":
        headers["X-API-Key"] = player.key
    body = json.dumps(named("bodyParameters")) if parameters.get("sendBody") else ""
    query = f"?{urlencode(named('queryParameters'))}" if parameters.get("sendQuery") else ""
    headers |= {"Content-Type": "application/json"} if body else {}
    response = player.send(Request(parameters["method"], parameters["url"] + query, headers, body))
    return response.json if response else {}


def _n8n_value(value: str, memory: Json, item: Json) -> str:
    """A parameter: one that begins with = holds expressions between braces."""
    if not value.startswith("="):
        return value
    return re.sub(r"\{\{(.*?)\}\}", lambda part: str(run_javascript(f"return {part[1]}", memory, json=item)), value[1:])


def play_node_red(flow: list[Json], player: Player, memory: Json, start: str, msg: Json) -> list[Json]:
    """What arrives at the end of a line of a flow that begins at the node named `start`."""
    nodes = {node["id"]: node for node in flow}
    node = next(node for node in flow if node.get("name") == start)
    messages = [msg]
    while node.get("wires") and node["wires"][0]:
        node = nodes[node["wires"][0][0]]
        if node["type"] == "function":
            messages = [out for one in messages for out in _node_red_function(node["func"], memory, player.key, one)]
        elif node["type"] == "http request":
            messages = [_node_red_request(node, player, one) for one in messages]
    return messages


def _node_red_function(code: str, memory: Json, key: str, msg: Json) -> list[Json]:
    result = run_javascript(code, memory, msg=msg, env={"FOYER_KEY": key})
    return result[0] if isinstance(result, list) else [result]


def _node_red_request(node: Json, player: Player, msg: Json) -> Json:
    method = msg["method"] if node["method"] == "use" else node["method"]
    body = "" if method == "GET" else json.dumps(msg["payload"])
    response = player.send(Request(method, node["url"] or msg["url"], msg.get("headers", {}), body))
    return {**msg, "statusCode": response.status_code, "payload": response.json} if response else msg
