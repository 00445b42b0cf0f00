"""Development only: postman_collection.json and its environments, made from the scenario.

Ids follow from names, so the files change only when the scenario or a route does.
"""

import json
from collections.abc import Iterator, Mapping
from uuid import NAMESPACE_URL, uuid5

from api.specs.declarations import Json, sentence
from tools.api_examples.files import write_or_check
from tools.api_examples.scenario import ADMIN_KEY, JSON, VARIABLES, Chapter, Input, Scenario, Step

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = (
    "Every route in one scenario that runs from top to bottom, each request with its tests. Set apiKey to an admin key "
    "and baseUrl to the address of your server, without a path; then run the collection. It deletes what it creates."
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
ANY_RUN = 'if (!pm.collectionVariables.get("runId")) ' + NEW_RUN  # a request that is sent alone needs a run as well
PLACES = {"local": "http://127.0.0.1:5000", "render": "https://YOUR-SERVICE.onrender.com"}


def collection(scenario: Scenario) -> Json:
    """The whole collection. Raises ScenarioError."""
    variables = {name: (value, about) for name, (about, value) in VARIABLES.items()}
    for step in scenario.steps:
        for name in step.saves:
            variables.setdefault(name, ("", f"Set by the run, in {step.name}."))
    return {
        "info": {"_postman_id": _id("collection"), "name": "Foyer", "description": ABOUT, "schema": SCHEMA},
        "auth": {
            "type": "apikey",
            "apikey": [_text("key", "X-API-Key"), _text("value", f"{{{{{ADMIN_KEY}}}}}"), _text("in", "header")],
        },
        "variable": [{**_text(name, value), "description": about} for name, (value, about) in variables.items()],
        "event": [_event("prerequest", [ANY_RUN]), _event("test", ENVELOPE.splitlines())],
        "item": [_folder(scenario, chapter) for chapter in scenario.chapters],
    }


def environments() -> dict[str, Json]:
    """An environment for each place, by the name of its file."""
    return {
        f"foyer.{place}.postman_environment.json": {
            "id": _id(f"environment {place}"),
            "name": f"Foyer {place}",
            "values": [
                {"key": "baseUrl", "value": url, "type": "default", "enabled": True},
                {"key": ADMIN_KEY, "value": "", "type": "secret", "enabled": True},
            ],
            "_postman_variable_scope": "environment",
        }
        for place, url in PLACES.items()
    }


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"foyer/postman/{name}"))


def _folder(scenario: Scenario, chapter: Chapter) -> Json:
    items = [_item(scenario, step) for step in chapter.steps]
    return {"id": _id(chapter.name), "name": chapter.name, "description": chapter.about, "item": items}


def _item(scenario: Scenario, step: Step) -> Json:
    """A request with its tests. The first of each route offers everything the route takes."""
    begins = [_event("prerequest", [NEW_RUN])] if step is scenario.steps[0] else []
    first = next(each for each in scenario.steps if each.operation == step.operation and not each.method)
    return {
        "id": _id(f"request {step.name}"),
        "name": step.name,
        "event": [*begins, _event("test", list(_tests(scenario, step)))],
        "request": _request(scenario, step, everything=step is first),
        "response": [],
    }


def _request(scenario: Scenario, step: Step, *, everything: bool) -> Json:
    operation, request = scenario.operation(step), scenario.request(step)
    inputs = scenario.inputs(operation)
    parts = [part.replace("{", ":").rstrip("}") for part in operation.path.strip("/").split("/")]
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    raw = "{{baseUrl}}/" + "/".join(parts) + (f"?{query}" if query else "")
    url: Json = {"raw": raw, "host": ["{{baseUrl}}"], "path": parts}
    if pairs := _pairs(request.query, inputs, "query", unused=everything):
        url["query"] = pairs
    if values := scenario.path_values(step):
        url["variable"] = _pairs(values, inputs, "path", unused=False)
    item: Json = {
        "method": request.method,
        "header": _pairs(request.headers, inputs, "header", unused=everything),
        "url": url,
        "description": _about(scenario, step, inputs if everything else []),
    }
    if not request.credential:
        item["auth"] = {"type": "noauth"}
    elif request.credential != ADMIN_KEY:
        item["auth"] = {"type": "bearer", "bearer": [_text("token", f"{{{{{request.credential}}}}}")]}
    if request.body:
        item["body"] = {"mode": "raw", "raw": request.body}
        if step.media == JSON:
            item["body"]["options"] = {"raw": {"language": "json"}}
    return item


