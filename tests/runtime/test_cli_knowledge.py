"""flask import-knowledge, with the server stopped and running."""

import zipfile

import pytest
import requests

from tests.runtime.test_cli import shell  # noqa: F401


@pytest.fixture
def folder(tmp_path):
    """Three articles, one of which cannot be used, and two files that are none."""
    folder = tmp_path / "help"
    (folder / "billing").mkdir(parents=True)
    (folder / "billing" / "refunds.md").write_text("---\ntags: [money]\n---\n# Refunds\n\nA refund takes five days.\n")
    (folder / "labels.md").write_text("Labels print at half size.\n")
    (folder / "empty.md").write_text("")
    (folder / ".hidden.md").write_text("x")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def articles(shell, url):  # noqa: F811
    key = shell.key_file.read_text().strip()
    rows = requests.get(f"{url}/api/knowledge", headers={"X-API-Key": key}, timeout=30).json()["data"]
    return {row["source"]: (row["title"], row["tags"], row["body"]) for row in rows}


EXPECTED = {
    "billing/refunds.md": ("Refunds", ["money"], "A refund takes five days."),
    "labels.md": ("labels", [], "Labels print at half size."),
}


def test_a_folder_is_imported_and_a_second_run_changes_only_what_changed(shell, folder):  # noqa: F811
    first = shell.flask("import-knowledge", str(folder))
    assert first.returncode == 0, first.stderr
    assert "article 2: body: body is required." in first.stdout
    assert "3 articles read: 2 new, 0 changed, 0 the same, 1 refused." in first.stdout
    (folder / "labels.md").write_text("Labels print at full size now.\n")
    second = shell.flask_here("import-knowledge", str(folder))
    assert "0 new, 1 changed, 1 the same, 1 refused" in second.stdout


def test_a_folder_and_a_zip_are_imported_through_the_running_server(shell, folder, tmp_path):  # noqa: F811
    with shell.running() as url:
        made = shell.flask_here("import-knowledge", str(folder), "--url", url)
        assert made.returncode == 0, made.stderr
        assert articles(shell, url) == EXPECTED
        archive = tmp_path / "help.zip"
        with zipfile.ZipFile(archive, "w") as written:
            written.write(folder / "billing" / "refunds.md", "billing/refunds.md")
        again = shell.flask_here("import-knowledge", str(archive), "--url", url)
        assert "1 article read: 0 new, 0 changed, 1 the same, 0 refused." in again.stdout
        assert articles(shell, url) == EXPECTED


def test_a_file_that_is_no_article_is_refused_with_the_reason(shell, tmp_path):  # noqa: F811
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    refused = shell.flask_here("import-knowledge", str(picture))
    assert (refused.returncode, "Send Markdown, CSV, JSON or Excel" in refused.stderr) == (1, True)
