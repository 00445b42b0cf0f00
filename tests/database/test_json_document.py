"""The document of the JSON-file engine as people edit it: what opens, what is refused, and in which words."""

import json
import shutil
from pathlib import Path

import orjson
import pytest

from database import migrations
from database.tables import events, tickets
from storage import StorageError
from tests.support.rows import ONE, actor, everything, files, filled, open_store


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory):
    """A document as a desk leaves it, and what was in the desk."""
    folder = tmp_path_factory.mktemp("left")
    store = filled(folder)
    held = everything(store)
    store.close()
    return folder / "foyer.json", held


@pytest.fixture
def document(tmp_path, left_behind):
    """A copy of it of one's own."""
    path, held = left_behind
    return Path(shutil.copy2(path, tmp_path)), held


def edit(path, change):
    """Changes the document as a person with a JSON editor would."""
    content = orjson.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content, indent=2))


def test_the_document_is_json_with_one_row_a_line_and_private(document):
    path, held = document
    content = orjson.loads(path.read_bytes())
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = sum(len(found) for found in held.values())
    assert sum(line.rstrip(",").startswith(("{", ",{")) and '"id":' in line for line in lines) == rows
    assert (content["revision"], set(content["tables"])) == (migrations.head(), set(held))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", [{"indent": 2}, {"indent": 4, "sort_keys": True}, {"ensure_ascii": False}], ids=str)
def test_a_document_laid_out_anew_holds_the_same(document, form):
    path, held = document
    path.write_text(json.dumps(orjson.loads(path.read_bytes()), **form), encoding="utf-8")
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()


def test_a_document_saved_with_a_byte_order_mark_opens(document):
    path, held = document
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()


def test_what_a_person_corrects_is_what_the_desk_shows(document):
    path, _ = document

    def change(content):
        content["tables"]["tickets"][0] |= {
            "title": "By hand",
            "status": "resolved",
            "tags": ["x"],
            "human_replied": True,
        }
        del content["tables"]["tickets"][0]["product"]
        content["tables"]["events"] = []

    edit(path, change)
    store = open_store(path.parent)
    with store.unit_of_work(actor(ONE)) as uow:
        ticket = uow.find(uow.query(tickets).order_by(tickets.c.number))[0]
        assert uow.count(uow.query(events)) == 0
    store.close()
    shown = [ticket[name] for name in ("title", "status", "tags", "human_replied", "product")]
    assert shown == ["By hand", "resolved", ["x"], True, ""]


def ticket(**values):
    return lambda content: content["tables"]["tickets"][1].update(values)


def without(field):
    return lambda content: content["tables"]["tickets"][1].pop(field)


def twice(content):
    rows = content["tables"]["tickets"]
    rows.append({**rows[1], "number": 9})


