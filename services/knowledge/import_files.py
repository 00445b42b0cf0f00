"""Reads articles from files: Markdown with front matter, a ZIP of such files, or CSV and JSON of questions and answers.

Each article comes as the fields of its row, not checked yet, with a `source` that is the same in the next import.
"""

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson
import yaml

from ai.retrieval.passages import heading_text
from core.errors import AppError, FieldError, bad_request, invalid_field
from core.json_names import repeated_name
from core.models import CATEGORIES
from services.import_export.import_values import RawRow, field_name

MOST_ARTICLES = 10_000
MOST_BYTES = 64 * 1024 * 1024  # of all files of a ZIP together, unpacked
MOST_FILE_BYTES = 2 * 1024 * 1024
MOST_FRONT_MATTER = 8 * 1024  # characters
TEXT_SUFFIXES = (".md", ".markdown", ".mdown", ".txt")
ALIASES = {
    "question": "title",
    "answer": "body",
    "text": "body",
    "content": "body",
    "description": "body",
    "state": "status",
    "tag": "tags",
    "keywords": "tags",
}
YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# What other systems call the state of an article.
STATUS_WORDS = {
    "live": "published",
    "public": "published",
    "active": "published",
    "unpublished": "draft",
    "in review": "draft",
    "review": "draft",
    "pending": "draft",
    "private": "draft",
    "hidden": "draft",
    "archived": "draft",
}
FIELDS = ("title", "body", "tags", "category", "status", "source")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"\s{0,99}#[ \t]+([^\n]{1,998})\n?")


