"""The story as Postman reads it: a collection of version 2.1, and an environment for each place a desk runs.

Ids follow from names, so that the files change only where the story or a route does.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.specs.declarations import Json, Operation, sentence
from tools.api_examples.collection import Book, Input
from tools.api_examples.steps import JSON, OURS, Chapter, Step

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = (
    "Every route of the desk in a story that runs top to bottom, each request with its tests. Set apiKey to an admin key "
    "and baseUrl to the address of your desk, without a path; then run the collection. It takes back what it makes."
)
ENVELOPE = """\
if ((pm.response.headers.get("Content-Type") || "").includes("application/json")) {
  pm.test("has the envelope", () => {
    const body = pm.response.json();
    pm.expect(body).to.include.keys("success", "message", "data");
    pm.expect(body.success).to.equal(pm.response.code < 400);
    pm.expect(body.message).to.be.a("string").and.not.empty;
    pm.expect(body.message.length).to.be.at.most(200);
    pm.expect(body.data).to.be.an(Array.isArray(body.data) ? "array" : "object");
  });
}"""
NEW_RUN = 'pm.collectionVariables.set("runId", `postman-${pm.variables.replaceIn("{{$guid}}")}`);'
# One request sent on its own needs a run as well.
ANY_RUN = 'if (!pm.collectionVariables.get("runId")) ' + NEW_RUN
PLACES = {"local": "http://127.0.0.1:5000", "render": "https://YOUR-SERVICE.onrender.com"}


def written(document: Json) -> str:
    """A document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def collection(book: Book) -> Json:
    """The whole collection. Raises StoryError when the story names what does not exist."""
    return {
        "info": {"_postman_id": _id("collection"), "name": "Foyer", "description": ABOUT, "schema": SCHEMA},
        "auth": _key_auth(OURS),
        "variable": [
            {"key": variable.name, "value": variable.value, "type": "string", "description": variable.about}
            for variable in book.variables
        ],
        "event": [_event("prerequest", [ANY_RUN]), _event("test", ENVELOPE.splitlines())],
        "item": [_folder(book, chapter) for chapter in book.chapters],
    }


def environments() -> dict[str, Json]:
    """An environment for each place, by the name of its file."""
    return {
        f"foyer.{place}.postman_environment.json": {
            "id": _id(f"environment {place}"),
            "name": f"Foyer {place}",
            "values": [
                {"key": "baseUrl", "value": url, "type": "default", "enabled": True},
                {"key": OURS, "value": "", "type": "secret", "enabled": True},
            ],
            "_postman_variable_scope": "environment",
        }
        for place, url in PLACES.items()
    }


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"foyer/postman/{name}"))


def _folder(book: Book, chapter: Chapter) -> Json:
    return {
        "id": _id(chapter.name),
        "name": chapter.name,
        "description": chapter.about,
        "item": [_item(book, step) for step in chapter.steps],
    }


def _item(book: Book, step: Step) -> Json:
    """A request with its tests. The first of each route shows everything the route takes."""
    steps = list(book.steps)
    begins = [_event("prerequest", [NEW_RUN])] if step is steps[0] else []
    first = step is next(other for other in steps if other.operation == step.operation and not other.method)
    return {
        "id": _id(f"request {step.name}"),
        "name": step.name,
        "event": [*begins, _event("test", list(_tests(book, step)))],
        "request": _request(book, step, everything=first),
        "response": [],
    }


def _request(book: Book, step: Step, *, everything: bool) -> Json:
    operation, request = book.operation(step), book.request(step)
    inputs = book.inputs(operation)
    made: Json = {
        "method": request.method,
        "header": _pairs(request.headers, inputs, "header", unused=everything),
        "url": _url(book, step, everything=everything),
        "description": _about(step, operation, inputs if everything else []),
    }
    if not request.credential:
        made["auth"] = {"type": "noauth"}
    elif request.credential != OURS:
        made["auth"] = {"type": "bearer", "bearer": [_text("token", f"{{{{{request.credential}}}}}")]}
    if request.body:
        made["body"] = {"mode": "raw", "raw": request.body}
        if step.media == JSON:
            made["body"]["options"] = {"raw": {"language": "json"}}
    return made


