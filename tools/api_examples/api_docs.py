"""Development only: docs/api.md, every route with its inputs, a curl line and the answer, and each kind of refusal once."""

import json
import shlex
from typing import Any

from api.specs.declarations import Operation, sentence
from tools.api_examples.files import write_or_check
from tools.api_examples.player import Exchange, Player, open_player
from tools.api_examples.scenario import ADMIN_KEY, JSON, Input, Scenario, Step

WIDTH = 110
HEAD = """\
# The API, route by route

<!-- Written by `flask api-docs` from the routes and tools/api_examples/scenario.yaml. -->

Every line below works on an empty server, from top to bottom. Replace ids, keys and tokens that begin with `01920000-` or
`EXAMPLE-` with your own.

```sh
export URL=http://127.0.0.1:5000 KEY="$(cat data/api_key)"
```

Every answer is `{"success": …, "message": "…", "data": …}`; a list has `total`, `limit` and `offset` beside them. An error's
`data` holds a stable `code` and `errors`, every invalid field. A header `X-API-Key: …` or `Authorization: Bearer …` says who
is calling.
"""


def page(scenario: Scenario) -> str:
    """The whole page. Raises ScenarioError when an answer is not the expected one."""
    examples: dict[str, Step] = {}  # for each route the first step that succeeds
    for step in sorted(scenario.steps, key=lambda step: step.status >= 400):
        examples.setdefault(step.operation, step)
    refusals: dict[int, Step] = {}  # the first step of each error status
    for step in scenario.steps:
        if step.status >= 400 and step is not examples[step.operation]:
            refusals.setdefault(step.status, step)
    makers = _makers(scenario, list(examples.values()))
    parts = [HEAD]
    with open_player(scenario) as player:
        for chapter in scenario.chapters:
            steps = [step for step in chapter.steps if examples.get(step.operation) is step or step in makers]
            parts += [f"## {chapter.name}\n\n{chapter.about}\n"] if steps else []
            for step in steps:
                if step in makers:
                    parts += [f"### {step.name}\n", _example(player, player.play(step))]
                    continue
                parts.append(_route(scenario, scenario.operation(step)))
                shown_steps = [step, *(each for each in refusals.values() if each.operation == step.operation)]
                parts += [_example(player, player.play(each)) for each in shown_steps]
    return "\n".join(parts)


def _makers(scenario: Scenario, examples: list[Step]) -> list[Step]:
    """Further steps, whose answers hold what the examples need and no example's answer does."""
    needed = {name for step in examples for name in step.variables}
    known = {name for step in examples for name in step.saves}
    makers = []
    for step in scenario.steps:
        if step.saves.keys() & (needed - known):
            makers.append(step)
            known |= step.saves.keys()
    return makers


def _route(scenario: Scenario, operation: Operation) -> str:
    """What a route does and what it takes."""
    doc = operation.doc
    callers = "needs no key" if operation.public else f"for {', '.join(operation.roles)}"
    call = f"`{operation.method.upper()} {operation.path}` ({doc['operationId']}), {callers}."
    lines = [f"### {doc['summary']}", "", f"{call} {sentence(doc['description'])}", ""]
    if inputs := scenario.inputs(operation):
        lines += ["| name | in | type | required | what it is |", "|---|---|---|---|---|"]
        lines += [_row(each) for each in inputs] + [""]
    return "\n".join(lines)


def _row(each: Input) -> str:
    cells = (f"`{each.name}`", each.place, each.kind, "yes" if each.required else "", each.about)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _example(player: Player, exchange: Exchange) -> str:
    """A curl line and its answer."""
    step = exchange.step
    head = [f"#### {step.name}", "", *([step.about, ""] if step.about else [])] if step.status >= 400 else []
    if exchange.media == JSON:
        language, text = "json", _pretty(json.loads(exchange.text))
    else:
        language, text = "text", exchange.text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip()
    answer = [f"Answers {exchange.status}:", "", f"```{language}", text, "```", ""]
    return "\n".join([*head, "```sh", _curl(player, exchange), "```", "", *answer])


def _curl(player: Player, exchange: Exchange) -> str:
    """The request as a line for a shell."""
    request = exchange.request
    method = [] if request.method == ("POST" if request.body else "GET") else ["-X", request.method]
    parts = ["curl", "-s", *method, f'"$URL{request.url}"']
    if request.credential == ADMIN_KEY:
        parts += ["-H", '"X-API-Key: $KEY"']
    elif request.credential:
        token = player.with_placeholders(player.values[request.credential])
        parts += ["-H", shlex.quote(f"Authorization: Bearer {token}")]
    for name, value in request.headers.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        body = json.dumps(json.loads(request.body)) if request.headers["Content-Type"] == JSON else request.body
        parts += ["--data-binary", shlex.quote(body)]
    return " ".join(parts)


def _pretty(value: Any, indent: int = 0) -> str:
    """JSON in which everything that fits on a line stands on one."""
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(short) + indent <= WIDTH:
        return short
    inner, (opens, closes) = " " * (indent + 2), ("{}" if isinstance(value, dict) else "[]")
    pairs = value.items() if isinstance(value, dict) else [("", each) for each in value]
    parts = [inner + (f"{json.dumps(name)}: " if name else "") + _pretty(each, indent + 2) for name, each in pairs]
    return "\n".join([opens, ",\n".join(parts), " " * indent + closes])


if __name__ == "__main__":
    write_or_check("Makes docs/api.md from the routes.", lambda: {"docs/api.md": page(Scenario())})