def read(name: str, data: bytes, suffix: str = "") -> Iterator[RawRow]:
    """The articles of a file by the ending of its name, or by how it begins. `suffix` is for a file without a name.

    Raises AppError 400 when it cannot be used.
    """
    suffix = PurePosixPath(name.lower()).suffix or suffix
    if data.startswith(b"PK\x03\x04") or suffix == ".zip":
        return _zip_rows(data)
    if suffix not in ("", ".json", ".csv", *TEXT_SUFFIXES):
        raise bad_request("unknown_file", "Send Markdown, CSV or JSON, or a ZIP of Markdown files.")
    text = decode(data)
    if suffix in TEXT_SUFFIXES:
        return iter([_markdown_row(1, name, text)])
    if suffix == ".json" or text.lstrip()[:1] in ("[", "{"):
        return _json_rows(name, text)
    return _csv_rows(name, text)


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 or, with its mark, UTF-16. Raises AppError 400."""
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise bad_request("bad_charset", "The file is not text in UTF-8. Save it as UTF-8 and send it again.") from None


def _zip_rows(data: bytes) -> Iterator[RawRow]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        raise bad_request("bad_zip", "The file is not a ZIP that can be read.") from None
    files = [file for file in archive.infolist() if is_article(file.filename)]
    if not files:
        raise bad_request("empty_file", "The ZIP holds no Markdown file.")
    if len(files) > MOST_ARTICLES or sum(file.file_size for file in files) > MOST_BYTES:
        raise bad_request("too_many", f"A ZIP may hold {MOST_ARTICLES:,} files of {MOST_BYTES >> 20} MiB together.")
    return (_zipped_row(line, archive, file) for line, file in enumerate(files, 1))


def is_article(name: str) -> bool:
    """Whether a name in a ZIP is an article: hidden files and what macOS adds are not."""
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__")) for part in path.parts)
    return path.suffix.lower() in TEXT_SUFFIXES and not is_hidden


def _zipped_row(line: int, archive: zipfile.ZipFile, file: zipfile.ZipInfo) -> RawRow:
    name = file.filename
    if file.file_size > MOST_FILE_BYTES:
        return RawRow(line, problem=FieldError("", f"{name} has more than {MOST_FILE_BYTES >> 20} MiB."))
    try:
        with archive.open(file) as content:
            data = content.read(MOST_FILE_BYTES + 1)
        return _markdown_row(line, name, decode(data))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error, AppError):
        return RawRow(line, problem=FieldError("", f"{name} cannot be read: it is damaged, encrypted or not UTF-8."))


def _markdown_row(line: int, name: str, text: str) -> RawRow:
    """An article of one file: fields from its front matter, the title else from its first heading or its name."""
    fields: dict[str, Any] = {}
    if match := _FRONT_MATTER.match(text):
        text = text[match.end() :]
        try:
            front = yaml.safe_load(match[1]) if len(match[1]) <= MOST_FRONT_MATTER else None
        except yaml.YAMLError:
            front = None
        if not isinstance(front, dict):
            return RawRow(line, problem=FieldError("", f"The front matter of {name} is not lines like title: Refunds."))
        fields = _article_fields(front, name)
        fields["source"] = str(front.get("source") or name)
    heading = _HEADING.match(text)
    if "title" not in fields and heading:
        fields["title"], text = heading_text(heading[1]), text[heading.end() :]
    stem = PurePosixPath(name).stem.replace("-", " ").replace("_", " ").strip()
    fields = {"title": stem, **fields, "body": text.strip()}
    return RawRow(line, {**fields, "source": fields.get("source") or name or _title_source("", fields)})


def _csv_rows(name: str, text: str) -> Iterator[RawRow]:
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise bad_request("bad_csv", f"The CSV cannot be read: {error}.") from None
    return _rows(name, rows)


def _json_rows(name: str, text: str) -> Iterator[RawRow]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(
            "bad_json", f"The file is not valid JSON (line {error.lineno}, column {error.colno})."
        ) from None
    if repeated := repeated_name(text.encode()):
        raise invalid_field(repeated[:100], f"{repeated[:100]} stands twice in one object of the file.")
    if isinstance(data, dict):
        data = next((data[key] for key in ("articles", "data", "questions") if isinstance(data.get(key), list)), None)
    if not isinstance(data, list):
        raise bad_request("not_a_list", 'Send a list of articles, or an object like {"articles": [ … ]}.')
    return _rows(name, data)


def _rows(name: str, rows: list[Any]) -> Iterator[RawRow]:
    if not rows:
        raise bad_request("empty_file", "The file holds no article.")
    if len(rows) > MOST_ARTICLES:
        raise bad_request("too_many", f"A file may hold {MOST_ARTICLES:,} articles.")
    for line, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            yield RawRow(line, problem=FieldError("", "Each article must be an object with title and body."))
            continue
        fields = _article_fields(row, name)
        yield RawRow(line, fields | {"source": fields.get("source") or _title_source(name, fields)})


def _title_source(name: str, fields: Mapping[str, Any]) -> str:
    """The source of an article that names none: its title tells whether it is the same one."""
    title = str(fields.get("title", "")).strip().casefold()
    return f"{name or 'import'}#{hashlib.blake2b(title.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def _article_fields(row: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """The fields of an article among those of a file; a category that is none of ours becomes a tag."""
    named = {field_name(str(column)): value for column, value in row.items() if value not in (None, "", [])}
    fields = {field: named[field] for field in FIELDS if field in named}
    for alias, field in ALIASES.items():
        if alias in named:
            fields.setdefault(field, named[alias])
    if "source" not in fields and "id" in named:
        fields["source"] = f"{name or 'import'}#{named['id']}"
    for flag, status in (("draft", "draft"), ("published", "published")):
        if str(named.get(flag)).lower() in YES_OR_NO:
            other = {"draft": "published", "published": "draft"}[status]
            fields.setdefault("status", status if YES_OR_NO[str(named[flag]).lower()] else other)
    tags, category = fields.get("tags", []), fields.get("category")
    tags = re.split(r"[,;|]", tags) if isinstance(tags, str) else list(tags) if isinstance(tags, list) else [tags]
    if isinstance(category, list) or (category and str(category).strip().lower() not in CATEGORIES):
        tags += category if isinstance(category, list) else [category]
        del fields["category"]
    if "status" in fields:
        word = str(fields["status"]).strip().lower().replace("_", " ")
        fields["status"] = STATUS_WORDS.get(word, word)
    fields |= {field: str(fields[field]) for field in ("title", "body", "category", "source") if field in fields}
    tags = list(dict.fromkeys(tag.strip() for tag in map(str, tags) if tag.strip()))
    return fields | ({"tags": tags} if tags else {})
