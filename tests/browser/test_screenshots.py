"""`flask screenshots`: a picture of every page, the same each time."""

import struct
import time

import pytest

from services import lookups
from tools.screenshots.browser import LOOKS
from tools.screenshots.pages import PAGES
from tools.screenshots.pictures import take
from tools.screenshots.server import open_desk

SOME = [page for page in PAGES if page.name in ("confirm", "desk", "admin-keys")]
LATE_SECONDS = 0.5


@pytest.fixture
def answer_late(monkeypatch):
    """Makes answers with names come late, after the rows that show them."""
    choices = lookups.choices

    def late(*asked):
        time.sleep(LATE_SECONDS)
        return choices(*asked)

    return lambda: monkeypatch.setattr(lookups, "choices", late)


def test_each_look_is_a_picture_of_its_width_and_the_same_in_a_run_with_late_answers(browser, tmp_path, answer_late):
    runs = []
    for name in ("first", "second"):
        if runs:
            answer_late()
        folder = tmp_path / name
        with open_desk() as desk:
            runs.append({file.name: file.read_bytes() for file in take(browser, desk, folder, SOME)})
    first, second = runs
    assert list(first) == [f"{page.name}-{look.name}.png" for page in SOME for look in LOOKS]
    widths = [struct.unpack(">I", picture[16:20])[0] for picture in first.values()]
    assert widths == [look.width for _ in SOME for look in LOOKS]
    assert [name for name in first if first[name] != second[name]] == []


def test_names_of_pages_are_unique():
    assert len({page.name for page in PAGES}) == len(PAGES)
