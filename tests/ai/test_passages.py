"""How articles are cut into passages."""

import pytest

from ai.retrieval.passages import WORDS, cut, plain

PLAIN = {
    "Open *Settings > People* and choose **Add**.": "Open Settings > People and choose Add.",
    "un**believ**able": "unbelievable",
    "the field <id> of a row": "the field <id> of a row",
    "Run `ls *.log | wc -l` now": "Run ls *.log | wc -l now",
    "5 * 3 and 2 ** 8": "5 * 3 and 2 ** 8",
    "Mail <a@example.com> or <https://example.com/x>.": "Mail <a@example.com> or <https://example.com/x>.",
    "See [the guide](https://example.com/a) and ![a picture](x.png).": "See the guide and a picture.",
    "`code` and ~~old~~ words": "code and old words",
    "snake_case_stays": "snake_case_stays",
    "a <b>bold</b> word": "a bold word",
    "| a | b |": "a b",
}


@pytest.mark.parametrize(("text", "expected"), PLAIN.items())
def test_markdown_becomes_plain_text(text, expected):
    assert plain(text) == expected


def test_sections_are_cut_at_their_headings():
    body = "Intro here.\n\n## First\n\nOne. Two.\n\nSecond\n------\n\n- a\n- b\n\n# Third #\nThree."
    passages = cut(body)
    assert [(passage.heading, passage.text) for passage in passages] == [
        ("", "Intro here."),
        ("First", "One. Two."),
        ("Second", "a b"),
        ("Third", "Three."),
    ]


def test_code_is_kept_as_it_is_and_is_no_heading():
    (passage,) = cut("Run:\n\n```\n# not a heading\nrm *.tmp `x` __init__\n```\n")
    assert (passage.heading, passage.text) == ("", "Run: # not a heading rm *.tmp 'x' __init__")


def test_comments_are_not_shown():
    (passage,) = cut("One. <!-- secret\n\n# no heading --> Two.")
    assert (passage.heading, passage.text) == ("", "One. Two.")


def test_passages_have_about_the_same_length_and_lose_no_sentence():
    sentences = [f"This is sentence number {number} of a long article." for number in range(100)]
    passages = cut(" ".join(sentences))
    assert [sentence for passage in passages for sentence in passage.sentences] == sentences
    assert all(WORDS / 2 < passage.text.count(" ") + 1 <= WORDS for passage in passages[:-1])


def test_text_without_spaces_is_cut_too():
    assert len(cut("语" * 5000)) > 3
    assert "".join(passage.text for passage in cut("语" * 5000)) == "语" * 5000


@pytest.mark.parametrize("body", ["", "\n\n", "# Only a heading"])
def test_an_article_without_text_has_no_passage(body):
    assert cut(body) == []


@pytest.mark.parametrize(
    "unit",
    ["[", "](", "*", "`", "~~~\n", "# ", "<a ", "> ", "- ", "|", "![", "1. ", "=\n", "a\n---\n", " ", "a  |", "# #"],
)
def test_a_long_run_of_signs_is_cut_and_nothing_is_added(unit):
    body = unit * (200_000 // len(unit))
    assert sum(len(passage.text) + len(passage.heading) for passage in cut(body)) <= len(body)
