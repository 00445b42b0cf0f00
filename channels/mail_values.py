"""Values of mail headers and parts: text in any charset, addresses and ids. Nothing here raises for what a sender wrote."""

import codecs
import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses

from core.charsets import codec_of
from core.normal_form import EmailNotValidError, valid_email
from core.plain_text import NOT_TEXT, clean

MOST_HEADER = 20_000  # characters of a header that are looked at
MOST_ADDRESSES = 200
MOST_IDS = 100
MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f-\U0010ffff]{1,248}>")
# Codecs that transform text or are slow with long ones; a mail that names one is read as UTF-8.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}


def plain(text: str, *, lines: bool = False) -> str:
    """The text in the form of core/plain_text.py; NUL and half characters become spaces."""
    return clean(NOT_TEXT.sub(" ", text), lines=lines)


def decoded(content: bytes, charset: str) -> str:
    """The bytes as text: by the charset, else as UTF-8, else as Windows-1252. Bytes that are none become U+FFFD."""
    for name in (charset, "utf-8"):
        try:
            return content.decode(_codec(name))
        except (LookupError, UnicodeError, ValueError):
            continue
    return content.decode(_codec_or(charset, "cp1252"), "replace")


def _codec(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()[:40]
    try:
        return codec_of(name)
    except LookupError:
        info = codecs.lookup(name or "utf-8")
    if not info._is_text_encoding or info.name in _NOT_CHARSETS:
        raise LookupError(charset)
    return info.name


def _codec_or(charset: str, fallback: str) -> str:
    try:
        name = _codec(charset) if charset else fallback
    except (LookupError, ValueError):
        return fallback
    return fallback if name in ("utf-8", "ascii") else name


def raw_text(value: object) -> str:
    """A header as it was sent: bytes that are not ASCII are read as UTF-8, else as Windows-1252."""
    text = str(value)[:MOST_HEADER]
    if text.isascii():
        return text
    return decoded(text.encode("utf-8", "surrogateescape"), "utf-8")


def header_text(value: object) -> str:
    """A header for people: encoded words decoded, one line."""
    text = raw_text(value)
    if "=?" not in text:
        return plain(" ".join(text.split()))
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError, UnicodeError):
        return plain(" ".join(text.split()))
    words = [piece if isinstance(piece, str) else decoded(piece, charset or "utf-8") for piece, charset in pieces]
    return plain(" ".join("".join(words).split()))


def address(text: str) -> str:
    """An address in its one form, "" for what is none."""
    try:
        return valid_email(text)
    except (EmailNotValidError, ValueError):
        return ""


def mailboxes(values: Iterable[object]) -> list[tuple[str, str]]:
    """The (name, address) pairs of address headers, without what is no address."""
    pairs: list[tuple[str, str]] = []
    for value in values:
        text = " ".join(raw_text(value).split())
        try:
            found = getaddresses([text]) if len(text) < MOST_HEADER else []
        except (ValueError, IndexError, TypeError):
            found = []
        known = [(header_text(name), valid) for name, written in found if (valid := address(written))]
        if not known and (bracketed := re.findall(r"<([^<>\s]{3,320})>", text)):  # names with bare commas and quotes
            known = [("", valid) for written in bracketed[:MOST_ADDRESSES] if (valid := address(written))]
        pairs += known
        if len(pairs) >= MOST_ADDRESSES:
            break
    return pairs[:MOST_ADDRESSES]


def message_ids(values: Iterable[object]) -> tuple[str, ...]:
    """The Message-IDs of headers, each once: the first and the last of very many.

    Some programs write an id that is longer than a line as encoded words.
    """
    texts = (header_text(text) if "=?" in (text := raw_text(value)) else text for value in values)
    ids = list(dict.fromkeys(name for text in texts for name in MESSAGE_ID.findall(text)))
    return tuple(ids if len(ids) <= MOST_IDS else ids[: MOST_IDS // 2] + ids[-MOST_IDS // 2 :])
