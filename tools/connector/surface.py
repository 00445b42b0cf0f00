"""What saved apps and flows rely on: each operation's name, arguments in order, and fields of its answer.

A released surface is kept in a lock file; `breaks` says what a new one takes away.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.connector.walk import Op, operations, resolved

Json = dict[str, Any]
LOCK = "surface.lock.json"
# The formats that make another type in formulas; e-mail addresses and whole numbers of any size stay what they are.
TELLING = ("date", "date-time", "byte", "binary")
DEEPEST = 8


def surface(definition: bytes) -> Json:
    """The surface of a definition: operations by name."""
    document = json.loads(definition)
    return {str(op.doc["operationId"]): _operation(document, op) for op in operations(document)}


def locked(definition: bytes) -> bytes:
    """The lock file for this definition."""
    return (json.dumps(surface(definition), indent=1, ensure_ascii=False) + "\n").encode()


def read_lock(folder: Path) -> Json | None:
    """The surface locked in this folder, None when there is none."""
    file = folder / LOCK
    if not file.exists():
        return None
    lock: Json = json.loads(file.read_bytes())
    return lock


def _operation(document: Json, op: Op) -> Json:
    arguments = {name: argument for name, argument in _arguments(document, op)}
    return {
        "kind": f"{op.doc['x-ms-trigger']} trigger" if "x-ms-trigger" in op.doc else "action",
        "shown": not op.internal,
        # As formulas see it: what is required comes first and in this order, all the rest in one record.
        "in_order": [name for name, argument in arguments.items() if _has_place(name, argument)],
        "arguments": arguments,
        "answer": dict(_fields_of_answer(document, op)),
    }


def _has_place(name: str, argument: Json) -> bool:
    return bool(argument["required"]) and "." not in name and "hidden" not in argument


def _arguments(document: Json, op: Op) -> Iterator[tuple[str, Json]]:
    bodies = [parameter for parameter in op.parameters if parameter.get("in") == "body"]
    for parameter in op.parameters:
        if parameter.get("in") != "body":
            yield parameter["name"], _argument(parameter, parameter["in"], required=parameter.get("required") is True)
    for body in bodies:
        schema = resolved(document, body["schema"]) or {}
        if schema.get("properties"):
            yield from _body_fields(document, schema, "", required=body.get("required") is True)
        else:
            yield "body", _argument(schema, "body", required=body.get("required") is True)


def _body_fields(document: Json, schema: Json, above: str, *, required: bool) -> Iterator[tuple[str, Json]]:
    for name, inner in schema["properties"].items():
        target = resolved(document, inner) or {}
        is_required = required and name in schema.get("required", [])
        yield f"{above}{name}", _argument(target, "body", required=is_required)
        if target.get("properties") and above.count(".") < DEEPEST:
            yield from _body_fields(document, target, f"{above}{name}.", required=is_required)


def _argument(schema: Json, place: str, *, required: bool) -> Json:
    argument: Json = {"in": place, "type": _type(schema), "required": required}
    if schema.get("x-ms-visibility") == "internal":
        argument["hidden"] = True
    return {**argument, "takes": schema["enum"]} if "enum" in schema else argument


def _type(schema: Json) -> str:
    kind = str(schema.get("type", "object"))
    if kind == "array":
        items = schema.get("items", {})
        return f"array of {_type(items) if '$ref' not in items else 'object'}"
    return f"{kind} {schema['format']}" if schema.get("format") in TELLING else kind


def _fields_of_answer(document: Json, op: Op) -> Iterator[tuple[str, str]]:
    for response in op.successes.values():
        if "schema" in response:
            yield from _fields(document, response["schema"], "", 0)


def _fields(document: Json, schema: Json, above: str, depth: int) -> Iterator[tuple[str, str]]:
    target = resolved(document, schema) or {}
    if above:
        yield above, _type(target)
    if depth > DEEPEST:
        return
    if target.get("type") == "array":
        items = resolved(document, target.get("items", {})) or {}
        target, above = items, f"{above}[]"
    for name, inner in target.get("properties", {}).items():
        yield from _fields(document, inner, f"{above}.{name}" if above else name, depth + 1)


def breaks(old: Json, new: Json) -> list[str]:
    """What `new` takes away from who relies on `old`, a sentence each, beginning with the operation."""
    sentences: list[str] = []
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            sentences.append(f"{name} is gone.")
        else:
            sentences += [
                f"{name}: {sentence}"
                for sentence in (*_kind(before, after), *_input(before, after), *_answer(before, after))
            ]
    return sentences


def _kind(before: Json, after: Json) -> Iterator[str]:
    if before["kind"] != after["kind"]:
        yield f"was of the kind {before['kind']} and is now of the kind {after['kind']}."
    if before["shown"] and not after["shown"]:
        yield "is hidden from makers now."


def _input(before: Json, after: Json) -> Iterator[str]:
    old_arguments, new_arguments = before["arguments"], after["arguments"]
    same = [name for name in old_arguments if name in new_arguments]
    for name in old_arguments:
        if name not in new_arguments:
            yield f"the argument {name} is gone."
    for name in same:
        yield from _argument_changed(name, old_arguments[name], new_arguments[name])
    for name, argument in new_arguments.items():
        if name not in old_arguments and argument["required"] and _parent_exists(name, old_arguments):
            yield f"the new argument {name} is required."
    order = [name for name in before["in_order"] if name in after["in_order"]]
    if order != [name for name in after["in_order"] if name in before["in_order"]]:
        yield f"the required arguments come in another order: {', '.join(after['in_order'])}."


def _parent_exists(name: str, old_arguments: Json) -> bool:
    """A field required within a new optional object bothers nobody who leaves the object out."""
    above = name.rpartition(".")[0]
    return not above or above in old_arguments


def _argument_changed(name: str, before: Json, after: Json) -> Iterator[str]:
    if before["type"] != after["type"]:
        yield f"the argument {name} was {before['type']} and is now {after['type']}."
    if before["in"] != after["in"]:
        yield f"the argument {name} moved from {before['in']} to {after['in']}."
    if after["required"] and not before["required"]:
        yield f"the argument {name} is required now."
    if before["required"] and not after["required"]:
        yield f"the argument {name} is no longer required, so that it loses its place in formulas."
    if "hidden" in after and "hidden" not in before:
        yield f"the argument {name} is hidden from makers now."
    for word in before.get("takes", []):
        if "takes" in after and word not in after["takes"]:
            yield f"the argument {name} no longer takes {word}."
    if "takes" in after and "takes" not in before:
        yield f"the argument {name} takes listed words only now."


def _answer(before: Json, after: Json) -> Iterator[str]:
    for name, kind in before["answer"].items():
        if name not in after["answer"]:
            yield f"the field {name} of the answer is gone."
        elif after["answer"][name] != kind:
            yield f"the field {name} of the answer was {kind} and is now {after['answer'][name]}."
