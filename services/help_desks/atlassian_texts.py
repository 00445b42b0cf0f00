"""Texts of Jira as plain text: its document format (ADF) and its wiki markup.

ADF: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/. Of both, what a reader sees is kept.
"""

import re
from collections.abc import Callable
from typing import Any

from services.help_desks import texts
from services.help_desks.records import dict_of, list_of, text_of
from storage import Row

DEEPEST = 60  # levels of a document; the text of deeper ones is left out
_BLOCKS = {
    "paragraph",
    "heading",
    "codeBlock",
    "rule",
    "mediaGroup",
    "mediaSingle",
    "taskItem",
    "decisionItem",
    "tableRow",
}
_MARKS = {"listItem": "- ", "taskItem": "- ", "decisionItem": "- ", "blockquote": "> "}
_SPACED = {"paragraph", "heading", "codeBlock", "blockquote", "panel", "bulletList", "orderedList", "table", "expand"}
_MENTION = re.compile(r"\[~(?:accountid:)?([^\]\n]{1,100})\]")
_MARKUP = (
    (re.compile(r"\{(?:code|noformat|quote|panel|color)(?::[^{}\n]{0,200})?\}"), ""),
    (re.compile(r"^h[1-6]\.[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^bq\.[ \t]+", re.MULTILINE), "> "),
    (re.compile(r"^[ \t]{0,20}[*#-]{1,6}[ \t]+", re.MULTILINE), "- "),
    (re.compile(r"\[([^|\]\n]{1,500})\|([^|\]\n]{1,2000})(?:\|[^\]\n]{0,100})?\]"), r"\1 (\2)"),
    (re.compile(r"\[((?:https?://|mailto:)[^\]\s]{1,2000})\]"), r"\1"),
    (re.compile(r"!([^!\n|]{1,200}\.[A-Za-z0-9]{1,5})(?:\|[^!\n]{0,200})?!"), r"[\1]"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,1000})(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]{1,1000})(?<=\S)_(?![\w_])"), r"\1"),
    (re.compile(r"\{\{([^{}\n]{1,1000})\}\}"), r"\1"),
    (re.compile(r"\\\\(?=\s|$)"), "\n"),
)


def plain(value: Any, name_of: Callable[[str], str] = str) -> str:
    """The text of an ADF document or of wiki markup. `name_of` gives the name of a person from an account id in wiki markup."""
    if isinstance(value, dict):
        parts: list[str] = []
        _walk(value, parts, 0)
        return texts.of_text(re.sub(r"\n{3,}", "\n\n", "".join(parts)))
    text = value if isinstance(value, str) else ""
    text = _MENTION.sub(lambda match: f"@{name_of(match[1])}", text)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return texts.of_text(text)


def _walk(node: dict[str, Any], parts: list[str], depth: int) -> None:
    kind = text_of(node.get("type"))
    if kind in _BLOCKS and parts and not parts[-1].endswith(("\n", "- ", "> ")):
        parts.append("\n")
    if kind in _MARKS:
        parts.append(_MARKS[kind] if not parts or parts[-1].endswith("\n") else f"\n{_MARKS[kind]}")
    if kind in _LEAVES:
        parts.append(_LEAVES[kind](node, dict_of(node.get("attrs"))))
    if depth < DEEPEST:
        for child in list_of(node.get("content")):
            if isinstance(child, dict):
                _walk(child, parts, depth + 1)
    if kind in _SPACED:
        parts.append("\n" if depth > 1 else "\n\n")


def _with_link(node: dict[str, Any]) -> str:
    text = node["text"] if isinstance(node.get("text"), str) else ""
    for mark in map(dict_of, list_of(node.get("marks"))):
        target = text_of(dict_of(mark.get("attrs")).get("href"))
        if mark.get("type") == "link" and target and target not in text:
            return f"{text} ({target})"
    return text


def _day(stamp: Any) -> str:
    try:
        return texts.moment(int(text_of(stamp)) // 1000)[:10]
    except (ValueError, OverflowError, OSError):
        return text_of(stamp)


def _name(_: Row, attributes: Row) -> str:
    return text_of(attributes.get("text") or attributes.get("shortName"))


_LEAVES: dict[str, Callable[[Row, Row], str]] = {
    **dict.fromkeys(("mention", "emoji", "status", "placeholder"), _name),
    **dict.fromkeys(("inlineCard", "blockCard", "embedCard"), lambda _, attributes: text_of(attributes.get("url"))),
    **dict.fromkeys(("media", "mediaInline"), lambda _, attributes: f"[{text_of(attributes.get('alt')) or 'file'}]"),
    **dict.fromkeys(("tableCell", "tableHeader"), lambda *_: " "),
    "date": lambda _, attributes: _day(attributes.get("timestamp")),
    "hardBreak": lambda *_: "\n",
    "text": lambda node, _: _with_link(node),
}
