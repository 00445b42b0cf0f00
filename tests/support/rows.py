"""Rows for tests of the store: companies, customers and tickets to insert, and all rows of a store to compare."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.models import Actor
from database import tables
from storage import Storage, UnitOfWork, open_storage

ONE, TWO = "company-one", "company-two"
AWKWARD = 'a "quoted" {brace} \\ back\nnew line\u2028 naïve 日本 😀 \x7f\x01 }'


def open_store(folder: Path, url: str = "json:", **more: Any) -> Storage:
    """Opens the store at that address; a JSON file is in `folder`."""
    return open_storage(url, folder, **more)


def file_url(engine: str, folder: Path) -> str:
    """DATABASE_URL of a store in a file of `folder`."""
    return "json:" if engine == "json" else f"sqlite:///{folder / 'foyer.db'}"


def actor(company: str, role: Any = "agent", customer_row: str = "") -> Actor:
    """An actor of that company."""
    return Actor(company, role, role, customer_row=customer_row)


def add_company(storage: Storage, company: str = ONE) -> None:
    """Inserts a company unless it exists."""
    with storage.unit_of_work(None, write=True) as uow:
        if uow.get(tables.companies, company) is None:
            uow.insert(tables.companies, {"id": company, "name": company, "created_at": uow.now})


def add_customer(uow: UnitOfWork, name: str = "ada", company: str = ONE) -> str:
    """Inserts a customer and returns the row's id."""
    values = {"company_id": company, "email": f"{name}@example.com", "name": name, "created_at": uow.now}
    return str(uow.insert(tables.customers, values)["id"])


def add_ticket(uow: UnitOfWork, customer_row: str, number: int, company: str = ONE, **more: Any) -> str:
    """Inserts a ticket and returns its id."""
    values = {"company_id": company, "customer_row": customer_row, "number": number, "title": f"Ticket {number}"}
    values |= {"created_at": uow.now, "updated_at": uow.now, **more}
    return str(uow.insert(tables.tickets, values)["id"])


def add_thread(uow: UnitOfWork, ticket_id: str, company: str = ONE) -> None:
    """Inserts a public reply, a note, an event, a job and an example of a ticket."""
    owned = {"company_id": company, "ticket_id": ticket_id, "created_at": uow.now}
    uow.insert(tables.replies, {**owned, "body": "public", "internal": False})
    uow.insert(tables.replies, {**owned, "body": "note", "internal": True})
    event = {"company_id": company, "subject_id": ticket_id, "created_at": uow.now}
    uow.insert(tables.events, {**event, "action": "created"})
    uow.insert(tables.jobs, {**owned, "lane": "mail", "kind": "received", "run_at": uow.now, "payload": {"a": [1]}})
    draft = {"body": "draft", "source": "model", "confidence": 0.5, "citations": ["}"], "outcome": "edited"}
    uow.insert(tables.drafts, {**owned, **draft, "edited_body": "better"})
    for internal in (False, True):
        uow.insert(tables.attachments, {**owned, "name": "a.txt", "size": 2**40, "internal": internal})
    uow.insert(tables.examples, {**owned, "field": "category", "label": "billing", "confidence": 0.5})


def everything(storage: Storage) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, sorted by id."""
    with storage.unit_of_work(None) as uow:
        return {
            table.name: sorted(uow.find(select(table)), key=lambda row: row["id"])
            for table in tables.metadata.sorted_tables
        }


def files(folder: Path) -> dict[str, bytes]:
    """The content of the data files by name, without locks."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith((".lock", ".owner"))}


def filled(folder: Path) -> Storage:
    """A store with a customer and two tickets with values of every kind and a thread."""
    store = open_store(folder)
    add_company(store)
    with store.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow)
        more = {
            "title": AWKWARD,
            "tags": ["a", "{b}"],
            "urgency": 4.3,
            "ai_citations": ["}"],
            "triage_reasons": [],
        }
        for number in (1, 2):
            add_thread(uow, add_ticket(uow, ada, number, **more))
    return store


def restarted(folder: Path, *, fold: bool) -> dict[str, list[dict[str, Any]]]:
    """All rows of a copy of the folder as it is now, as after kill -9; with `fold` after a clean stop and start as well."""
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
    rows = everything(store)
    store.close()
    return rows


def write_some(store: Storage, count: int, name: str) -> None:
    """Inserts that many customers, each in its own unit of work."""
    for number in range(count):
        with store.unit_of_work(None, write=True) as uow:
            uow.insert(
                tables.customers, {"company_id": ONE, "email": f"{name}{number}@example.com", "created_at": uow.now}
            )
