"""The private file that other tests reuse begins each time as a new one does."""

import storage
from database.json_store.engine import JsonFile
from tests.support.caller import Caller
from tests.support.reused_file import ReusedJsonFile
from tests.support.rows import open_store


def test_a_reused_file_holds_what_a_new_one_holds(open_app, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "JsonFile", ReusedJsonFile)
    app = open_app()
    admin = Caller(app.test_client(), "admin-key")
    admin.data(admin.post("/api/demo"))
    admin.data(admin.delete(f"/api/tickets/{admin.ticket(title='erased')['id']}"))
    runtime = app.extensions["runtime"]
    used = runtime.storage._engine
    assert used.path != tmp_path / "foyer.json.sqlite"
    runtime.stop()
    again, new = ReusedJsonFile(tmp_path / "again").open(), JsonFile(tmp_path / "new").open()
    assert again.path == used.path
    assert rows(again) == rows(new)
    again.close()
    new.close()


def test_a_file_is_not_reused_after_its_definitions_changed_or_while_it_is_open(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "JsonFile", ReusedJsonFile)
    one = open_store(tmp_path / "one")
    two = open_store(tmp_path / "two")
    paths = [one._engine.path, two._engine.path]
    assert paths[1] == tmp_path / "two/foyer.json.sqlite"
    with one._engine.write() as connection:
        connection.exec_driver_sql("CREATE TABLE left_over (id)")
    one.close()
    two.close()
    three = open_store(tmp_path / "three")
    assert three._engine.path not in (*paths, tmp_path / "three/foyer.json.sqlite")
    three.close()


def rows(engine):
    """The rows of all tables, and the words of the search index."""
    with engine.write() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        read = [name for name in names if not name.startswith("ticket_words")]
        return {name: connection.exec_driver_sql(f'SELECT * FROM "{name}"').all() for name in read}
