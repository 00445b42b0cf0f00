"""Files on tickets and replies: how they come in, who sees them, what is refused, how they go out."""

import base64
import io

import pytest
from werkzeug.datastructures import MultiDict

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(40)
MEBI = 1024 * 1024


def encoded(content=b"Hello"):
    return base64.b64encode(content).decode()


def add(caller, ticket, content=b"Hello", name="a.txt", **more):
    """The answer to an upload in JSON."""
    return caller.post(f"/api/tickets/{ticket['id']}/attachments", {"name": name, "content": encoded(content), **more})


def added(caller, ticket, content=b"Hello", name="a.txt", **more):
    return caller.data(add(caller, ticket, content, name, **more), 201)


def bytes_of(caller, file):
    response = caller.get(f"/api/attachments/{file['id']}")
    assert response.status_code == 200
    return response.get_data()


def names(caller, ticket):
    return [file["name"] for file in caller.get(f"/api/tickets/{ticket['id']}/attachments").json["data"]]


@pytest.mark.every_engine
def test_a_file_is_kept_listed_downloaded_and_removed(admin, runtime, run_jobs):
    ticket = admin.ticket()
    file = added(admin, ticket, PNG, "photo.jpg", content_type="image/jpeg")
    assert {**file, "id": "", "created_at": ""} == {
        "id": "",
        "ticket_id": ticket["id"],
        "reply_id": "",
        "name": "photo.jpg",
        "content_type": "image/png",
        "size": len(PNG),
        "author_role": "agent",
        "internal": False,
        "created_at": "",
    }
    assert bytes_of(admin, file) == PNG
    assert names(admin, ticket) == ["photo.jpg"]
    assert admin.data(admin.delete(f"/api/attachments/{file['id']}")) == {"deleted": True}
    run_jobs()
    assert admin.get(f"/api/attachments/{file['id']}").status_code == 404
    assert names(admin, ticket) == []
    assert not runtime.files.exists("default", file["id"])


CONTENTS = {
    "base64": encoded(PNG),
    "without padding": encoded(PNG).rstrip("="),
    "url alphabet": base64.urlsafe_b64encode(PNG).decode(),
    "lines": "\r\n".join([encoded(PNG)[:20], encoded(PNG)[20:]]),
    "data url": f"data:image/png;base64,{encoded(PNG)}",
    "data url of Power Apps": f'"data:image/png;base64,{encoded(PNG)}"',
    "Power Automate": {"$content-type": "image/png", "$content": encoded(PNG)},
}


@pytest.mark.parametrize("form", CONTENTS)
def test_base64_is_taken_as_low_code_clients_write_it(admin, form):
    path = f"/api/tickets/{admin.ticket()['id']}/attachments"
    file = admin.data(admin.post(path, {"name": "a.png", "content": CONTENTS[form]}), 201)
    assert bytes_of(admin, file) == PNG


@pytest.mark.parametrize("content", ["", "not base64!", "YQ=a", 7, [encoded()], {"content": "YQ=="}])
def test_what_is_no_base64_is_refused(admin, content):
    path = f"/api/tickets/{admin.ticket()['id']}/attachments"
    response = admin.post(path, {"name": "a.txt", "content": content})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "content")


def test_a_form_brings_the_file_its_name_and_fields(admin):
    ticket = admin.ticket()
    form = {"file": (io.BytesIO(PNG), "photos/../pho\u202eto.png", "text/html"), "internal": "true"}
    path = f"/api/tickets/{ticket['id']}/attachments"
    file = admin.data(admin.post(path, data=form, content_type="multipart/form-data"), 201)
    assert (file["name"], file["content_type"], file["internal"]) == ("photo.png", "image/png", True)
    assert bytes_of(admin, file) == PNG
    assert admin.post(path, data={"name": "a"}, content_type="multipart/form-data").status_code == 400


