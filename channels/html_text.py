"""HTML of a mail as plain text: blocks become lines, links keep their address, quotes begin with >, nothing is executed.

Its own small reader instead of html.parser, whose time grows with the square of a hostile text.
"""

import html
import re
from collections.abc import Iterator

MOST = 1_000_000  # characters that are read
_SKIPPED = ("script", "style", "title", "template", "noscript", "object", "svg", "math", "iframe", "textarea")
_BLOCKS = set(
    "p div br tr table ul ol li h1 h2 h3 h4 h5 h6 hr blockquote pre section article header footer address dl dt dd".split()
)
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre"}
# A tag, with quoted values that may hold any character. The quantifier is possessive, so a broken tag costs one pass.
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})((?:"[^"]{0,20000}"|'[^']{0,20000}'|[^<>"'])*+)>|<(!--)|<[!?][^<>]*>"""
)
_HREF = re.compile(r"""(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+", re.IGNORECASE)

Token = tuple[str, str, str]  # (text, "", ""), or ("", "p" or "/p", attributes)


def as_text(source: str) -> str:
    """The text a reader of this HTML sees, at most the first million characters of it."""
    page = _Page()
    for text, tag, attributes in _tokens(source[:MOST]):
        if text:
            page.add(html.unescape(text))
        elif tag.startswith("/"):
            page.close(tag[1:])
        elif tag:
            page.open(tag, attributes)
    return page.text()


def _tokens(source: str) -> Iterator[Token]:
    place, without_end, lower = 0, set[str](), source.lower()
    while match := _TAG.search(source, place):
        if match.start() > place:
            yield source[place : match.start()], "", ""
        place = match.end()
        closing, name, attributes, comment = match[1], (match[2] or "").lower(), match[3] or "", match[4]
        if comment or (name in _SKIPPED and not closing):
            ending = "-->" if comment else f"</{name}"
            end = -1 if ending in without_end else lower.find(ending, place)
            if end < 0:
                without_end.add(ending)  # never closed: what follows is shown rather than lost
            else:
                place = end + (len(ending) if comment else 0)
        elif name:
            yield "", f"{closing}{name}", attributes
    if place < len(source):
        yield source[place:], "", ""


class _Page:
    """The lines of a text that grows."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._link, self._link_start = "", 0  # the open link, and where in the line it begins

    def add(self, text: str) -> None:
        self._line.append(text)

    def open(self, tag: str, attributes: str) -> None:
        if tag in _BLOCKS:
            self._break(blank=tag in _SPACED)
        if tag == "blockquote":
            self._quotes += 1
        elif tag in ("li", "td", "th"):
            self._line.append("- " if tag == "li" else " ")
        elif tag == "a":
            href = _HREF.search(attributes)
            address = html.unescape(next(filter(None, href.groups()), "")).strip() if href else ""
            self._link = address if _LINK.fullmatch(address) else ""
            self._link_start = len(self._line)

    def close(self, tag: str) -> None:
        if tag == "a" and self._link:
            target, self._link = self._link.removeprefix("mailto:"), ""
            if target not in "".join(self._line[self._link_start :]):
                self._line.append(f" ({target})")
        if tag in _BLOCKS and tag != "br":
            self._break(blank=tag in _SPACED)
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)

    def text(self) -> str:
        self._break(blank=False)
        return "\n".join(self._lines).strip()

    def _break(self, *, blank: bool) -> None:
        text, mark = " ".join("".join(self._line).split()), "> " * min(self._quotes, 5)
        if text:
            self._lines.append(mark + text)
        if (blank or (self._line and not text)) and self._lines and self._lines[-1].strip("> "):
            self._lines.append(mark.strip())
        self._line = []