INVALID = {
    "unknown field": (ticket(colour="red"), ["tickets", "TICKET", "no field colour"]),
    "text for a number": (ticket(version="1"), ["tickets", "TICKET", "version must be a whole number"]),
    "fraction for a number": (ticket(urgency=4.3), ["tickets", "TICKET", "urgency must be a whole number"]),
    "number beyond 64 bits": (ticket(version=2**63), ["tickets", "TICKET", "version must be a whole number"]),
    "truth for a number": (ticket(version=True), ["tickets", "TICKET", "version must be a whole number"]),
    "number for text": (ticket(title=5), ["tickets", "TICKET", "title must be text"]),
    "list for text": (ticket(title=["x"]), ["tickets", "TICKET", "title must be text"]),
    "text for a list": (ticket(tags="x"), ["tickets", "TICKET", "tags must be a list"]),
    "object for a list": (ticket(tags={}), ["tickets", "TICKET", "tags must be a list"]),
    "too deep a list": (ticket(ai_citations=json.loads("[" * 500 + "]" * 500)), ["tickets", "TICKET", "ai_citations"]),
    "number for a flag": (ticket(human_replied=7), ["tickets", "TICKET", "human_replied must be true or false"]),
    "null for text": (ticket(title=None), ["tickets", "TICKET", "title must be text"]),
    "unknown status": (ticket(status="lost"), ["tickets", "TICKET", "status must be one of new, "]),
    "unknown priority": (ticket(priority="Urgent"), ["tickets", "TICKET", "priority must be one of low, "]),
    "unknown speaker": (ticket(ai_source="oracle"), ["tickets", "TICKET", "ai_source must be one of"]),
    "time in words": (ticket(created_at="yesterday"), ["tickets", "TICKET", "created_at must be a time like"]),
    "no time": (ticket(created_at=""), ["tickets", "TICKET", "created_at must be a time like"]),
    "time without fraction": (ticket(created_at="2026-01-31T08:00:00Z"), ["tickets", "TICKET", "created_at must be"]),
    "30th of February": (ticket(resolved_at="2026-02-30T08:00:00.000Z"), ["tickets", "TICKET", "resolved_at must be"]),
    "missing field": (without("created_at"), ["tickets", "TICKET", "created_at is missing"]),
    "missing id": (without("id"), ["tickets", "every row is an object with an id"]),
    "dangling reference": (
        ticket(customer_row="nobody"),
        ["tickets", "TICKET", "customer_row names nobody", "customers"],
    ),
    "same number twice": (ticket(number=1), ["tickets", "TICKET", "another row has the same company_id, number"]),
    "same id twice": (twice, ["tickets", "TICKET", "another row has the same id"]),
    "row that is none": (lambda c: c["tables"]["tickets"].append("x"), ["tickets", "every row is an object"]),
    "unknown role": (
        lambda c: c["tables"]["replies"][0].update(author_role="root"),
        ["replies", "author_role must be"],
    ),
    "unknown table": (lambda c: c["tables"].update(notes=[]), ["no table notes"]),
    "alembic's table": (lambda c: c["tables"].update(alembic_version=[]), ["no table alembic_version"]),
    "missing table": (lambda c: c["tables"].pop("tickets"), ["table tickets is missing"]),
    "table that is no list": (lambda c: c["tables"].update(tickets={}), ["table tickets must be a list"]),
    "unknown heading": (lambda c: c.update(comment="mine"), ["not a Foyer document"]),
    "missing heading": (lambda c: c.pop("seq"), ["not a Foyer document"]),
    "number in words": (lambda c: c.update(seq="5"), ["seq a whole number"]),
    "unknown format": (lambda c: c.update(runtime=2), ["format 2"]),
    "newer revision": (lambda c: c.update(revision="9999"), ["newer Foyer", "9999"]),
}


def assert_refused(path, *wanted):
    before = files(path.parent)
    with pytest.raises(StorageError) as refused:
        open_store(path.parent)
    for words in (str(path), *wanted):
        assert words in str(refused.value)
    assert files(path.parent) == before
    assert "Nothing was changed" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("fault", INVALID)
def test_a_fault_made_by_hand_is_named_and_nothing_is_overwritten(document, fault):
    path, _ = document
    change, wanted = INVALID[fault]
    wrong = orjson.loads(path.read_bytes())["tables"]["tickets"][1]["id"]
    edit(path, change)
    assert_refused(path, *(words.replace("TICKET", wrong) for words in wanted))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_a_document_that_is_no_document_is_refused(document, content):
    path, _ = document
    path.write_bytes(content)
    assert_refused(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_document_is_refused_and_never_taken_for_a_new_one(document, share):
    path, _ = document
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert_refused(path, "not JSON")


def test_the_lock_is_free_again_after_a_refusal(document):
    path, held = document
    whole = path.read_bytes()
    path.write_bytes(b"{")
    assert_refused(path)
    path.write_bytes(whole)
    store = open_store(path.parent)
    assert everything(store) == held
    store.close()
