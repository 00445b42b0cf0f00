"""Parses JSON bodies and query strings into checked values and reports all invalid fields at once.

Order of the checks: size, media type, JSON, empty values, aliases, unknown names, the schema's own checks.
"""

import codecs
import hashlib
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast
from urllib.parse import unquote_to_bytes

import orjson
from flask import Request, after_this_request, g, request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from api.http import file_fields
from api.http.field_names import check_field_names, fields_by_key, load_fields
from api.http.fields import THIS_FIELD, Email, Person
from core import file_names
from core.charsets import codec_of
from core.errors import (
    AppError,
    FieldError,
    bad_request,
    form_too_large,
    invalid,
    invalid_field,
    too_large,
    unavailable,
)
from core.json_names import MOST_LEVELS, is_too_deep, repeated_name
from core.normal_form import trimmed

_IN_MEMORY = 1024 * 1024  # of an upload; what is more goes to disk
_CHUNK = 64 * 1024
_JSON_SPACES = b" \t\r\n"
_FILES_IN_JSON = threading.BoundedSemaphore(1)
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


def load_body(schema: Schema, req: Request) -> dict[str, Any]:
    """The checked body of a request. Raises AppError 400, 413, 415."""
    if getattr(schema, "FROM_FORM", False):
        return load_values(schema, {**_parameters(schema, req), **_fields_beside_file(req, schema)})
    if getattr(schema, "ALSO_FORM", False) and req.mimetype in FORM_TYPES:
        return load_values(schema, _text_form(req))
    return load_values(schema, read_json(req))


def load_query(schema: Schema, req: Request) -> dict[str, Any]:
    """The checked query of a request. Raises AppError 400."""
    _check_text(req.query_string)
    fields = prepare(_parameters(schema, req), schema)
    by_key = fields_by_key(schema)
    return _load(schema, {name: _restore_plus(value, by_key[name]) for name, value in fields.items()})


def _parameters(schema: Schema, req: Request) -> dict[str, str]:
    """The query parameters by name. A comma list may be sent in parts. Raises AppError 400 when another parameter is repeated."""
    by_key = fields_by_key(schema)
    for name, values in req.args.lists():
        if len(values) > 1 and not getattr(by_key.get(name), "in_parts", False):
            raise invalid_field(name[:100], f"{name[:100]} stands twice in the address. Send it once.")
    return {name: ",".join(values) for name, values in req.args.lists()}


def _fields_beside_file(req: Request, schema: Schema) -> dict[str, Any]:
    """The fields of a body that may hold a file: JSON, a form, or where the schema names its type the file itself."""
    if req.mimetype in getattr(schema, "FILE_TYPES", ()):
        return {"content": upload(req)}
    return _form_fields(req, schema) if req.mimetype == FORM_TYPES[0] else _fields_with_file(req)


def _form_fields(req: Request, schema: Schema) -> dict[str, Any]:
    """The fields of a form; its file is `content`, and gives `name` and `content_type` when no field does."""
    file = _only_file(req)
    if file is None:
        return {**req.form.to_dict()}
    own = {"name": file_names.clean(file.filename or ""), "content_type": file.mimetype}
    own = {name: value for name, value in own.items() if name in schema.load_fields}
    return {**own, **req.form.to_dict(), "content": file.stream}


def _text_form(req: Request) -> dict[str, Any]:
    """The fields of a form without files. Raises AppError 400 for what JSON would not hold either."""
    raw = read_body(req)
    with _reading(req):
        form, files = req.form, req.files
    if files:
        raise bad_request("unexpected_file", "The form holds a file. This address takes none.")
    # Werkzeug keeps other bytes as literal %-escapes, or in a form of several parts as U+FFFD.
    parts = raw if req.mimetype == FORM_TYPES[0] else unquote_to_bytes(raw)
    try:
        parts.decode()
    except UnicodeDecodeError:
        raise bad_request("bad_form", "The form holds bytes that are not UTF-8.") from None
    if double := next((name[:100] for name, values in form.lists() if len(values) > 1), ""):
        raise invalid_field(double, f"{double} stands twice in the form. Send it once.")
    g.body = form.to_dict()
    return {**g.body}


