"""Cuts an article in Markdown into passages: plain text of about 90 words under one heading.

Every pattern is bounded, so the time is linear in the length of the article.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = 90  # of a passage
FEWEST_WORDS = 15  # a shorter rest is added to the passage before it
_LETTERS_PER_WORD = 8  # a run without spaces counts as a word for each of these: Chinese and Japanese have none
_FENCE = re.compile(r" {0,3}(```|~~~)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_LIST_MARK = re.compile(r"[ \t]{0,20}(?:[-*+]|[0-9]{1,4}[.)])[ \t]+|[ \t]{0,20}>[ \t]?")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}(?:[ \t]\"[^\"]{0,300}\")?\)")
_TAG = re.compile(
    r"</?(?:a|b|br|blockquote|code|del|details|div|em|h[1-6]|hr|i|img|li|ol|p|pre|s|script|span|strong|style|sub|summary|sup"
    r"|table|tbody|td|th|thead|tr|u|ul)(?=[\s/>])[^<>]{0,300}>",
    re.IGNORECASE,
)
_CODE = re.compile(r"(`{1,2})([^`]{1,2000})\1")
_EMPHASIS = re.compile(r"(?<![\s*])\*{1,3}|\*{1,3}(?![\s*])|~~|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)")
_TABLE_RULE = re.compile(r"[ |:=-]{3,1000}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences of an article that stand together, and the heading above them ("" above the first heading)."""

    heading: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def cut(body: str) -> list[Passage]:
    """The passages of an article. An empty article has none."""
    return [passage for heading, paragraphs in _sections(body) for passage in _section_passages(heading, paragraphs)]


def plain(text: str) -> str:
    """Markdown of one paragraph as plain text on one line: links by their text, no emphasis, no tags."""
    text = " ".join(text.split())  # first: patterns would try long runs of blanks again and again
    parts, end = [], 0
    for code in _CODE.finditer(text):  # code stays as it is
        parts += [_without_marks(text[end : code.start()]), code[2].strip()]
        end = code.end()
    return " ".join("".join([*parts, _without_marks(text[end:])]).split())


def _without_marks(text: str) -> str:
    return _EMPHASIS.sub("", _TAG.sub(" ", _LINK.sub(r"\1", text))).replace("|", " ")


def _sections(body: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading with the paragraphs below it, up to the next heading."""
    heading, paragraphs, lines = "", list[str](), list[str]()
    is_code = False
    for line in _without_comments(body).splitlines():
        fence = _FENCE.match(line)
        if fence and line.count(fence[1]) == 1:
            is_code = not is_code
            continue
        if not is_code and _TABLE_RULE.fullmatch(line.strip()) and ("|" in line or not lines):  # or between paragraphs
            continue
        if is_code:
            lines += [f"`{line.replace('`', chr(39)).strip()}`"] if line.strip() else []  # as code within a line
            continue
        new_heading = _heading(line, lines)
        if new_heading is None and line.strip() and not _LIST_MARK.match(line):
            lines.append(line)
            continue
        paragraphs.append(" ".join(lines))
        item = _LIST_MARK.sub("", line, count=1).strip() if new_heading is None else ""
        lines = [item] if item else []
        if new_heading is not None:
            yield heading, paragraphs
            heading, paragraphs = new_heading, []
    yield heading, [*paragraphs, " ".join(lines)]


def _without_comments(body: str) -> str:
    """The article without `<!-- … -->`, which readers do not see."""
    first, *rest = body.split("<!--")
    shown = (part.partition("-->")[2] if "-->" in part else f"<!--{part}" for part in rest)
    return "".join([first, *shown])


def _heading(line: str, lines: list[str]) -> str | None:
    """The heading of this line, None when it is none. A line of === or --- makes a heading of the line before, taken off."""
    text = line.strip()
    level = len(text) - len(text.lstrip("#"))
    if 0 < level <= 6 and text[level : level + 1] in (" ", "\t"):
        return plain(heading_text(text[level:]))
    if len(lines) == 1 and _UNDERLINE.fullmatch(line):
        return plain(lines.pop())
    return None


def heading_text(text: str) -> str:
    """The text of a heading without the closing signs: `Refunds ##` is Refunds, `C#` stays."""
    text = text.strip()
    opened = text.rstrip("#")
    return opened.strip() if opened != text and opened[-1:] in ("", " ", "\t") else text


def _section_passages(heading: str, paragraphs: list[str]) -> Iterator[Passage]:
    sentences = [sentence for paragraph in paragraphs for sentence in _sentences(plain(paragraph))]
    passages: list[list[str]] = []
    size = 0
    for sentence in sentences:
        length = _length(sentence)
        if not passages or size + length > WORDS:
            passages.append([])
            size = 0
        passages[-1].append(sentence)
        size += length
    if len(passages) > 1 and sum(map(_length, passages[-1])) < FEWEST_WORDS:
        rest = passages.pop()
        passages[-1] += rest
    yield from (Passage(heading, tuple(passage)) for passage in passages)


def _sentences(text: str) -> Iterator[str]:
    for sentence in filter(None, map(str.strip, _SENTENCE_END.split(text))):
        words = sentence.split(" ")
        if _length(sentence) <= WORDS:
            yield sentence
        elif len(words) > WORDS // 2:
            yield from (" ".join(words[start : start + WORDS]) for start in range(0, len(words), WORDS))
        else:  # without spaces
            step = WORDS * _LETTERS_PER_WORD
            yield from (sentence[start : start + step] for start in range(0, len(sentence), step))


def _length(sentence: str) -> int:
    return max(sentence.count(" ") + 1, len(sentence) // _LETTERS_PER_WORD)
