"""What a line of an import may hold, and the ids that its rows get."""

import base64
import uuid
import zlib

import orjson
import pytest
from uuid_utils import uuid7

from services.transfers import values
from services.transfers.new_ids import derived
from services.transfers.values import Refused

NOW, LATEST = "2026-01-02T03:04:05.000Z", "2026-02-01T00:00:00.000Z"
TIMES = {"created_at": NOW, "updated_at": NOW}
TICKET = {"id": "t", "customer_row": "c", "number": 7, "title": "Help", **TIMES}
RULE_TEXTS = {"kind": "ticket_received", "created_at": NOW, "id": "n"}


def original(body):
    return base64.b64encode(zlib.compress(body)).decode()


def read(name, row):
    return values.read(name, orjson.dumps(row), latest=LATEST)


def test_a_row_gets_the_defaults_of_what_it_does_not_name():
    row = read("tickets", {**TICKET, "urgency": 4.3, "closed_at": None, "priority": "high"})
    assert (row["urgency"], row["closed_at"], row["status"], row["tags"]) == (4.3, None, "new", [])
    assert row["priority_rank"] == 3
    assert "company_id" not in row


@pytest.mark.parametrize(
    ("name", "row", "field"),
    [
        ("tickets", {**TICKET, "company_id": "other"}, "company_id"),
        ("tickets", {**TICKET, "no_such": 1}, "no_such"),
        ("tickets", {**TICKET, "id": "../t"}, "id"),
        ("tickets", {**TICKET, "id": 7}, "id"),
        ("tickets", {**TICKET, "customer_row": None}, "customer_row"),
        ("tickets", {**TICKET, "number": 0}, "number"),
        ("tickets", {**TICKET, "number": 1.0}, "number"),
        ("tickets", {**TICKET, "number": True}, "number"),
        ("tickets", {**TICKET, "number": 10**12}, "number"),
        ("tickets", {**TICKET, "urgency": 9.9}, "urgency"),
        ("tickets", {**TICKET, "urgency": 4.33}, "urgency"),
        ("tickets", {**TICKET, "urgency": 1e300}, "urgency"),
        ("tickets", {**TICKET, "status": "lost"}, "status"),
        ("tickets", {**TICKET, "title": "x" * 999}, "title"),
        ("tickets", {**TICKET, "description": "x" * 200_001}, "description"),
        ("tickets", {**TICKET, "description": "\0"}, "description"),
        ("tickets", {**TICKET, "human_replied": 1}, "human_replied"),
        ("tickets", {**TICKET, "tags": {"a": 1}}, "tags"),
        ("tickets", {**TICKET, "tags": ["a", None]}, "tags"),
        ("tickets", {**TICKET, "links": [{"ticket_id": "x", "number": 1, "kind": "friend"}]}, "links"),
        ("tickets", {**TICKET, "links": [{"ticket_id": "x"}]}, "links"),
        ("tickets", {**TICKET, "watchers": ["Not An Address"]}, "watchers"),
        ("tickets", {**TICKET, "customer_email": "a@b\r\nBcc: c@d"}, "customer_email"),
        ("tickets", {**TICKET, "created_at": LATEST}, "created_at"),
        ("tickets", {**TICKET, "created_at": "2026-02-30T00:00:00.000Z"}, "created_at"),
        ("tickets", {**TICKET, "created_at": "2026-01-02"}, "created_at"),
        ("tickets", {**TICKET, "created_at": 5}, "created_at"),
        ("users", {"id": "u", "name": "X", "created_at": NOW}, "email"),
        ("users", {"id": "u", "email": "X@Example.com", "created_at": NOW}, "email"),
        ("users", {"id": "u", "email": "x@example.com", "role": "owner", "created_at": NOW}, "role"),
        ("users", {"id": "u", "email": "x@example.com", "identity": "i", "created_at": NOW}, "identity"),
        ("users", {"id": "u", "email": "x@example.com", "capacity": 10**6, "created_at": NOW}, "capacity"),
        ("customers", {"id": "c", "customer_id": "x" * 101, "created_at": NOW}, "customer_id"),
        ("history", {"id": "e", "subject": "server", "action": "a", "created_at": NOW}, "subject"),
        ("merges", {"id": "m", "ticket_id": "t", "before": {"number": 1}, "created_at": NOW}, "before"),
        ("merges", {"id": "m", "ticket_id": "t", "before": {"status": "lost"}, "created_at": NOW}, "status"),
        ("views", {"id": "v", "name": "V", "sort": "no_such", **TIMES}, "sort"),
        ("notice_texts", {**RULE_TEXTS, "kind": "no_such"}, "kind"),
        ("notice_texts", {**RULE_TEXTS, "text": "{{secret}}"}, "text"),
        ("inbound_mails", {"id": "i", "state": "lost", "created_at": NOW}, "state"),
        ("inbound_originals", {"id": "o", "mail_id": "i", "body": "no base64!"}, "body"),
        ("inbound_originals", {"id": "o", "mail_id": "i", "body": base64.b64encode(b"no zlib").decode()}, "body"),
        ("inbound_originals", {"id": "o", "mail_id": "i", "body": original(bytes(26 * 2**20))}, "body"),
        ("inbound_originals", {"id": "o", "mail_id": "i", "body": original(b"x" * 100)[:-8]}, "body"),
    ],
)
def test_what_a_field_does_not_take_is_refused_and_named(name, row, field):
    with pytest.raises(Refused) as refused:
        read(name, row)
    assert refused.value.field == field
    assert str(refused.value)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"7", b'{"id": "a", "id": "b"}', b'{"a":' * 100_000, b'{"id": "\xff"}', b'{"id": "\\ud800"}'],
)
def test_a_line_that_is_no_object_is_refused(line):
    with pytest.raises(Refused):
        values.read("articles", line, latest=LATEST)


def test_times_that_say_when_something_is_due_may_be_ahead():
    assert read("tickets", {**TICKET, "snoozed_until": "2027-01-01T00:00:00.000Z"})["snoozed_until"][:4] == "2027"


def test_a_mail_that_no_job_reads_any_more_says_so():
    assert read("inbound_mails", {"id": "i", "created_at": NOW})["state"] == "failed"


def test_new_ids_are_in_the_order_of_the_old_ones_and_of_their_company_alone():
    old = [str(uuid7()) for _ in range(2000)]
    new = [derived("salt", "replies", one) for one in old]
    assert sorted(new) == new
    assert new == [derived("salt", "replies", one) for one in old]
    others = {derived("other", "replies", one) for one in old} | {derived("salt", "tickets", one) for one in old}
    assert not set(new) & (others | set(old))
    for text in ("7", "not-a-uuid", str(uuid.uuid4()), old[0].upper()):
        assert uuid.UUID(derived("salt", "replies", text))
        assert derived("salt", "replies", text) != text
