"""Text as people paste it: what it becomes, and what is refused."""

import pytest

from core.plain_text import clean

LINES = {
    "one\u000btwo": "one\ntwo",
    "one\u2028two\u2029three": "one\ntwo\nthree",
    "one\u0085two": "one\ntwo",
    "page\ftwo": "page\ntwo",
    "a\r\nb\rc\nd": "a\nb\nc\nd",
    "a\n\nb": "a\n\nb",
    "a\tb": "a\tb",
    "\x1b[1;31mred\x1b[0m text": "red text",
    "\x9b32mgreen": "green",
    "\x1b]0;title\x07rest": "rest",
    "a\x1bP1$r0m\x1b\\b\x1b_app\x1b\\c\x1b^note\x1b\\d\x1bXstart\x1b\\e": "abcde",
    "\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\": "link",
    "typo\b fixed\x7f": "typo fixed",
    "\ufeff\u200b  marked \u200e\u2069": "marked",
    "\u202eab\u202c": "ab",
    "soft\u00adhyphen": "soft\u00adhyphen",
    "zero\u200dwidth inside": "zero\u200dwidth inside",
    "I \u2764\ufe0f": "I \u2764\ufe0f",
    "\U0001f3f4\U000e0067\U000e0062\U000e007f": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "\u0600\u0661": "\u0600\u0661",
    "\x1b[0m\u200b": "",
    "\u00a0caf\u00e9\u3000": "café",
}
ONE_LINE = {
    "first\nsecond": "first second",
    "first \r\n\r\n  second": "first second",
    "a\u2028b": "a b",
    "a\x0bb\x0cc": "a b c",
    "tab\tstays": "tab\tstays",
    "\nends\n": "ends",
}


@pytest.mark.parametrize(("pasted", "stored"), LINES.items(), ids=ascii)
def test_breaks_become_line_feeds_and_invisible_ends_are_left_out(pasted, stored):
    assert clean(pasted, lines=True) == stored
    assert clean(stored, lines=True) == stored


@pytest.mark.parametrize(("pasted", "stored"), ONE_LINE.items(), ids=ascii)
def test_a_text_of_one_line_has_a_space_for_each_break(pasted, stored):
    assert clean(pasted) == stored


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfffy"], ids=ascii)
def test_nul_and_half_characters_are_refused(text):
    with pytest.raises(ValueError, match="NUL"):
        clean(text, lines=True)
