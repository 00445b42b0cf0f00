"""The journal: the next start after a torn or damaged line, and that a refused start changes no file."""

import re
import shutil
from pathlib import Path

import orjson
import pytest

from database.json_store.journal import DamagedJournal, Journal, LineNotWritten, WriteUnconfirmed, transactions
from database.transfer import staging_copy
from storage import StorageError
from tests.support.rows import ONE, add_company, add_customer, everything, files, open_store

ACTIVE = "foyer.json.journal"
LINES = 4


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder after kill -9 (a document without rows, a journal of four lines), and the rows after each line."""
    live, folder = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("killed")
    store = open_store(live)
    states = [everything(store)]
    add_company(store)
    states.append(everything(store))
    for name in ("ada", "bob", "eve"):
        with store.unit_of_work(None, write=True) as uow:
            add_customer(uow, name, ONE)
        states.append(everything(store))
    for name in ("foyer.json", ACTIVE):
        shutil.copy2(live / name, folder / name)
    store.close()
    assert len((folder / ACTIVE).read_bytes().splitlines()) == LINES
    return folder, states


@pytest.fixture
def crashed(tmp_path, killed):
    """A copy of it for one test."""
    folder, states = killed
    return Path(shutil.copytree(folder, tmp_path / "crashed")), states


def reopened(folder):
    """The rows of the store: of the replayed journal, and of the document that the first start wrote. They must be equal."""
    contents = []
    for _ in range(2):
        store = open_store(folder)
        contents.append(everything(store))
        store.close()
    assert contents[0] == contents[1]
    return contents[0]


def assert_refused(folder, *words):
    """Checks that the start fails with a sentence that holds all of `words`, and that no file changes."""
    before = files(folder)
    with pytest.raises(StorageError) as error_info:
        open_store(folder)
    for word in words:
        assert re.search(word, str(error_info.value)), f"{word!r} is not in {error_info.value}"
    assert files(folder) == before


def change_line(folder, number, change):
    """Applies `change` to one line of the journal, counted from 1."""
    path = folder / ACTIVE
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    path.write_bytes(b"".join(lines))


def test_a_whole_journal_is_replayed(crashed):
    folder, states = crashed
    assert reopened(folder) == states[LINES]
    assert (folder / ACTIVE).read_bytes() == b""


def test_a_last_line_cut_at_any_byte_leaves_the_earlier_lines(crashed):
    folder, _ = crashed
    content = (folder / ACTIVE).read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(content) - 1):
        (folder / ACTIVE).write_bytes(content[:end])
        assert [seq for seq, _ in transactions(folder / ACTIVE, after=0, may_be_torn=True)] == [1, 2, 3], end
        assert (folder / ACTIVE).read_bytes() == content[:end], "reading changes nothing"


def test_a_last_line_without_its_line_end_is_kept(crashed, caplog):
    """Its content is complete and its checksum is right, so it may have been acknowledged."""
    folder, states = crashed
    change_line(folder, LINES, lambda line: line[:-1])
    assert reopened(folder) == states[LINES]
    assert "not finished" not in caplog.text


def test_writing_goes_on_after_a_last_line_without_its_end(crashed):
    folder, _ = crashed
    change_line(folder, LINES, lambda line: line[:-1])
    store = open_store(folder)
    with store.unit_of_work(None, write=True) as uow:
        add_customer(uow, "later", ONE)
    all_rows = everything(store)
    copy = folder.with_name("copy")
    copy.mkdir()
    for name in ("foyer.json", ACTIVE):
        shutil.copy2(folder / name, copy / name)
    store.close()
    assert reopened(copy) == all_rows


def test_a_line_without_its_end_before_another_is_damage(crashed):
    folder, _ = crashed
    change_line(folder, 2, lambda line: line[:-1])
    assert_refused(folder, "line 2")


def test_a_copy_of_a_stopped_server_has_the_last_line_without_its_end(crashed, tmp_path):
    folder, _ = crashed
    change_line(folder, LINES, lambda line: line[:-1])
    with staging_copy.staging_copy("json:", folder) as copy:
        emails = copy.exec_driver_sql("SELECT email FROM customers ORDER BY email").scalars().all()
    assert emails == ["ada@example.com", "bob@example.com", "eve@example.com"]


@pytest.mark.parametrize("length", [0, 1, 20, 60, 120, -2])
def test_a_store_opens_with_a_torn_last_line_and_logs_it(crashed, caplog, length):
    folder, states = crashed
    change_line(folder, LINES, lambda line: line[:length])
    assert reopened(folder) == states[LINES - 1]
    assert ("line 4 was not finished" in caplog.text) is (length != 0)


def test_writing_goes_on_after_a_torn_line(crashed):
    folder, _ = crashed
    change_line(folder, LINES, lambda line: line[:30])
    store = open_store(folder)
    with store.unit_of_work(None, write=True) as uow:
        add_customer(uow, "later", ONE)
    all_rows = everything(store)
    copy = folder.with_name("copy")
    copy.mkdir()
    for name in ("foyer.json", ACTIVE):
        shutil.copy2(folder / name, copy / name)
    store.close()
    assert reopened(copy) == all_rows


@pytest.mark.parametrize(
    "tail",
    [
        lambda line: b"\0" * len(line),
        lambda line: line[:40] + b"\0" * 100,
        lambda line: line[:40] + b"\0" * 40 + line[80:],
    ],
    ids=["all", "to the end", "a page in the middle"],
)
def test_a_last_line_filled_with_nul_is_left_out(crashed, tail):
    folder, states = crashed
    change_line(folder, LINES, tail)
    assert reopened(folder) == states[LINES - 1]


def test_a_refused_start_keeps_a_torn_line(crashed):
    folder, _ = crashed
    change_line(folder, LINES, lambda line: line[:30])
    document = folder / "foyer.json"
    document.write_bytes(
        document.read_bytes().replace(b'"customers": [', b'"customers": [{"id": "x", "colour": "red"}')
    )
    assert_refused(folder, "customers", "row x", "colour")


HARMS = {
    "torn in the middle": lambda line: line[:30],
    "torn but ended": lambda line: line[:30] + b"\n",
    "another letter": lambda line: line.replace(b"example", b"exampel").replace(b"company-one", b"company-eno"),
    "another number": lambda line: re.sub(rb'"seq":(\d+)', rb'"seq":1\1', line),
    "a wrong checksum": lambda line: re.sub(rb'"crc":"\w+"', b'"crc":"00000000"', line),
    "no checksum": lambda line: re.sub(rb'"crc":"\w+",', b"", line),
    "not an object": lambda line: b'["changes":]\n',
    "nothing": lambda line: b"\n",
    "NUL": lambda line: b"\0" * (len(line) - 1) + b"\n",
    "not UTF-8": lambda line: line[:-4] + b"\xff" + line[-3:],
}


@pytest.mark.parametrize("number", [1, LINES - 1])
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_line_before_the_last_stops_the_start(crashed, harm, number):
    folder, _ = crashed
    change_line(folder, number, HARMS[harm])
    assert_refused(folder, ACTIVE, f"line {number}", "Nothing was changed")


@pytest.mark.parametrize("harm", ["another letter", "another number", "a wrong checksum", "not UTF-8"])
def test_a_complete_but_wrong_last_line_is_damaged_and_not_torn(crashed, harm):
    folder, _ = crashed
    change_line(folder, LINES, HARMS[harm])
    assert_refused(folder, ACTIVE, f"line {LINES}", "damaged")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_line_stops_the_start(crashed, number):
    folder, _ = crashed
    change_line(folder, number, lambda line: b"")
    assert_refused(folder, ACTIVE, f"line {number}", f"transaction {number} is missing before {number + 1}")


def test_a_repeated_line_stops_the_start(crashed):
    folder, _ = crashed
    change_line(folder, 2, lambda line: line + line)
    assert_refused(folder, ACTIVE, "line 3")


def test_lines_in_another_order_stop_the_start(crashed):
    folder, _ = crashed
    path = folder / ACTIVE
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))
    assert_refused(folder, ACTIVE, "line 1")


def test_a_journal_without_its_document_is_not_taken_for_a_new_store(crashed):
    folder, _ = crashed
    (folder / "foyer.json").unlink()
    assert_refused(folder, "foyer.json is missing", "Put the document back")


def test_a_journal_that_is_already_in_the_document_is_skipped(crashed):
    """The process was killed after it replaced the document and before it removed the journal."""
    folder, states = crashed
    journal = (folder / ACTIVE).read_bytes()
    reopened(folder)
    (folder / ACTIVE).write_bytes(journal)
    document = (folder / "foyer.json").read_bytes()
    assert reopened(folder) == states[LINES]
    assert (folder / "foyer.json").read_bytes() == document


def test_a_journal_that_is_partly_in_the_document_is_replayed_from_there(crashed):
    folder, states = crashed
    whole = (folder / ACTIVE).read_bytes()
    change_line(folder, LINES, lambda line: b"")
    assert reopened(folder) == states[LINES - 1]
    (folder / ACTIVE).write_bytes(whole)
    assert reopened(folder) == states[LINES]


@pytest.mark.parametrize("turned", [1, 2, 3, 4])
def test_rotated_journals_are_replayed_before_the_active_one(crashed, turned):
    folder, states = crashed
    lines = (folder / ACTIVE).read_bytes().splitlines(keepends=True)
    (folder / f"{ACTIVE}.{turned}").write_bytes(b"".join(lines[:turned]))
    (folder / ACTIVE).write_bytes(b"".join(lines[turned:]))
    (folder / f"{ACTIVE}.bak").write_bytes(b"what a person keeps here is left alone")
    assert reopened(folder) == states[LINES]
    assert not (folder / f"{ACTIVE}.{turned}").exists()
    assert (folder / f"{ACTIVE}.bak").exists()


def test_rotated_journals_are_ordered_by_number_and_not_by_name(crashed):
    folder, states = crashed
    for seq, line in enumerate((folder / ACTIVE).read_bytes().splitlines(keepends=True), 1):
        (folder / f"{ACTIVE}.{8 + seq}").write_bytes(line)
    (folder / ACTIVE).unlink()
    assert reopened(folder) == states[LINES]


def test_a_rotated_journal_cannot_be_torn(crashed):
    folder, _ = crashed
    lines = (folder / ACTIVE).read_bytes().splitlines(keepends=True)
    (folder / f"{ACTIVE}.4").write_bytes(b"".join(lines)[:-20])
    (folder / ACTIVE).write_bytes(b"")
    assert_refused(folder, rf"{ACTIVE}\.4", "line 4")


def test_a_missing_journal_before_another_stops_the_start(crashed):
    folder, _ = crashed
    lines = (folder / ACTIVE).read_bytes().splitlines(keepends=True)
    (folder / ACTIVE).write_bytes(b"".join(lines[2:]))
    assert_refused(folder, ACTIVE, "line 1", "transaction 1 is missing before 3")


def test_a_journal_that_contradicts_an_edited_document_stops_the_start(crashed):
    folder, _ = crashed
    document = folder / "foyer.json"
    row = orjson.dumps({"id": "other", "name": ONE, "created_at": "2026-01-31T08:00:00.000Z"})
    document.write_bytes(document.read_bytes().replace(b'"companies": [', b'"companies": [' + row))
    assert_refused(folder, ACTIVE, "transaction 1", "table companies", "another row has the same name")


def test_a_write_that_fails_leaves_the_journal_unchanged(tmp_path, monkeypatch):
    journal = Journal(tmp_path / ACTIVE)
    journal.append(1, "[]")
    before = journal.path.read_bytes()
    write = journal._write

    def full(line):
        write(line[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_write", full)
    with pytest.raises(LineNotWritten):
        journal.append(2, "[]")
    assert journal.path.read_bytes() == before
    monkeypatch.undo()
    journal.append(2, "[]")
    assert [seq for seq, _ in transactions(journal.path, after=0, may_be_torn=False)] == [1, 2]
    journal.take_back()
    assert journal.path.read_bytes() == before
    journal.close()


def test_a_closed_journal_writes_to_no_file(tmp_path):
    journal = Journal(tmp_path / ACTIVE)
    journal.close()
    journal.close()
    with (tmp_path / "other").open("wb") as other:
        with pytest.raises(WriteUnconfirmed):
            journal.append(1, "[]")
        other.flush()
    assert (tmp_path / "other").read_bytes() == b""


def test_a_checksum_covers_number_and_content(tmp_path):
    journal = Journal(tmp_path / ACTIVE)
    journal.append(1, '["put","companies",{"id":"a"}]')
    journal.close()
    line = journal.path.read_bytes()
    for place in range(len(line) - 1):
        journal.path.write_bytes(line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :])
        try:
            survived = list(transactions(journal.path, after=0, may_be_torn=False))
        except DamagedJournal as damaged:
            assert "line 1" in str(damaged)  # noqa: PT017
        else:
            # A letter of the envelope may change as long as number and content are what they were.
            assert survived == [(1, [["put", "companies", {"id": "a"}]])], place
