"""Files that somebody may send as an import: damaged ones, and ones that were made to do harm."""

import io
import struct
import zipfile

import pytest

from services.transfers import archive as module
from services.transfers.archive import Archive, Unusable
from services.transfers.values import MOST_NUMBER
from tests.support.transfers import packed

ARTICLE = {
    "id": "1",
    "title": "Good",
    "created_at": "2026-01-02T03:04:05.000Z",
    "updated_at": "2026-01-02T03:04:05.000Z",
}
GOOD = packed({"articles": [ARTICLE] * 50}, {"1": b"Hello"})


def refused(data, words):
    with pytest.raises(Unusable, match=words):
        Archive(io.BytesIO(data)).verify(MOST_NUMBER)


def with_name(name, *, times=1, data=b"x", compression=zipfile.ZIP_STORED):
    """The good file with further members of that name."""
    target = io.BytesIO(GOOD)
    with zipfile.ZipFile(target, "a", compression) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipInfo, "__init__", _unchecked(zipfile.ZipInfo.__init__))
        for _ in range(times):
            file.NameToInfo.pop(name, None)  # else the library warns
            file.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return target.getvalue()


def _unchecked(init):
    def keep_name(member, filename="NoName", date_time=(1980, 1, 1, 0, 0, 0)):
        init(member, filename, date_time)
        member.filename = filename

    return keep_name


def test_a_good_file_is_read_whole():
    archive = Archive(io.BytesIO(GOOD))
    archive.verify(MOST_NUMBER)
    assert (archive.lines["articles"], archive.lines["tickets"], archive.ignored) == (50, 0, [])
    assert [number for number, _ in archive.read_lines("articles")] == list(range(1, 51))
    file = archive.attached("1")
    assert (file.seek(0, 2), file.seek(0), file.read(2), file.seek(0), file.read()) == (5, 0, b"He", 0, b"Hello")
    assert archive.attached("2") is None


@pytest.mark.parametrize(
    "name",
    [
        "../tickets.jsonl",
        "attachments/../../etc/passwd",
        "/etc/passwd",
        "..",
        "attachments\\1",
        "C:\\tickets.jsonl",
        "tickets.jsonl\n",
        "tick\x00ets.jsonl",
        "\u202etickets.jsonl",
    ],
)
def test_a_name_that_leads_elsewhere_refuses_the_file(name):
    refused(with_name(name), "not accepted")


def test_names_that_stand_twice_refuse_the_file():
    refused(with_name("articles.jsonl"), "twice")
    refused(with_name("attachments/7", times=2), "twice")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_stored_and_deflated_members_are_read(compression):
    refused(with_name("attachments/7", compression=compression), "compressed in a way")


def test_an_encrypted_member_refuses_the_file():
    data = bytearray(GOOD)
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    refused(bytes(data), "encrypted")


def test_members_that_mean_nothing_here_are_named():
    data = with_name("__MACOSX/._tickets.jsonl")
    assert Archive(io.BytesIO(data)).ignored == ["__MACOSX/._tickets.jsonl"]
    assert Archive(io.BytesIO(with_name("attachments/", data=b""))).ignored == []


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(module, "UNPACKED_FREE", 1024 * 1024)
    refused(with_name("attachments/7", data=bytes(4 * 1024 * 1024), compression=zipfile.ZIP_DEFLATED), "bomb")
    data = packed({"articles": [b" " * 4 * 1024 * 1024 + b"\n"]})
    refused(data, "bomb")


def test_a_member_that_says_it_is_small_is_not_read_further():
    data = bytearray(packed({"articles": [b" " * 4 * 1024 * 1024 + b"\n"]}))
    at = data.index(b"PK\x01\x02")
    while b"articles" not in data[at + 46 : at + 60]:
        at = data.index(b"PK\x01\x02", at + 4)
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    refused(bytes(data), "damaged")


def test_a_list_of_too_many_members_is_not_read(monkeypatch):
    monkeypatch.setattr(module, "MOST_DIRECTORY", 100)
    refused(GOOD, "too many files")


def test_a_line_that_never_ends_is_not_held(monkeypatch):
    monkeypatch.setattr(module, "MOST_LINE", 1000)
    refused(packed({"articles": [b"x" * 5000 + b"\n"]}), "longer than")


@pytest.mark.parametrize("length", [0, 1, 100, len(GOOD) // 2, len(GOOD) - 30, len(GOOD) - 1])
def test_a_file_that_is_cut_off_refuses_itself(length):
    refused(GOOD[:length], "cannot be read")


@pytest.mark.parametrize(
    "text", [b"no ZIP at all", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_export_refuses_itself(text):
    refused(text, "cannot be read|missing|too many")


def test_a_damaged_member_refuses_the_file():
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as good, zipfile.ZipFile(plain, "w") as stored:
        for name in good.namelist():
            stored.writestr(name, good.read(name))
    refused(plain.getvalue().replace(b"Good", b"Evil", 1), "articles.jsonl is damaged")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"manifest.json": None}, "missing"),
        ({"manifest.json": b"[]"}, "must be an object"),
        ({"manifest.json": b"{"}, "no JSON"),
        ({"manifest.json": {"format": 2, "lines": {}}}, "format 1"),
        ({"manifest.json": {"format": 1, "lines": {"articles": 2}}}, "manifest.json says otherwise"),
        ({"manifest.json": {"format": 1, "lines": [1]}}, "manifest.json says otherwise"),
    ],
)
def test_a_manifest_that_does_not_fit_refuses_the_file(members, words):
    refused(packed({"articles": [ARTICLE]}, **members), words)


def test_the_highest_number_counts_only_what_a_ticket_may_have():
    rows = [{"number": 7}, {"number": 10**12}, {"number": "9"}, [8], b"{no\n"]
    archive = Archive(io.BytesIO(packed({"tickets": rows})))
    archive.verify(MOST_NUMBER)
    assert archive.highest_number == 7