def _fields_with_file(req: Request) -> dict[str, Any]:
    """The fields of a JSON body whose `content` is a file in base64, which goes to disk.

    One body at a time, because such a body is in memory several times while it is read.
    """
    with _FILES_IN_JSON:
        body = read_json(req, cache=False)
        try:
            content = file_fields.decoded(body.get("content"))
        except ValueError:
            return body  # the field says what is wrong
        # What the call is recognized by, in place of the text.
        g.body = {**body, "content": hashlib.sha256(content).hexdigest()}
        return {**body, "content": _on_disk(content)} if content else body


def _on_disk(content: bytes) -> IO[bytes]:
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # it is closed behind the answer
    _close_behind(file)
    try:
        file.write(content)
        file.seek(0)
    except OSError as error:
        raise _no_room() from error
    return cast(IO[bytes], file)


def _close_behind(file: Any) -> None:
    """Closes a file behind the answer."""
    after_this_request(lambda response: (file.close(), response)[1])


def _no_room() -> AppError:
    return unavailable("The server has no room for this file right now. Please try again later.")


def read_json(req: Request, *, cache: bool = True) -> dict[str, Any]:
    """The body as an object; no body at all is an empty one. Raises AppError 400, 413, 415."""
    raw = _as_utf8(read_body(req, cache=cache), req.mimetype_params.get("charset", ""))
    if not raw.strip(_JSON_SPACES):
        g.body = {}
        return {}
    if not req.is_json:
        raise AppError("Send JSON, with the header Content-Type: application/json.", "not_json", 415)
    try:
        body = orjson.loads(raw)
        repeated = repeated_name(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request("bad_json", _why_not_json(error)) from error
    if repeated:
        raise invalid_field(repeated[:100], f"{repeated[:100]} stands twice in the body. Send it once.")
    if not isinstance(body, dict):
        raise bad_request("not_an_object", 'The body must be a JSON object, like {"title": "…"}.')
    for name, value in body.items():
        if is_too_deep(value):
            raise invalid_field(
                name[:100], f"{name[:100]} holds more than {MOST_LEVELS} lists or objects within one another."
            )
    g.body = body
    return body


def _as_utf8(raw: bytes, charset: str) -> bytes:
    """The body in UTF-8, without a byte order mark. Raises AppError 400 for bytes that are not of the charset."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        charset = "utf-16"
    try:
        return raw.decode(codec_of(charset) if charset else "utf-8").encode().removeprefix(codecs.BOM_UTF8)
    except (UnicodeError, LookupError):
        raise bad_request("bad_json", f"The body is not text in {charset[:40] or 'UTF-8'}. Send UTF-8.") from None


def _why_not_json(error: orjson.JSONDecodeError) -> str:
    if "surrogate" in error.msg:
        return f"The body holds half a character (a lone surrogate; column {error.colno}). Send whole characters."
    return f"The body is not valid JSON (line {error.lineno}, column {error.colno})."


def _restore_plus(value: Any, field: Any) -> Any:
    """In a query a bare plus arrives as a space, which no address holds; names without @ keep theirs."""
    if isinstance(field, Email | Person) and isinstance(value, str) and "@" in value:
        return trimmed(value).replace(" ", "+")
    return value


def _check_text(query: bytes) -> None:
    """Raises AppError 400 for bytes that are not UTF-8: Werkzeug would keep them as literal %-escapes."""
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        raise bad_request("bad_query", "The address holds characters that are not text (UTF-8).") from None


def read_body(req: Request, *, cache: bool = True) -> bytes:
    """The bytes of the body. Raises AppError 400 for a torn body, 413 for one too large, 415 for a compressed one."""
    if header(req, "Content-Encoding").strip().lower() not in ("", "identity"):
        raise AppError("Send the body uncompressed, without the header Content-Encoding.", "compressed_body", 415)
    with _reading(req):
        raw = req.get_data(cache=cache)
    _check_size(req, len(raw))
    return raw


@contextmanager
def _reading(req: Request) -> Iterator[None]:
    """Turns what goes wrong while a body is read into AppError 400 and 413."""
    try:
        yield
    except RequestEntityTooLarge as error:
        raise too_large(req.max_content_length or 0) from error
    except HTTPException:
        raise
    except Exception as error:  # each server raises its own exceptions for an incomplete or badly chunked body
        raise bad_request("bad_body", "The body could not be read to its end.") from error


def _check_size(req: Request, size: int) -> None:
    most = req.max_content_length or 0
    if req.content_length is None and size >= most:
        raise too_large(most)  # sent in chunks, its length not said: what the server hands on ends at the limit
    if req.content_length is not None and size < req.content_length:
        raise bad_request("bad_body", "The body ended before it was complete. Nothing was done.")


def which_limit(req: Request) -> AppError:
    """The 413 that names the limit a request met: that of the body, or one of those within a form."""
    most = req.max_content_length or 0
    length = req.content_length  # None when it is sent in chunks
    is_beyond = getattr(req.stream, "is_exhausted", True) if length is None else length > most
    if not is_beyond and req.mimetype in FORM_TYPES:
        return form_too_large(req.max_form_parts or 0, req.max_form_memory_size or 0)
    return too_large(most)


def _only_file(req: Request) -> FileStorage | None:
    """The file of a form, None without one. Raises AppError 400 for several: no file is left out in silence."""
    files = [file for of_name in req.files.listvalues() for file in of_name]
    files = [file for file in files if file.filename] or files[:1]  # browsers send a chooser without a choice too
    if len(files) > 1:
        raise bad_request("several_files", f"The form holds {len(files)} files. Send one file with each call.")
    return files[0] if files else None


def upload(req: Request) -> IO[bytes]:
    """The file that was sent, at its beginning: of a form its only file, else the body. A large one is fields on disk.

    Raises AppError 400, 413, 503.
    """
    if req.mimetype == "multipart/form-data":
        sent = _only_file(req)
        file = sent.stream if sent else io.BytesIO()
    else:
        file = g.get("upload") or _spooled(req)
    file.seek(0)
    return file


def _spooled(req: Request) -> IO[bytes]:
    file: Any = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # it is closed behind the answer
    g.upload = file
    _close_behind(file)
    while True:
        with _reading(req):
            chunk = req.stream.read(_CHUNK)
        if not chunk:
            break
        try:
            file.write(chunk)
        except OSError as error:
            raise _no_room() from error
    _check_size(req, file.tell())
    return cast(IO[bytes], file)


def body_hash() -> str:
    """Hash of the body: of JSON regardless of order, spaces and client_reference, else of the bytes.

    Of a form only the file counts, because each request has another boundary.
    """
    body = g.get("body")
    if body is None:
        digest, file = hashlib.sha256(), upload(request)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
    fields = {name: value for name, value in body.items() if name != "client_reference"}
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


def load_values(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Loads values by the rules of a body, wherever they come from. Raises AppError 400."""
    return _load(schema, prepare(values, schema))


def _load(schema: Schema, fields: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return load_fields(schema, fields)
    except ValidationError as error:
        raise invalid(*flatten_errors(error.messages)) from None


def header(req: Request, name: str) -> str:
    """A header of a request, "" without it. Quicker than its `headers`, which raise within for a missing one."""
    return str(req.environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))


def prepare(values: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The fields a schema can load; read-only fields are moved to `g.echo`.

    Raises AppError 400 for unknown or contradictory names, together with the schema's own errors.
    """
    fields, errors = check_field_names(values, schema)
    read_only: frozenset[str] = getattr(schema, "READ_ONLY", frozenset())
    echo = {name: fields.pop(name) for name in list(fields) if name in read_only}
    if errors:
        raise invalid(*errors, *flatten_errors(schema.validate(fields)))
    if echo:
        g.echo = echo
    return fields


def flatten_errors(messages: Any, prefix: str = "") -> list[FieldError]:
    """marshmallow's nested messages as one list; a list's item is named like `tags[2]`."""
    if isinstance(messages, Mapping):
        return [error for name, inner in messages.items() for error in flatten_errors(inner, _join(prefix, name))]
    if isinstance(messages, list):
        return [FieldError(prefix, str(text).replace(THIS_FIELD, prefix)) for text in messages]
    return [FieldError(prefix, str(messages))]


def _join(prefix: str, name: Any) -> str:
    if isinstance(name, int):
        return f"{prefix}[{name}]"
    if name in ("json", "query", "_schema"):
        return prefix
    return f"{prefix}.{name}" if prefix else str(name)