def _url(book: Book, step: Step, *, everything: bool) -> Json:
    operation, request = book.operation(step), book.request(step)
    parts = [part.replace("{", ":").rstrip("}") for part in operation.path.strip("/").split("/")]
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    inputs = book.inputs(operation)
    made: Json = {
        "raw": "{{baseUrl}}/" + "/".join(parts) + (f"?{query}" if query else ""),
        "host": ["{{baseUrl}}"],
        "path": parts,
    }
    if pairs := _pairs(request.query, inputs, "query", unused=everything):
        made["query"] = pairs
    if values := book.path_values(step):
        made["variable"] = _pairs(values, inputs, "path", unused=False)
    return made


def _pairs(given: Any, inputs: list[Input], place: str, *, unused: bool) -> list[Json]:
    """What is sent, each with its description, and on demand what else could be, switched off."""
    about = {one.name: one.about for one in inputs if one.place == place}
    sent = [
        {"key": name, "value": value, **({"description": about[name]} if name in about else {})}
        for name, value in given.items()
    ]
    if not unused:
        return sent
    return sent + [
        {"key": name, "value": "", "description": words, "disabled": True}
        for name, words in about.items()
        if name not in given
    ]


def _about(step: Step, operation: Operation, inputs: list[Input]) -> str:
    """What the step is for, what its route does and who may; then the fields of the body."""
    doc = operation.doc
    roles = "Needs no key." if operation.public else f"Roles: {', '.join(operation.roles)}."
    parts = [step.about, f"{doc['summary']}: {sentence(doc['description'])} {roles}"]
    fields = [
        f"- `{one.name}` ({one.kind}{', required' if one.required else ''}): {one.about}"
        for one in inputs
        if one.place == "body"
    ]
    if fields:
        parts.append("Fields of the body:\n\n" + "\n".join(fields))
    return "\n\n".join(part for part in parts if part)


def _tests(book: Book, step: Step) -> Iterator[str]:
    if not step.plain:
        yield "const answer = pm.response.json().data;"
    if not step.also:
        yield _test(f"answers {step.status}", f"response.to.have.status({step.status})")
        yield from _checks(book, step)
        return
    allowed = [step.status, *step.also]
    yield _test(f"answers {' or '.join(map(str, allowed))}", f"expect(pm.response.code).to.be.oneOf({allowed})")
    yield f"if (pm.response.code === {step.status}) {{"
    yield from (f"  {line}" for line in _checks(book, step))
    yield "}"


def _checks(book: Book, step: Step) -> Iterator[str]:
    if step.code:
        yield _test(f"names the code {step.code}", f'expect(answer.code).to.equal("{step.code}")')
    elif not step.plain and _is_list(book, step):
        yield _test("is a page of a list", 'expect(pm.response.json()).to.include.keys("total", "limit", "offset")')
    for name, check in step.checks.items():
        yield _test(name, check)
    for name, place in step.saves.items():
        value = "answer" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in place.split("."))
        yield f'pm.collectionVariables.set("{name}", {value});'
    yield from step.script


def _is_list(book: Book, step: Step) -> bool:
    """Whether the route answers a list, by its declaration."""
    answer = book.operation(step).doc["responses"].get(str(step.status), {}).get("content", {}).get(JSON, {})
    return str(answer.get("schema", {}).get("$ref", "")).endswith("List")


def _test(name: str, check: str) -> str:
    return f"pm.test({json.dumps(name)}, () => pm.{check});"


def _event(listen: str, lines: list[str]) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _key_auth(variable: str) -> Json:
    parts = (("key", "X-API-Key"), ("value", f"{{{{{variable}}}}}"), ("in", "header"))
    return {"type": "apikey", "apikey": [_text(key, value) for key, value in parts]}


def _text(key: str, value: str) -> Json:
    return {"key": key, "value": value, "type": "string"}