def _pairs(values: Mapping[str, str], inputs: list[Input], place: str, *, unused: bool) -> list[Json]:
    """What is sent, each with its description; with `unused` also what else could be, switched off."""
    about = {each.name: each.about for each in inputs if each.place == place}
    pairs: list[Json] = [{"key": name, "value": value} for name, value in values.items()]
    for pair in pairs:
        if pair["key"] in about:
            pair["description"] = about[pair["key"]]
    rest = {name: text for name, text in about.items() if name not in values} if unused else {}
    return pairs + [{"key": n, "value": "", "description": text, "disabled": True} for n, text in rest.items()]


def _about(scenario: Scenario, step: Step, inputs: list[Input]) -> str:
    """What the step is for, what its route does and who may call it; then the fields of the body."""
    operation = scenario.operation(step)
    roles = "Needs no key." if operation.public else f"Roles: {', '.join(operation.roles)}."
    parts = [step.about, f"{operation.doc['summary']}: {sentence(operation.doc['description'])} {roles}"]
    fields = [
        f"- `{each.name}` ({each.kind}{', required' if each.required else ''}): {each.about}"
        for each in inputs
        if each.place == "body"
    ]
    if fields:
        parts.append("Fields of the body:\n\n" + "\n".join(fields))
    return "\n\n".join(part for part in parts if part)


def _tests(scenario: Scenario, step: Step) -> Iterator[str]:
    if not step.plain:
        yield "const answer = pm.response.json().data;"
    if not step.also:
        yield _test(f"answers {step.status}", f"response.to.have.status({step.status})")
        yield from _checks(scenario, step)
        return
    statuses = [step.status, *step.also]
    yield _test(f"answers {' or '.join(map(str, statuses))}", f"expect(pm.response.code).to.be.oneOf({statuses})")
    yield f"if (pm.response.code === {step.status}) {{"
    yield from (f"  {line}" for line in _checks(scenario, step))
    yield "}"


def _checks(scenario: Scenario, step: Step) -> Iterator[str]:
    answer = scenario.operation(step).doc["responses"].get(str(step.status), {}).get("content", {}).get(JSON, {})
    is_list = str(answer.get("schema", {}).get("$ref", "")).endswith("List")
    if step.code:
        yield _test(f"names the code {step.code}", f'expect(answer.code).to.equal("{step.code}")')
    elif is_list and not step.plain:
        yield _test("is a page of a list", 'expect(pm.response.json()).to.include.keys("total", "limit", "offset")')
    for name, check in step.checks.items():
        yield _test(name, check)
    for name, place in step.saves.items():
        value = "answer" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in place.split("."))
        yield f'pm.collectionVariables.set("{name}", {value});'
    yield from step.script


def _test(name: str, check: str) -> str:
    return f"pm.test({json.dumps(name)}, () => pm.{check});"


def _event(listen: str, lines: list[str]) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _text(key: str, value: str) -> Json:
    return {"key": key, "value": value, "type": "string"}


def make_files() -> dict[str, str]:
    """The collection and its environments as texts by path. Raises ScenarioError."""
    documents = {"postman_collection.json": collection(Scenario())}
    documents |= {f"postman/{name}": environment for name, environment in environments().items()}
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in documents.items()}


if __name__ == "__main__":
    write_or_check("Makes postman_collection.json and its environments from the routes.", make_files)
