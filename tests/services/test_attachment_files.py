"""The files of attachments and their rows: neither stays without the other, whatever happens between."""

import base64
import io
import tarfile

import pytest

from core.errors import AppError
from core.models import Actor
from database.file_store.contract import FileStoreFailed
from database.file_store.opening import open_file_store
from database.tables import jobs
from services.attachments import removal, uploads
from tests.database.test_file_store import aws, bucket_url  # noqa: F401
from tests.support.caller import Caller
from tests.support.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def add(caller, ticket, content=b"Hello", name="a.txt", **more):
    body = {"name": name, "content": base64.b64encode(content).decode(), **more}
    return caller.data(caller.post(f"/api/tickets/{ticket['id']}/attachments", body), 201)


def kept_files(runtime):
    folder = runtime.settings.attachments_folder
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.every_engine
@pytest.mark.parametrize("way", ["delete the ticket", "erase the customer"])
def test_files_go_with_their_ticket_and_their_customer(admin, runtime, run_jobs, way):
    ticket, other = admin.ticket(), admin.ticket(customer_email="eve@example.com")
    gone, stays = add(admin, ticket, name="ada.txt"), add(admin, other)
    if way == "delete the ticket":
        admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    else:
        admin.data(admin.delete("/api/customers/ada@example.com"))
        assert admin.get(f"/api/tickets/{ticket['id']}/attachments").json["total"] == 0
    assert admin.get(f"/api/attachments/{gone['id']}").status_code == 404
    run_jobs()
    assert kept_files(runtime) == {stays["id"]}
    with runtime.storage.unit_of_work(None) as uow:
        assert "ada.txt" not in str(uow.find(uow.query(jobs)))
    assert "ada.txt" not in admin.get("/api/audit?limit=200").get_data(as_text=True)


def test_an_upload_that_was_killed_before_its_row_is_removed_after_an_hour(open_app):
    clock = Clock()
    app = open_app(clock=clock)
    runtime = app.extensions["runtime"]
    admin = Caller(app.test_client(), "admin-key")
    whole = add(admin, admin.ticket())
    kept = uploads.keep(runtime.storage, runtime.files, "default", "a.txt", io.BytesIO(b"x"), quota=0)
    assert kept_files(runtime) == {kept.id, whole["id"]}
    clock.forward(minutes=59)
    runtime.runner.run_due()
    assert kept_files(runtime) == {kept.id, whole["id"]}
    clock.forward(minutes=2)
    runtime.runner.run_due()
    assert kept_files(runtime) == {whole["id"]}


def test_a_store_that_fails_keeps_no_row_and_answers_503(admin, runtime, monkeypatch):
    ticket = admin.ticket()

    def fail(*_):
        raise FileStoreFailed("no space left on device")

    monkeypatch.setattr(runtime.files, "put", fail)
    path = f"/api/tickets/{ticket['id']}/attachments"
    response = admin.post(path, {"name": "a.txt", "content": "SGVsbG8="})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert admin.get(path).json["total"] == 0


def test_a_removal_that_fails_is_tried_again(open_app, monkeypatch):
    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    file = add(admin, admin.ticket())
    delete = runtime.files.delete

    def fail(*_):
        raise FileStoreFailed("the bucket is away")

    monkeypatch.setattr(runtime.files, "delete", fail)
    admin.delete(f"/api/attachments/{file['id']}")
    runtime.runner.run_due()
    monkeypatch.setattr(runtime.files, "delete", delete)
    clock.forward(minutes=1)
    runtime.runner.run_due()
    assert kept_files(runtime) == set()


def test_a_file_with_a_row_is_never_removed(admin, runtime, run_jobs):
    file = add(admin, admin.ticket())
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        removal.enqueue(uow, [file["id"]])
    run_jobs()
    assert kept_files(runtime) == {file["id"]}


def test_mail_and_other_ways_in_attach_to_a_reply(admin, customer, runtime):
    ticket = customer.ticket()
    reply = customer.data(customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "See below."}), 201)
    kept = uploads.keep(runtime.storage, runtime.files, "default", "b.txt", io.BytesIO(b"from a mail"), quota=0)
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        uploads.attach(uow, ticket["id"], kept, quota=0, reply_id=reply["id"], author_role="customer")
    (file,) = customer.get(f"/api/tickets/{ticket['id']}/attachments").json["data"]
    assert (file["reply_id"], file["author_role"], file["name"]) == (reply["id"], "customer", "b.txt")


def test_the_exported_data_of_a_customer_lists_their_files(admin):
    file = add(admin, admin.ticket())
    add(admin, admin.ticket(customer_email="eve@example.com"))
    data = admin.data(admin.get("/api/customers/ada@example.com/export"))
    assert data["attachments"] == [file]


def test_a_server_with_a_bucket_keeps_no_file_on_its_disk(open_app, bucket_url):  # noqa: F811
    app = open_app(attachments_url=bucket_url)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    file = add(admin, admin.ticket(), b"in the bucket")
    assert admin.get(f"/api/attachments/{file['id']}").get_data() == b"in the bucket"
    assert not runtime.settings.attachments_folder.exists()
    admin.delete(f"/api/attachments/{file['id']}")
    runtime.runner.run_due()
    assert not runtime.files.exists("default", file["id"])


