"""Test data of any size for benchmarks: tickets of 500 characters, each with three events and one reply, stored without the API."""

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from uuid_utils import uuid7

from core import models, timestamps
from database import migrations
from database.column_types import default_values
from database.tables import companies, customers, events, metadata, replies, tickets
from storage import Storage

COMPANY = "default"
AGENTS = [f"agent{number}@example.com" for number in range(20)]
TAGS = [f"tag{number}" for number in range(40)]
TOPICS = ["", "", "refund", "outage", "delivery", "upgrade"]
TEXT = "My order has not arrived although the page says that it was delivered on Monday, and nobody answers the phone. "
CREATED_AT = "2026-01-01T00:00:00.000Z"
YEAR = 365 * 86_400
BATCH = 1000
Row = dict[str, Any]


def ticket_rows(count: int, people: list[str]) -> Iterator[Row]:
    """The tickets, spread over a year, with common and rare values of every field."""
    dice = random.Random(count)
    for number in range(1, count + 1):
        created_at = timestamps.later(CREATED_AT, seconds=YEAR * number // count)
        category, priority = dice.choice(models.CATEGORIES), dice.choices(models.PRIORITIES, (30, 45, 20, 5))[0]
        row = {
            **default_values(tickets),
            "id": str(uuid7()),
            "company_id": COMPANY,
            "customer_row": people[number % len(people)],
            "customer_email": f"c{number % len(people)}@example.com",
            "number": number,
            "title": f"Question {number}",
            "description": (TEXT * 5)[:500],
            "status": dice.choices(models.STATUSES, (10, 10, 8, 6, 5, 1, 40, 20))[0],
            "category": category,
            "assigned_team": models.TEAM_OF[category],
            "priority": priority,
            "priority_rank": models.PRIORITY_RANK[priority],
            "priority_score": dice.randrange(101),
            "urgency": dice.randrange(10, 51) / 10,
            "sentiment": dice.choices(models.SENTIMENTS, (10, 65, 25))[0],
            "source": dice.choices(models.SOURCES, (30, 25, 10, 20, 10, 3, 2))[0],
            "customer_tier": dice.choices(models.TIERS, (30, 50, 15, 5))[0],
            "assigned_to": dice.choice(("", *AGENTS)),
            "topic": dice.choice(TOPICS),
            "tags": dice.sample(TAGS, dice.randrange(3)),
            "created_at": created_at,
            "updated_at": created_at,
        }
        if row["status"] in models.FINISHED:
            seconds = dice.randrange(60, 20 * 86_400)
            row |= {"resolution_seconds": seconds, "resolved_at": timestamps.later(created_at, seconds=seconds)}
            row["csat_score"] = dice.choice((None, None, None, 1, 4, 5))
        if dice.random() < 0.6:
            replies_written = dice.randrange(1, 5)
            row |= {"first_response_seconds": dice.randrange(30, 86_400), "agent_replies": replies_written}
        row["sla_status"] = dice.choice(("met", "met", "breached", "on_track"))
        yield row


def rows(count: int) -> Iterator[tuple[str, Iterator[Row]]]:
    """The tables that have rows, with their rows. A table comes after the tables that it refers to."""
    company = {"id": COMPANY, "name": COMPANY, "name_key": COMPANY, "created_at": CREATED_AT, "last_number": count}
    yield "companies", iter([{**default_values(companies), **company}])
    people = [str(uuid7()) for _ in range(max(1, count // 20))]
    common = {"company_id": COMPANY, "created_at": CREATED_AT}
    yield (
        "customers",
        (
            {**default_values(customers), **common, "id": key, "email": f"c{n}@example.com"}
            for n, key in enumerate(people)
        ),
    )
    ticket_ids: list[str] = []

    def recorded_tickets() -> Iterator[Row]:
        for row in ticket_rows(count, people):
            ticket_ids.append(row["id"])
            yield row

    yield "tickets", recorded_tickets()
    reply = {**default_values(replies), **common, "author_name": "Ben", "author_email": AGENTS[0], "body": TEXT * 2}
    yield "replies", ({**reply, "id": str(uuid7()), "ticket_id": ticket} for ticket in ticket_ids)
    event = {**default_values(events), **common, "actor": "Ben", "through": "key", "address": "10.0.0.1"}
    yield (
        "events",
        (
            {**event, "id": str(uuid7()), "subject_id": ticket, "action": action}
            for ticket in ticket_ids
            for action in ("created", "assigned", "updated")
        ),
    )


def write_document(folder: Path, count: int) -> Path:
    """Writes foyer.json with that many tickets, as the server does except for the order of fields."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "foyer.json"
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"foyer": 1, "revision": "{migrations.head()}", "seq": 0, "tables": {{\n')
        names = set()
        for name, content in rows(count):
            file.write(f'{"," if names else ""}"{name}": [')
            names.add(name)
            scaled = {c.name: c.type.scale for c in metadata.tables[name].c if hasattr(c.type, "scale")}
            for position, row in enumerate(content):
                values = {
                    str(key): round(v * scaled[key]) if key in scaled and v is not None else v for key, v in row.items()
                }
                file.write(("," if position else "") + "\n" + orjson.dumps(values).decode())
            file.write("\n]\n")
        for table in metadata.sorted_tables:
            if table.name not in names:
                file.write(f',"{table.name}": [\n]\n')
        file.write("}}\n")
    return path


def fill(storage: Storage, count: int) -> None:
    """Adds that many tickets to the empty company of a new store."""
    for name, content in rows(count):
        table = metadata.tables[name]
        while batch := list(islice(content, BATCH)):
            with storage.unit_of_work(None, write=True) as uow:
                if table is companies:
                    uow.update(companies, COMPANY, {"last_number": count})
                else:
                    uow.insert_many(table, batch)