REFUSED = {
    "a program": (b"MZ\x90\x00" + bytes(60), "setup.png"),
    "a page": (b"<!DOCTYPE html><script>alert(1)</script>", "a.txt"),
    "a picture with scripts": (b"<svg onload='alert(1)'/>", "a.png"),
    "an ending that runs": (b"echo hello", "readme.pdf.bat"),
    "an ending in full width": (b"echo hello", "readme\uff0ebat"),
    "an ending behind hidden marks": (b"echo hello", "readme.ba\u200bt"),
    "a polyglot": (b"GIF89a" + bytes(20) + b"PK\x03\x04", "a.jar"),
    "unknown bytes": (bytes(range(256)), "a.dat"),
    "nothing": (b"", "a.txt"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_case_32_what_may_run_is_refused_and_not_kept(admin, runtime, kind):
    content, name = REFUSED[kind]
    ticket = admin.ticket()
    form = {"file": (io.BytesIO(content), name)}
    path = f"/api/tickets/{ticket['id']}/attachments"
    response = admin.post(path, data=form, content_type="multipart/form-data")
    assert response.status_code == 400
    assert response.json["data"]["errors"][0]["field"] == "content"
    assert names(admin, ticket) == []
    assert not runtime.settings.attachments_folder.exists()


@pytest.mark.parametrize("second", ["file", "other"])
def test_a_form_with_two_files_is_refused_so_that_none_is_lost_in_silence(admin, second):
    ticket = admin.ticket()
    data = MultiDict([("file", (io.BytesIO(b"one"), "1.txt")), (second, (io.BytesIO(b"two"), "2.txt"))])
    response = admin.post(f"/api/tickets/{ticket['id']}/attachments", data=data, content_type="multipart/form-data")
    assert (response.status_code, response.json["message"]) == (
        400,
        "The form holds 2 files. Send one file with each call.",
    )
    assert names(admin, ticket) == []


def test_case_32_names_on_disk_are_ours(admin, runtime):
    file = added(admin, admin.ticket(), name="../../../etc/.passwd\u202e.txt")
    assert file["name"] == "passwd.txt"
    folder = runtime.settings.attachments_folder
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [
        f"default/{file['id']}"
    ]
    assert (folder / "default" / file["id"]).stat().st_mode & 0o777 == 0o600


def test_case_32_a_download_is_never_shown_or_run_by_a_browser(admin):
    admin.put("/api/settings", {"attachment_types": ["text/html"]})
    page = b"<html><script>alert(1)</script></html>"
    file = added(admin, admin.ticket(), page, 'r\u00e9sum\u00e9 "1".html')
    response = admin.get(f"/api/attachments/{file['id']}")
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"r_sum_ _1_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20_1_.html"
    )
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert int(response.headers["Content-Length"]) == len(page)
    head = admin.client.head(f"/api/attachments/{file['id']}", headers={"X-API-Key": admin.key})
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(page)))


def test_settings_say_how_large_a_file_may_be(admin):
    ticket = admin.ticket()
    admin.put("/api/settings", {"attachment_megabytes": 1})
    added(admin, ticket, b"a" * MEBI)
    response = add(admin, ticket, b"a" * (MEBI + 1))
    assert (response.status_code, response.json["message"]) == (
        413,
        "The file is too large: at most 1 MiB are accepted.",
    )
    assert admin.put("/api/settings", {"attachment_megabytes": 21}).status_code == 400
    assert admin.put("/api/settings", {"attachment_types": ["everything"]}).status_code == 400


def test_a_body_over_the_limit_of_the_route_is_413(admin):
    path = f"/api/tickets/{admin.ticket()['id']}/attachments"
    response = admin.post(path, data=b" " * (32 * MEBI + 1), content_type="application/json")
    assert response.status_code == 413


def test_the_quota_counts_each_company_alone(open_app, caller_of):
    app = open_app(attachments_quota_megabytes=1)
    one, other, customer = (
        caller_of(app, "default"),
        caller_of(app, "other"),
        caller_of(app, "default", "ada@example.com"),
    )
    ticket = one.ticket()
    added(one, ticket, b"a" * (MEBI - 5))
    for caller in (one, customer):
        response = add(caller, ticket, b"123456")
        assert (response.status_code, response.json["data"]["code"]) == (409, "quota_reached")
    added(customer, ticket, b"12345")
    added(other, other.ticket(), b"123456")


@pytest.fixture
def caller_of():
    """A function that makes an admin of a company, or a customer of it."""
    from core.permissions import ACT_FOR_CUSTOMERS
    from tests.conftest import add_key
    from tests.support.caller import Caller

    def make(app, company, customer=""):
        runtime = app.extensions["runtime"]
        scopes, headers = ([ACT_FOR_CUSTOMERS], {"X-On-Behalf-Of": customer}) if customer else ([], {})
        return Caller(app.test_client(), add_key(runtime, "admin", company=company, scopes=scopes), headers)

    return make


@pytest.mark.every_engine
def test_a_reply_takes_files_that_were_uploaded_before(agent, customer):
    ticket = customer.ticket()
    mine, theirs = added(customer, ticket, name="mine.txt"), added(agent, ticket, name="theirs.txt", internal=True)
    path = f"/api/tickets/{ticket['id']}/replies"
    assert customer.post(path, {"body": "Look.", "attachment_ids": [theirs["id"]]}).status_code == 400
    reply = customer.data(customer.post(path, {"body": "Look.", "attachment_ids": [mine["id"], mine["id"]]}), 201)
    again = customer.post(path, {"body": "Look.", "attachment_ids": [mine["id"]]})
    assert (again.status_code, again.json["data"]["errors"][0]["field"]) == (400, "attachment_ids")
    answer = agent.data(agent.post(path, {"body": "Here.", "attachment_ids": [theirs["id"]]}), 201)
    files = customer.get(f"/api/tickets/{ticket['id']}/attachments").json["data"]
    assert [(file["name"], file["reply_id"]) for file in files] == [
        ("mine.txt", reply["id"]),
        ("theirs.txt", answer["id"]),
    ]
    assert customer.get(path).json["total"] == 2 + bool(ticket["ai_response"])