@pytest.fixture
def served(app, admin, run_jobs, tmp_path):
    """A server with two files that is stopped; their ids and contents."""
    ticket = admin.ticket()
    files = {add(admin, ticket, content)["id"]: content for content in (b"one", b"a" * 700_000)}
    run_jobs()
    app.extensions["runtime"].stop()
    return files


def run(app, *words):
    """What a flask command prints; its exit code must be 0."""
    result = invoke(app, *words)
    assert result.exit_code == 0, result.output
    return result.output


def invoke(app, *words):
    with app.app_context():
        return app.test_cli_runner().invoke(args=words)


def contents(files, ids):
    out = {}
    for file_id in ids:
        with files.open("default", file_id) as pieces:
            out[file_id] = b"".join(pieces)
    return out


@pytest.mark.every_engine
def test_a_backup_and_its_archive_restore_the_files(app, served, tmp_path):
    backup = tmp_path / "backup.json.gz"
    assert f"2 attached files are in {backup}.files" in run(app, "backup", str(backup))
    new = tmp_path / "new"
    run(app, "restore", str(backup), "--to", f"json:{new}", "--files-to", str(new / "attachments"))
    assert contents(open_file_store("", new / "attachments"), served) == served
    run(app, "backup", str(backup), "--overwrite")


def test_a_backup_that_fails_keeps_the_older_pair(app, served, tmp_path, monkeypatch):
    backup = tmp_path / "backup.json"
    run(app, "backup", str(backup))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("backup.json*")}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("commands.backup.backup_file.write", fail)
    assert invoke(app, "backup", str(backup), "--overwrite").exit_code == 1
    assert {path.name: path.read_bytes() for path in tmp_path.glob("backup.json*")} == before


def test_a_backup_without_its_archive_is_refused(app, served, tmp_path):
    backup, new = tmp_path / "backup.json", tmp_path / "new"
    run(app, "backup", str(backup))
    (tmp_path / "backup.json.files").unlink()
    words = ("restore", str(backup), "--to", f"json:{new}", "--files-to", str(new / "attachments"))
    result = invoke(app, *words)
    assert result.exit_code == 1
    assert "--without-files" in result.output
    assert not new.exists()
    run(app, *words, "--without-files")


FAULTS = {
    "a changed byte": lambda data: data.replace(b"a" * 600_000, b"a" * 599_999 + b"b"),
    "cut short": lambda data: data[:300_000],
    "not an archive": lambda data: b"x" * 2_000,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_archive_restores_nothing(app, served, tmp_path, fault):
    backup, new = tmp_path / "backup.json", tmp_path / "new"
    run(app, "backup", str(backup))
    archive = tmp_path / "backup.json.files"
    archive.write_bytes(FAULTS[fault](archive.read_bytes()))
    words = ("restore", str(backup), "--to", f"json:{new}", "--files-to", str(new / "attachments"))
    result = invoke(app, *words)
    assert result.exit_code == 1, result.output
    assert [path for path in new.rglob("*") if path.is_file()] == []


def test_a_file_that_was_missing_already_stops_neither_backup_nor_restore(app, served, tmp_path):
    backup, new = tmp_path / "backup.json", tmp_path / "new"
    missing = min(served)
    (tmp_path / "attachments" / "default" / missing).unlink()
    assert "1 were not in" in run(app, "backup", str(backup))
    with tarfile.open(tmp_path / "backup.json.files") as archive:
        assert f"default/{missing}.missing" in archive.getnames()
    run(app, "restore", str(backup), "--to", f"json:{new}", "--files-to", str(new / "attachments"))


def test_a_copy_takes_the_files_where_it_is_told_to(app, served, tmp_path, bucket_url):  # noqa: F811
    new = tmp_path / "new"
    run(app, "copy", "--to", f"json:{new}", "--files-to", str(new / "attachments"))
    assert contents(open_file_store("", new / "attachments"), served) == served
    assert "2 attached files" in run(app, "copy-attachments", "--to", bucket_url)
    assert "2 attached files" in run(app, "copy-attachments", "--to", bucket_url)
    assert contents(open_file_store(bucket_url, tmp_path), served) == served


def test_a_copy_that_is_refused_leaves_no_file_but_those_that_were_there(app, served, tmp_path):
    new = tmp_path / "new"
    run(app, "copy", "--to", f"json:{new}", "--files-to", str(new / "attachments"))
    words = ("copy", "--to", f"json:{new}", "--files-to")
    assert invoke(app, *words, str(new / "attachments")).exit_code == 1
    assert invoke(app, *words, str(tmp_path / "elsewhere")).exit_code == 1
    assert contents(open_file_store("", new / "attachments"), served) == served
    assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == []


def test_quota_is_checked_again_when_the_row_is_added(admin, runtime):
    ticket = admin.ticket()
    pair = [
        uploads.keep(runtime.storage, runtime.files, "default", "a.txt", io.BytesIO(b"a" * 6), quota=10) for _ in "12"
    ]
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        uploads.attach(uow, ticket["id"], pair[0], quota=10)
    with (
        pytest.raises(AppError, match="used up"),
        runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow,
    ):
        uploads.attach(uow, ticket["id"], pair[1], quota=10)
