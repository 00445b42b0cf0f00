"""Phrases of many lists: one pass finds what a search with each list finds."""

import random
import re

import pytest

from ai.triage import example_sentences
from ai.triage import word_lists as words
from ai.triage.heads import flat
from ai.triage.phrases import PhraseFinder, PhraseList, beginnings

SIGNS = [*"?!'-,.😡👍❤ ", "don't", "isn't", "3 weeks", "٣ days", "naïve", "x_y", "system prompt"]


def plain_matches(one: PhraseList, text: str) -> list[tuple[int, int]]:
    """What a search with the whole list finds."""
    signs = f"|[{one.signs}]" if one.signs else ""
    return [match.span() for match in re.finditer(rf"\b(?:{'|'.join(one.phrases)})(?!\w){signs}", text)]


def texts() -> list[str]:
    """Sentences of customers, and random rows of their words, of phrases and of signs."""
    sentences = [text.lower() for text in (*flat(example_sentences.CATEGORIES)[0], *example_sentences.DISSATISFIED)]
    phrases = [phrase for one in words.FINDER.lists for phrase in one.phrases]
    parts = [re.sub(r"\(\?:|\(\?<?!|[()?*\\]", "", phrase.split("|")[-1]) for phrase in phrases]
    parts += [word for sentence in sentences for word in sentence.split()] + SIGNS * 50
    draw = random.Random(7)
    rows = (draw.choices(parts, k=draw.randint(1, 30)) for _ in range(1_500))
    return sentences + [draw.choice(["", " "]).join(row) if len(row) < 4 else " ".join(row) for row in rows]


def test_one_pass_finds_what_a_search_with_each_list_finds():
    matched = set()
    for text in texts():
        found = words.FINDER.find(text)
        for one in words.FINDER.lists:
            assert [(match.start, match.end) for match in found.get(one, [])] == plain_matches(one, text)
        matched |= set(found)
    assert matched == set(words.FINDER.lists)


def test_a_strong_phrase_is_told_from_a_weak_one():
    one = PhraseList(("late fee", "fee"), strong=1, signs="?")
    found = PhraseFinder([one]).find("a late fee, a fee?")
    assert [tuple(match) for match in found[one]] == [(2, 10, True), (14, 17, False), (17, 18, False)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("late", {"lat"}),
        ("ok", {"ok"}),
        ("(?:a|the )?fee", {"afe", "the", "fee"}),
        ("e-?mail|mail", {"e-m", "ema", "mai"}),
        ("(?<!no )(?:re)*fund", {"ref", "rer", "fun"}),
        (r"\d+ days", {"0"}),
        (r"x\w+", {"x"}),
        ("[ab]c{0,2}d", {"acd", "acc", "ad", "bcd", "bcc", "bd"}),
        (r"(?:on|\d)(?!e)", {"on", "0"}),
    ],
)
def test_the_beginnings_of_a_pattern(pattern, expected):
    assert beginnings(pattern, 3) == expected
