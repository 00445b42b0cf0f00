"""The address of a store names a file or its folder."""

import pytest

from core.errors import StorageError
from database.url import parse_url


@pytest.mark.parametrize(
    "address", ["json:", "json:{folder}", "json:{folder}/", "json:{folder}/foyer.json", "json://{folder}/foyer.json"]
)
def test_a_json_address_names_the_document_or_its_folder(tmp_path, address):
    engine, path = parse_url(address.format(folder=tmp_path), tmp_path)
    assert (engine, path.resolve()) == ("json", (tmp_path / "foyer.json").resolve())


def test_a_folder_may_have_the_name_of_the_document(tmp_path):
    (tmp_path / "foyer.json").mkdir()
    assert parse_url(f"json:{tmp_path}/foyer.json", tmp_path)[1] == tmp_path / "foyer.json" / "foyer.json"


def test_another_file_is_refused_with_the_name_it_must_have(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(StorageError, match=r"foyer\.json"):
        parse_url(f"json:{tmp_path}/other.json", tmp_path)
