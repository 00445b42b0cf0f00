"""docs/api.md: every route with what it takes, a curl line and the answer it gets, and each kind of refusal once.

The examples are steps of the story, played in the order of the page at a fresh desk, so that a reader can do the same.
"""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from api.specs.declarations import Operation, sentence
from tools.api_examples.collection import Book, Input
from tools.api_examples.player import Player, Told, player
from tools.api_examples.steps import JSON, OURS, Step

WIDTH = 110
HEAD = """\
# The API, route by route

<!-- Made by `flask api-docs`; a change belongs into the routes or into tools/story_*.py. -->

Every line below works at an empty desk, from top to bottom. Put your own ids, keys and tokens in place of those that begin
with `01920000-` and `EXAMPLE-`.

```sh
export URL=http://127.0.0.1:5000 KEY="$(cat data/api_key)"
```

Every answer is `{"success": …, "message": "…", "data": …}`; a list has `total`, `limit` and `offset` beside them. An error's
`data` holds a stable `code` and `errors`, every field that cannot be used. A header `X-API-Key: …` or
`Authorization: Bearer …` says who is calling.
"""


def page(book: Book) -> str:
    """The whole page. Raises StoryError when a step is not answered as it says."""
    parts = [HEAD]
    examples, refusals = _chosen(book)
    with player(book) as plays:
        for chapter in book.chapters:
            found = [step for step in chapter.steps if examples.get(step.operation) is step]
            parts += [f"## {chapter.name}\n\n{chapter.about}\n"] if found else []
            for step in found:
                parts.append(_route(book, book.operation(step)))
                parts += [_told(plays, plays.play(each)) for each in (step, *refusals.get(step.operation, []))]
    return "\n".join(parts)


def _chosen(book: Book) -> tuple[dict[str, Step], dict[str, list[Step]]]:
    """For each route its example, the first step that succeeds; and the first step of each kind of refusal."""
    examples: dict[str, Step] = {}
    for step in sorted(book.steps, key=lambda step: step.refused):
        examples.setdefault(step.operation, step)
    kinds: dict[int, Step] = {}
    for step in book.steps:
        if step.refused and step is not examples[step.operation]:
            kinds.setdefault(step.status, step)
    refusals: dict[str, list[Step]] = {}
    for step in kinds.values():
        refusals.setdefault(step.operation, []).append(step)
    return examples, refusals


def _route(book: Book, operation: Operation) -> str:
    """What a route is and what it takes."""
    doc = operation.doc
    who = "needs no key" if operation.public else f"for {', '.join(operation.roles)}"
    lines = [
        f"### {doc['summary']}",
        "",
        f"`{operation.method.upper()} {operation.path}` ({doc['operationId']}), {who}. {sentence(doc['description'])}",
        "",
    ]
    if inputs := book.inputs(operation):
        lines += ["| name | in | type | required | what it is |", "|---|---|---|---|---|"]
        lines += [_row(one) for one in inputs] + [""]
    return "\n".join(lines)


def _row(one: Input) -> str:
    cells = (f"`{one.name}`", one.place, one.kind, "yes" if one.required else "", one.about)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _told(plays: Player, told: Told) -> str:
    """A curl line and its answer."""
    step = told.step
    words = [f"#### {step.name}", "", *([step.about, ""] if step.about else [])] if step.refused else []
    language, text = ("json", _laid_out(json.loads(told.text))) if told.media == JSON else ("text", _plain(told.text))
    block = ["```sh", _curl(plays, told), "```", "", f"Answers {told.status}:", "", f"```{language}", text, "```", ""]
    return "\n".join([*words, *block])


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip()


def _curl(plays: Player, told: Told) -> str:
    """The request as a line for a shell."""
    request = told.request
    method = [] if request.method == ("POST" if request.body else "GET") else ["-X", request.method]
    parts = ["curl", "-s", *method, f'"$URL{request.url}"']
    if request.credential == OURS:
        parts += ["-H", '"X-API-Key: $KEY"']
    elif request.credential:
        parts += ["-H", shlex.quote(f"Authorization: Bearer {plays.credential(request)}")]
    for name, value in request.headers.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        body = json.dumps(json.loads(request.body)) if request.headers["Content-Type"] == JSON else request.body
        parts += ["--data-binary", shlex.quote(body)]
    return " ".join(parts)


def _laid_out(value: Any, indent: int = 0) -> str:
    """JSON as people read it: what fits on a line stands on one."""
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(short) + indent <= WIDTH:
        return short
    return "\n".join(_lines(value, indent))


def _lines(value: Any, indent: int) -> Iterator[str]:
    inner = " " * (indent + 2)
    opens, closes = "{}" if isinstance(value, dict) else "[]"
    pairs = value.items() if isinstance(value, dict) else [("", each) for each in value]
    parts = [inner + (f"{json.dumps(name)}: " if name else "") + _laid_out(each, indent + 2) for name, each in pairs]
    yield opens
    yield ",\n".join(parts)
    yield " " * indent + closes
