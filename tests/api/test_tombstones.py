"""What was deleted or erased is listed, so that a copy elsewhere can follow."""

import pytest


def gone(caller, query=""):
    return [(one["id"], one["kind"], one["reason"]) for one in caller.data(caller.get(f"/api/tombstones{query}"))]


@pytest.mark.every_engine
def test_what_is_deleted_and_erased_is_listed_oldest_first(admin, stranger):
    first, second, third = admin.ticket(), admin.ticket(), admin.ticket(customer_email="eve@example.com")
    path = f"/api/tickets/{third['id']}/attachments"
    file = admin.data(admin.post(path, {"content": "SGVsbG8="}), 201)
    article = admin.data(admin.post("/api/knowledge", {"title": "Refunds", "body": "Five days."}), 201)
    assert gone(admin) == []
    admin.delete(f"/api/tickets/{first['id']}")
    admin.delete(f"/api/attachments/{file['id']}")
    admin.delete(f"/api/knowledge/{article['id']}")
    admin.delete("/api/customers/ada@example.com")
    listed = gone(admin)
    assert listed[:3] == [
        (first["id"], "ticket", "deleted"),
        (file["id"], "attachment", "deleted"),
        (article["id"], "article", "deleted"),
    ]
    assert (second["id"], "ticket", "erased") in listed[3:]
    assert [entry[1:] for entry in listed[3:]].count(("customer", "erased")) == 1
    assert len(listed) == 5
    assert gone(stranger) == []
    assert gone(admin, "?kind=ticket,article&limit=2&offset=1") == [
        (article["id"], "article", "deleted"),
        (second["id"], "ticket", "erased"),
    ]
    times = [one["removed_at"] for one in admin.data(admin.get("/api/tombstones"))]
    assert gone(admin, f"?updated_since={times[1]}") == listed[1:]
    assert "ada@example.com" not in admin.get("/api/tombstones").get_data(as_text=True)


def test_a_copy_that_follows_learns_of_notes_and_of_erased_tickets(admin, customer):
    ticket = customer.ticket()
    note = admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Note.", "internal": True}), 201)
    changed = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert changed["updated_at"] == note["created_at"]
    assert changed["version"] == ticket["version"]
    assert customer.get("/api/tombstones").status_code == 403
