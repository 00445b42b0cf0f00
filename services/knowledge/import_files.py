"""Reads articles from files: Markdown with front matter, a ZIP of such files, or CSV, JSON and Excel of questions and answers.

Each article comes as the fields of its row, not checked yet, with a `source` that is the same in the next import.
"""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import orjson
import yaml

from ai.retrieval.passages import heading_text
from core.charsets import codec_of
from core.errors import AppError, FieldError, bad_request, invalid_field
from core.json_names import repeated_name
from core.models import CATEGORIES
from services.import_export import spreadsheets
from services.import_export.import_values import RawRow, field_name
from services.knowledge.articles import PLAIN_FIELDS

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
YES_OR_NO = {word: True for word in "true yes y on 1".split()} | {word: False for word in "false no n off 0".split()}
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
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"\s{0,99}#[ \t]+([^\n]{1,998})\n?")


def read(name: str, data: bytes, suffix: str = "", *, charset: str = "") -> Iterator[RawRow]:
    """The articles of a file by the ending of its name, or by how it begins. `suffix` is for a file without a name.

    Raises AppError 400 when it cannot be used.
    """
    suffix = PurePosixPath(name.lower()).suffix or suffix
    if spreadsheets.is_spreadsheet(io.BytesIO(data)):
        return _sheet_rows(name, data)
    if data.startswith(b"PK\x03\x04") or suffix == ".zip":
        return _zip_rows(data)
    if suffix not in ("", ".json", ".csv", *TEXT_SUFFIXES):
        raise bad_request("unknown_file", "Send Markdown, CSV, JSON or Excel, or a ZIP of Markdown files.")
    text = _decode(data, charset)
    if suffix in TEXT_SUFFIXES:
        return iter([_markdown_row(1, name, text)])
    if suffix == ".json" or text.lstrip()[:1] in ("[", "{"):
        return _json_rows(name, text)
    return _csv_rows(name, text)


def _decode(data: bytes, charset: str = "") -> str:
    """The text of a file in UTF-8, in UTF-16 with its mark, or in the charset that is named. Raises AppError 400."""
    codecs = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", charset or "utf-8"]
    for charset_name in codecs:
        with suppress(UnicodeError, LookupError):
            text = data.decode(charset_name if charset_name == "utf-8-sig" else codec_of(charset_name))
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise bad_request("bad_charset", "The file is not text in UTF-8. Save it as UTF-8 and send it again.")


def _zip_rows(data: bytes) -> Iterator[RawRow]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception:  # the library raises many kinds for damaged files
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
    except Exception:  # the library raises many kinds
        return RawRow(line, problem=FieldError("", f"{name} cannot be read: it is damaged or encrypted."))
    try:
        return _markdown_row(line, name, _decode(data))
    except AppError as error:
        return RawRow(line, problem=FieldError("", f"{name}: {error.message}"))


def _markdown_row(line: int, name: str, text: str) -> RawRow:
    """An article of one file: fields from its front matter, the title else from its first heading or its name."""
    fields: dict[str, Any] = {}
    match = _FRONT_MATTER.match(text)
    try:  # every value is text: dates and numbers are not read as such
        head = match[1] if match and len(match[1]) <= MOST_FRONT_MATTER else ""
        front = yaml.load(head, Loader=yaml.BaseLoader)  # noqa: S506  # it makes texts, lists and dicts only
    except (yaml.YAMLError, RecursionError, ValueError):
        problem = f"The front matter of {name or 'the file'} is not lines like title: Refunds."
        return RawRow(line, problem=FieldError("", problem))
    if match and isinstance(front, dict):  # else the file begins with a rule
        text = text[match.end() :]
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
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
        names = [field_name(column or "") for column in reader.fieldnames or []]
        if repeated := next((one for one in names if one and names.count(one) > 1), ""):
            raise bad_request("bad_header", f"There are two columns {repeated[:60]}.")
        rows = list(reader)
    except csv.Error as error:
        raise bad_request("bad_csv", f"The CSV cannot be read: {error}.") from None
    return _rows(name, rows)


def _sheet_rows(name: str, data: bytes) -> Iterator[RawRow]:
    """The articles of the first sheet of an Excel file, whose first row names the columns."""
    sheet = spreadsheets.rows(io.BytesIO(data))
    _, header = next(sheet, (0, []))
    names = [field_name(column) for column in header]
    if repeated := next((one for one in names if one and names.count(one) > 1), ""):
        raise bad_request("bad_header", f"There are two columns {repeated[:60]}.")
    return _rows(name, [{one: cell for one, cell in zip(names, cells, strict=False) if one} for _, cells in sheet])


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
        source = str(fields.get("source") or "").strip() or _title_source(name, fields)
        yield RawRow(line, fields | {"source": source})


def _title_source(name: str, fields: Mapping[str, Any]) -> str:
    """The source of an article that names none: its title tells whether it is the same one."""
    title = str(fields.get("title", "")).strip().casefold()
    return f"{name or 'import'}#{hashlib.blake2b(title.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def _is_yes(value: Any) -> bool | None:
    """Whether a flag is set, None for a word that is neither yes nor no."""
    return YES_OR_NO.get(str(value).strip().lower())


def _article_fields(row: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """The fields of an article among those of a file; a category that is none of ours becomes a tag."""
    named = {field_name(str(column)): value for column, value in row.items() if value not in (None, "", [])}
    fields = {field: named[field] for field in PLAIN_FIELDS if field in named}
    for alias, field in ALIASES.items():
        if alias in named:
            fields.setdefault(field, named[alias])
    if "source" not in fields and "id" in named:
        fields["source"] = f"{name or 'import'}#{named['id']}"
    if (flag := named.get("draft", named.get("is_draft"))) is not None:  # a word that is not known means a draft
        fields.setdefault("status", "published" if _is_yes(flag) is False else "draft")
    if (is_published := _is_yes(named.get("published", named.get("is_published")))) is not None:  # else a date
        fields.setdefault("status", "published" if is_published else "draft")
    tags, category = fields.get("tags", []), fields.get("category")
    tags = re.split(r"[,;|]", tags) if isinstance(tags, str) else list(tags) if isinstance(tags, list) else [tags]
    if isinstance(category, list) or (category and str(category).strip().lower() not in CATEGORIES):
        tags += category if isinstance(category, list) else [category]
        del fields["category"]
    if "status" in fields:
        word = str(fields["status"]).strip().lower().replace("_", " ")
        fields["status"] = STATUS_WORDS.get(word, word)
    numbers = {field: str(value) for field, value in fields.items() if isinstance(value, int | float)}
    tags = [tag.strip() if isinstance(tag, str) else tag for tag in tags]
    return fields | numbers | ({"tags": [tag for tag in tags if tag not in ("", None)]} if tags else {})
