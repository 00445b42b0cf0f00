"""Stores in files: restarts, locks, modes, addresses."""

import pytest

from database import tables
from database.json_store.engine import JsonFile
from database.json_store.folder_lock import FolderLock
from storage import StorageError, open_storage
from tests.conftest import FILES
from tests.support.rows import (
    add_company,
    everything,
    file_url,
    open_store,
)

pytestmark = pytest.mark.every_engine


def test_data_survives_a_restart(tmp_path, database_url):
    store = open_store(tmp_path, database_url)
    add_company(store)
    before = everything(store)
    store.close()
    second_store = open_store(tmp_path, database_url)
    assert everything(second_store) == before
    second_store.close()


@pytest.mark.parametrize("engine", FILES)
def test_a_second_process_cannot_open_the_file(tmp_path, engine, monkeypatch):
    monkeypatch.setattr(FolderLock.__init__, "__kwdefaults__", {"wait_seconds": 0.1})
    monkeypatch.setattr(JsonFile.__init__, "__kwdefaults__", {"lock_wait_seconds": 0.1})
    url = file_url(engine, tmp_path)
    store = open_storage(url, tmp_path)
    assert store.exclusive
    with pytest.raises(StorageError, match="one file serves one process"):
        open_storage(url, tmp_path)
    store.close()
    open_storage(url, tmp_path).close()


@pytest.mark.parametrize("engine", FILES)
def test_files_are_private_to_their_owner(tmp_path, engine):
    folder = tmp_path / "new" / "folder"
    store = open_store(folder, file_url(engine, folder))
    add_company(store)
    modes = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}
    store.close()
    assert modes
    assert not any(modes.values()), modes


@pytest.mark.parametrize("engine", FILES)
def test_a_path_with_special_characters_works(tmp_path, engine):
    folder = tmp_path / "50% & more? #1"
    store = open_store(folder, file_url(engine, folder))
    add_company(store)
    store.close()
    assert (folder / ("foyer.json" if engine == "json" else "foyer.db")).exists()


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_database_url_without_a_file_is_refused(tmp_path, url):
    with pytest.raises(StorageError, match="DATABASE_URL"):
        open_storage(url, tmp_path)


def test_a_file_that_is_not_sqlite_is_refused_with_a_sentence_and_kept(tmp_path):
    file = tmp_path / "foyer.db"
    file.write_bytes(b"something else entirely, long enough to be read as a header" * 20)
    before = file.read_bytes()
    with pytest.raises(StorageError, match=r"foyer\.db cannot be opened: file is not a database$"):
        open_store(tmp_path, file_url("sqlite", tmp_path))
    assert file.read_bytes() == before


def test_every_journalled_column_holds_text_numbers_or_json_that_says_so_by_its_default():
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            kind = type(column.type).__name__
            assert kind in {"String", "Text", "Integer", "Boolean", "Fixed", "JsonText"}, f"{table.name}.{column.name}"
            if kind == "JsonText":
                assert column.server_default.arg in ("[]", "{}"), f"{table.name}.{column.name}"
