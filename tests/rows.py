"""Rows for tests of the store itself: a small world of two companies, and everything a store holds, to be compared."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

import tables
from models import Actor
from storage import Desk, Storage, open_storage

ONE, TWO = "company-one", "company-two"
AWKWARD = 'a "quoted" {brace} \\ back\nnew line\u2028 naïve 日本 😀 \x7f\x01 }'


def open_store(folder: Path, url: str = "json:", **more: Any) -> Storage:
    """The store at that address; a JSON file is in `folder`."""
    return open_storage(url, folder, **more)


def file_url(engine: str, folder: Path) -> str:
    """DATABASE_URL of a store in a file of `folder`."""
    return "json:" if engine == "json" else f"sqlite:///{folder / 'desk.db'}"


def actor(company: str, role: Any = "agent", customer_row: str = "") -> Actor:
    """Somebody of that company."""
    return Actor(company, role, role, customer_row=customer_row)


def add_company(storage: Storage, company: str = ONE) -> None:
    """A company, when it is not there yet."""
    with storage.desk(None, write=True) as desk:
        if desk.get(tables.companies, company) is None:
            desk.insert(tables.companies, {"id": company, "name": company, "created_at": desk.now})


def add_customer(desk: Desk, name: str = "ada", company: str = ONE) -> str:
    """A customer; gives the row's id."""
    values = {"company_id": company, "email": f"{name}@example.com", "name": name, "created_at": desk.now}
    return str(desk.insert(tables.customers, values)["id"])


def add_ticket(desk: Desk, customer_row: str, number: int, company: str = ONE, **more: Any) -> str:
    """A ticket; gives its id."""
    values = {"company_id": company, "customer_row": customer_row, "number": number, "title": f"Ticket {number}"}
    values |= {"created_at": desk.now, "updated_at": desk.now, **more}
    return str(desk.insert(tables.tickets, values)["id"])


def add_thread(desk: Desk, ticket_id: str, company: str = ONE) -> None:
    """A public reply, a note, an event, a job and an example of a ticket."""
    owned = {"company_id": company, "ticket_id": ticket_id, "created_at": desk.now}
    desk.insert(tables.replies, {**owned, "body": "public", "internal": False})
    desk.insert(tables.replies, {**owned, "body": "note", "internal": True})
    happened = {"company_id": company, "subject_id": ticket_id, "created_at": desk.now}
    desk.insert(tables.events, {**happened, "action": "created"})
    desk.insert(tables.jobs, {**owned, "lane": "mail", "kind": "received", "run_at": desk.now, "payload": {"a": [1]}})
    desk.insert(tables.examples, {**owned, "field": "category", "label": "billing", "confidence": 0.5})


def everything(storage: Storage) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by id."""
    with storage.desk(None) as desk:
        return {
            table.name: sorted(desk.find(select(table)), key=lambda row: row["id"])
            for table in tables.metadata.sorted_tables
        }


def files(folder: Path) -> dict[str, bytes]:
    """The files that hold the truth, byte for byte."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith((".lock", ".owner"))}


def filled(folder: Path) -> Storage:
    """A store with a customer, a ticket of every kind of value and its thread."""
    store = open_store(folder)
    add_company(store)
    with store.desk(None, write=True) as desk:
        ada = add_customer(desk)
        more = {
            "title": AWKWARD,
            "tags": ["a", "{b}"],
            "urgency": 4.3,
            "ai_citations": [{"id": "}"}],
            "triage_reasons": [],
        }
        for number in (1, 2):
            add_thread(desk, add_ticket(desk, ada, number, **more))
    return store


def restarted(folder: Path, *, fold: bool) -> dict[str, list[dict[str, Any]]]:
    """What is found in a copy of the folder as it is now (as after kill -9), or after a clean stop and start."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in folder.iterdir():
        if ".sqlite" not in path.name and ".lock" not in path.name:
            shutil.copy2(path, copy / path.name)
    store = open_store(copy)
    if fold:
        store.close()
        store = open_store(copy)
    found = everything(store)
    store.close()
    return found


def write_some(store: Storage, count: int, name: str) -> None:
    """That many tables.customers, each in a unit of work of its own."""
    for number in range(count):
        with store.desk(None, write=True) as desk:
            desk.insert(
                tables.customers, {"company_id": ONE, "email": f"{name}{number}@example.com", "created_at": desk.now}
            )
