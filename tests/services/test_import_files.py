"""Reading import files of any size and content: bounded memory and work for each row, and the same rows as a whole parse gives."""

import io
import itertools
import tracemalloc

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.imports import columns_of
from core.errors import AppError
from services.import_export import import_csv, import_files, import_json

MIB = 1024 * 1024
SIZE = 3 * MIB // 2
MEMORY = 10 * MIB  # the rows of a whole file take 50 MiB and more
MOST = 40  # rows that are looked at
HEAD = b"user_id,description\n"


class Slow(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size > 0 else size)


def rows(data, kind, *, file=io.BytesIO):
    return list(import_files.read(file(data), kind, columns=columns_of()))


def repeated(part, *, head=b"", end=b""):
    return head + part * ((SIZE - len(head) - len(end)) // len(part)) + end


# Name → the file, how many rows are read of it (None: it is refused as a whole), what the first problem says.
FILES = {
    "quotes.csv": (repeated(b'x","\n', head=HEAD), MOST, "quotation mark"),
    "quotes header.csv": (repeated(b'x","\n'), None, "quotation mark"),
    "lines.csv": (repeated(b"a\n", head=HEAD), MOST, ""),
    "blank lines.csv": (repeated(b"\n", head=HEAD), 0, ""),
    "empty rows.csv": (repeated(b",\n", head=HEAD), 0, ""),
    "one line.csv": (repeated(b"x"), None, "at most 65,536 characters"),
    "one wide line.csv": (repeated(b"x", head="😀".encode()), None, "at most 65,536 characters"),
    "one row.csv": (repeated(b"x", head=HEAD), 1, "at most 65,536 characters"),
    "one quoted row.csv": (repeated(b"x", head=HEAD + b'1,"', end=b'"\n'), 1, "at most 65,536 characters"),
    "columns.csv": (repeated(b"a,"), None, "at most 65,536 characters"),
    "many columns.csv": (b"," * 1000 + b"description\n", None, "1,001 columns"),
    "values.csv": (repeated(b"1,a" + b"," * 60_000 + b"\n", head=HEAD), 26, "60002 values"),
    "utf-16.csv": (("\ufeffuser_id,description\n" + "1,ü\n" * (SIZE // 8)).encode("utf-16-le"), MOST, ""),
    "windows.csv": (repeated(b"1,\xe9\n", head=HEAD), MOST, ""),
    "damaged.csv": (repeated(b"1,\xff\n", head=HEAD + "1,é\n".encode()), MOST, "no text"),
    "zip.csv": (repeated(b"\0", head=b"PK\x03\x04"), None, "compressed file"),
    "gzip.json": (repeated(b"\0", head=b"\x1f\x8b\x08"), None, "compressed file"),
    "open lists.json": (repeated(b"["), None, "not valid JSON"),
    "lists in a list.json": (b"[" + b"[" * (SIZE // 2) + b"]" * (SIZE // 2) + b"]", 1, "262,144 bytes"),
    "numbers.json": (repeated(b"1,", head=b"[", end=b"1]"), MOST, "must be an object"),
    "objects.json": (repeated(b"{},", head=b"[", end=b"{}]"), MOST, ""),
    "one text.json": (repeated(b"x", head=b'["', end=b'"]'), 1, "262,144 bytes"),
    "one open text.json": (repeated(b"\\", head=b'["'), None, "not valid JSON"),
    "members.json": (repeated(b'"a":1,', head=b"{", end=b'"tickets":[1]}'), 1, "must be an object"),
    "one ticket.json": (repeated(b'"a":1,', head=b"[{", end=b'"b":1},2]'), 2, "262,144 bytes"),
    "fields.json": (b"[" + orjson.dumps({f"a{n}": 1 for n in range(101)}) + b"]", 1, "100 fields"),
    "spaces.json": (repeated(b" \n", head=b"[", end=b"]"), 0, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_content_is_read_in_little_memory(name):
    data, count, problem = FILES[name]
    kind, file = name.rpartition(".")[2], io.BytesIO(data)
    tracemalloc.start()
    try:
        read = list(itertools.islice(import_files.read(file, kind, columns=columns_of()), MOST))
        found, told = len(read), next((row.problem.message for row in read if row.problem), "")
    except AppError as error:
        found, told = None, error.message + " ".join(reason.message for reason in error.errors)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == count
    assert problem in told
    assert peak < MEMORY, f"{peak / MIB:.1f} MiB"


def whole(data):
    """What a parse of the whole file gives: its items, or None when it is refused."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    items = body.get("tickets") if isinstance(body, dict) else body
    return items if isinstance(items, list) else None


VALUES = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(['"', "\\", "[", "]}", ",", "é", "a\\", "\n", "\\\\"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", '"', "tickets"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    st.lists(VALUES, max_size=5),
    st.fixed_dictionaries({"tickets": st.lists(VALUES, max_size=4)}, optional={"a": VALUES, "[": VALUES}),
    VALUES,
)
SPACES = st.sampled_from([b"", b" ", b"\n", b"\t \r\n"])


@st.composite
def json_files(draw):
    data = orjson.dumps(draw(BODIES))
    if draw(st.booleans()):
        data = orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2)
    if draw(st.booleans()):
        at, cut = draw(st.integers(0, len(data))), draw(st.integers(0, 2))
        data = data[:at] + draw(st.sampled_from([b"", *(bytes([c]) for c in b'[]{},:"\\1 ')])) + data[at + cut :]
    return draw(SPACES) + data + draw(SPACES)


@settings(max_examples=200, deadline=None)
@given(data=json_files(), chunk=st.sampled_from([1, 2, 3, 5, 64, 4096]))
@example(data=b'{"tickets":1 []}', chunk=4096)
def test_json_is_read_as_a_whole_parse_would(data, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_json, "_CHUNK", chunk)
        expected = whole(data)
        if expected is None:
            with pytest.raises(AppError, match=r"JSON|a list"):
                rows(data, "json")
            return
        found = rows(data, "json")
    for row, item in zip(found, expected, strict=True):
        assert (row.problem is None) == isinstance(item, dict)
        assert row.problem or len(row.values) <= len(item)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("nonsense", "line 1, column 1"),
        ('[{"a": 1},\n {"b": 1},\n {"c": }]', "line 3, column 8"),
        ('{\n"x": 1,\n"tickets": [{"a": 1}, {"b" 1}]}', "line 3, column 28"),
        ('[{"a": 1}', "line 1, column 2"),
        ("[1]\n[2]", "line 2, column 1"),
    ],
)
def test_where_json_is_wrong_is_said(text, place):
    with pytest.raises(AppError, match=place):
        rows(text.encode(), "json")


@pytest.mark.parametrize(
    "text",
    [
        'user_id,description\n1,"two\nlines"\n2,never "closed\n3,"open\n4,fine\n',
        'user_id;description\r\n1;Grüße\r\n\r\n;;\r\n2;"semi;colon"\r\n',
        "user_id\tdescription\n1\ta\n",
    ],
)
def test_how_a_csv_file_is_cut_into_reads_does_not_matter(text):
    assert rows(text.encode(), "csv", file=Slow) == rows(text.encode(), "csv")


def test_all_fields_at_their_longest_fit_into_a_row_and_an_item():
    fields = {"title": 200, "description": 20_000, "resolution": 5_000, "tags": 20 * 51, "customer_email": 254}
    cells = ['"' + '"' * 2 * size + '"' for size in fields.values()]
    text = ",".join(fields) + "\n" + ",".join(cells) + "\n"
    assert len(cells) * 2 < len(text) < import_csv.MAX_RECORD
    (row,) = rows(text.encode(), "csv")
    assert row.values["description"] == '"' * 20_000
    escaped = ",".join(f'"{name}":"{chr(92)}u00e9' + "\\u00e9" * (size - 1) + '"' for name, size in fields.items())
    (row,) = rows(f"[{{{escaped}}}]".encode(), "json")
    assert row.values["description"] == "é" * 20_000
