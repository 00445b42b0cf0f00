"""A company with something in every file of an export, and transfers of it: exported, imported, opened, packed."""

import base64
import io
import zipfile
import zlib

import orjson

from core.models import Actor
from database import tables
from services.transfers.contents import TABLES

ZIP = "application/zip"


def fill(admin, runtime, *, company="default"):
    """Puts something of everything into a company, mostly over the API."""
    data = admin.data
    staff = {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": "a few good words"}
    bob = data(admin.post("/api/users", staff), 201)
    admin.post("/api/users", {**staff, "name": "Root", "email": "root@example.com", "role": "admin"})
    data(admin.post("/api/teams", {"name": "Night shift"}), 201)
    rule = {"name": "VIP", "conditions": [{"field": "tag", "op": "is", "value": "vip"}], "team": "night_shift"}
    data(admin.post("/api/routing/rules", rule), 201)
    article = data(admin.post("/api/knowledge", {"title": "Refunds", "body": "A refund takes five days."}), 201)
    data(admin.post("/api/macros", {"name": "Close", "body": "Bye.", "set": {"priority": "low"}}), 201)
    data(admin.post("/api/views", {"name": "Urgent", "filter": {"priority": "urgent"}, "shared": True}), 201)
    data(admin.put("/api/settings", {"mail_name": "Our desk", "chat_idle_minutes": 45}))
    data(admin.put("/api/settings/notices", {"kind": "ticket_received", "subject": "We have it", "text": "Thank you."}))
    first, second, third = (admin.ticket(title=f"Refund {name}", tags=["vip"]) for name in "abc")
    eve = admin.ticket(title="Late", customer_email="eve@example.com", customer_id="c-9")
    for body, internal in (("A note.", True), ("An answer.", False)):
        data(admin.post(f"/api/tickets/{first['id']}/replies", {"body": body, "internal": internal}), 201)
    file = {"name": "a.txt", "content": base64.b64encode(b"Hello " * 100).decode()}
    file_id = data(admin.post(f"/api/tickets/{first['id']}/attachments", file), 201)["id"]
    data(admin.post(f"/api/tickets/{first['id']}/replies", {"body": "See file.", "attachment_ids": [file_id]}), 201)
    data(admin.post(f"/api/tickets/{eve['id']}/links", {"ticket_id": first["id"], "kind": "related"}))
    data(admin.post(f"/api/tickets/{second['id']}/merge", {"into": first["id"]}))
    data(admin.post(f"/api/tickets/{third['id']}/assign", {"agent_email": bob["email"]}))
    data(admin.post(f"/api/tickets/{third['id']}/resolve", {"resolution": "Paid back."}))
    with runtime.storage.unit_of_work(Actor.system(company), write=True) as uow:
        now = {"created_at": uow.now}
        row = uow.insert(tables.incidents, {"title": "Refunds fail", "opened_at": uow.now, "newest_at": uow.now})
        uow.insert(tables.drafts, {**now, "ticket_id": first["id"], "body": "Draft.", "citations": [article["id"]]})
        uow.insert(tables.citations, {**now, "ticket_id": first["id"], "article_id": article["id"]})
        mail = uow.insert(
            tables.inbound_mails, {**now, "ticket_id": first["id"], "state": "ticket", "sender": "ada@example.com"}
        )
        body = base64.b64encode(zlib.compress(b"Subject: Refund\r\n\r\nHello")).decode()
        uow.insert(tables.inbound_originals, {"mail_id": mail["id"], "body": body})
        seen = {"ticket_id": eve["id"], "last_turn_at": uow.now, "seen_at": uow.now}
        uow.insert(tables.conversations, {**seen, "answered_by": "human"})
    return {"first": first, "second": second, "third": third, "eve": eve, "file": file_id, "incident": row["id"]}


def exported(admin, run_jobs):
    """The bytes of an export of the caller's company."""
    transfer = admin.data(admin.post("/api/transfers", {"kind": "export"}), 201)
    run_jobs()
    done = admin.data(admin.get(f"/api/transfers/{transfer['id']}"))
    assert (done["state"], done["errors"]) == ("done", [])
    return admin.get(f"/api/transfers/{transfer['id']}/file").get_data()


def imported(admin, run_jobs, data, query=""):
    """Imports a file in one request and returns the transfer as it is when the job has run."""
    response = admin.post(f"/api/transfers?kind=import{query}", data=data, headers={"Content-Type": ZIP})
    transfer = admin.data(response, 201)
    run_jobs()
    return admin.data(admin.get(f"/api/transfers/{transfer['id']}"))


def opened(data):
    """The lines of each file by name, and the attached files by theirs."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    lines = {name: [orjson.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()] for name in TABLES}
    files = {name.split("/")[1]: archive.read(name) for name in archive.namelist() if name.startswith("attachments/")}
    return lines, files


def packed(lines, files=None, **members):
    """A ZIP as an export makes it, of these rows by file; `members` are further files, None leaves one out."""
    target = io.BytesIO()
    manifest = {"format": 1, "lines": {name: len(rows) for name, rows in lines.items()}}
    parts = {"settings.json": {}, "manifest.json": manifest, **{f"{name}.jsonl": rows for name, rows in lines.items()}}
    parts |= {f"attachments/{name}": content for name, content in (files or {}).items()} | members
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if isinstance(content, list):
                content = b"".join(one if isinstance(one, bytes) else orjson.dumps(one) + b"\n" for one in content)
            if content is not None:
                archive.writestr(name, content if isinstance(content, bytes) else orjson.dumps(content))
    return target.getvalue()