@pytest.mark.every_engine
def test_customers_do_not_see_internal_files(agent, customer):
    ticket = customer.ticket()
    plain, hidden = added(agent, ticket, name="plain.txt"), added(agent, ticket, name="hidden.txt", internal=True)
    noted = added(agent, ticket, name="noted.txt")
    agent.post(
        f"/api/tickets/{ticket['id']}/replies", {"body": "Note.", "internal": True, "attachment_ids": [noted["id"]]}
    )
    assert names(customer, ticket) == ["plain.txt"]
    assert names(agent, ticket) == ["plain.txt", "hidden.txt", "noted.txt"]
    for file in (hidden, noted):
        assert customer.get(f"/api/attachments/{file['id']}").status_code == 404
        assert customer.delete(f"/api/attachments/{file['id']}").status_code == 404
    assert bytes_of(customer, plain) == b"Hello"
    assert "internal" not in customer.get(f"/api/tickets/{ticket['id']}/attachments").json["data"][0]
    assert add(customer, ticket, internal=True).status_code == 403


def test_customers_remove_only_own_files_that_no_reply_has(agent, customer):
    ticket = customer.ticket()
    free, sent, theirs = added(customer, ticket), added(customer, ticket), added(agent, ticket)
    customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Look.", "attachment_ids": [sent["id"]]})
    statuses = [customer.delete(f"/api/attachments/{file['id']}").status_code for file in (free, sent, theirs)]
    assert statuses == [200, 409, 409]
    assert agent.delete(f"/api/attachments/{sent['id']}").status_code == 200


@pytest.mark.every_engine
def test_case_1_and_2_files_of_others_are_404_and_cannot_be_bound(admin, agent, stranger, customer):
    ticket, other = customer.ticket(), admin.ticket(customer_email="eve@example.com")
    file, elsewhere = added(admin, other), added(stranger, stranger.ticket())
    for caller, foreign in [(customer, file), (customer, elsewhere), (agent, elsewhere), (stranger, file)]:
        unknown = caller.get("/api/attachments/019aa000-0000-7000-8000-000000000000")
        response = caller.get(f"/api/attachments/{foreign['id']}")
        assert (response.status_code, response.get_data()) == (404, unknown.get_data())
        assert caller.delete(f"/api/attachments/{foreign['id']}").status_code == 404
    before = admin.get(f"/api/tickets/{ticket['id']}/replies").json["total"]
    for caller, foreign in [
        (customer, file),
        (customer, elsewhere),
        (agent, file),
        (agent, elsewhere),
        (agent, {"id": "x"}),
    ]:
        path = f"/api/tickets/{ticket['id']}/replies"
        assert caller.post(path, {"body": "Look.", "attachment_ids": [foreign["id"]]}).status_code == 400
    assert admin.get(f"/api/tickets/{ticket['id']}/replies").json["total"] == before
    assert add(customer, other).status_code == 404
    assert add(stranger, ticket).status_code == 404


def test_files_follow_a_late_reply_to_its_new_ticket(open_app, caller_of):
    from tests.support.clock import Clock

    clock = Clock()
    app = open_app(clock=clock)
    admin, ada = caller_of(app, "default"), caller_of(app, "default", "ada@example.com")
    ticket = admin.ticket()
    admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."})
    clock.forward(days=15)
    file = added(ada, ticket)
    reply = ada.data(
        ada.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Again.", "attachment_ids": [file["id"]]}), 201
    )
    assert reply["ticket_id"] != ticket["id"]
    assert names(ada, {"id": reply["ticket_id"]}) == ["a.txt"]
    assert names(ada, ticket) == []


def test_the_same_key_attaches_once(admin):
    ticket = admin.ticket()
    files = [added(admin, ticket, client_reference="upload 1") for _ in range(2)]
    assert files[0] == files[1]
    assert names(admin, ticket) == ["a.txt"]
    assert add(admin, ticket, b"other", client_reference="upload 1").status_code == 409


def test_the_history_names_what_was_attached_and_removed(admin):
    ticket = admin.ticket()
    file = added(admin, ticket, user="zoe")
    admin.delete(f"/api/attachments/{file['id']}")
    history = admin.get(f"/api/tickets/{ticket['id']}/history").json["data"][-2:]
    assert [(event["action"], event["from"], event["to"], event["said_by"]) for event in history] == [
        ("attached", "", "a.txt", "zoe"),
        ("attachment_removed", "a.txt", "", ""),
    ]


def test_a_copy_that_follows_changes_learns_of_files(admin):
    ticket = admin.ticket()
    file = added(admin, ticket)
    changed = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert changed["updated_at"] == file["created_at"] > ticket["updated_at"]
    assert changed["version"] == ticket["version"]


def test_an_erased_ticket_takes_no_file(admin, runtime):
    ticket = admin.ticket()
    admin.delete("/api/customers/ada@example.com")
    response = add(admin, ticket)
    assert (response.status_code, response.json["data"]["code"]) == (409, "erased")
    assert not runtime.settings.attachments_folder.exists()


def test_bytes_that_are_gone_are_a_404_that_says_so(admin, runtime):
    file = added(admin, admin.ticket())
    (runtime.settings.attachments_folder / "default" / file["id"]).unlink()
    response = admin.get(f"/api/attachments/{file['id']}")
    assert (response.status_code, response.json["data"]["code"]) == (404, "file_missing")
