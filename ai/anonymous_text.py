"""Takes out of a text what tells who wrote it: addresses, names, numbers of orders and telephones, cards and passwords.

It knows the names it is given, and names where letters usually have them. Other names stay: a person must read the text.
"""

import re
import unicodedata
from collections.abc import Iterable

from ai.reply_checks.links import without_addresses
from core.redaction import mask

NAME, ADDRESS, LINK, NUMBER = "[name]", "[address]", "[link]", "[number]"
_LEAST_PART = 2  # letters of a part of a name
_LEAST_ID = 3  # characters of an id
# The part of an address before the @ that names a post, not a person.
_POSTS = frozenset(
    "admin billing contact customer customers hello help info kontakt mail noreply office orders sales service shop support "
    "team the webmaster".split()
)
_CAPITALIZED = r"[A-ZÀ-ÖØ-Þ][^\W\d_]+(?:[ '’-][A-ZÀ-ÖØ-Þ][^\W\d_]+){0,3}"
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Monsieur|Madame|Mme|Señora?|Sra?)\b\.?[ \t]{1,3}" + _CAPITALIZED
)
_INTRODUCED = re.compile(
    r"((?i:\bmy name is|\bich hei(?:ß|ss)e|\bmein name ist|\bje m['’]appelle|\bme llamo|\bmi nombre es)[ \t]{1,3})"
    + _CAPITALIZED
)
_GREETED = re.compile(
    rf"((?i:^|\n)[ \t]{{0,9}}(?i:hi|hello|hey|dear|hallo|liebe[rs]?|guten tag|bonjour|hola)[ \t]{{1,3}}){_CAPITALIZED}"
)
_CLOSING = (
    r"(?:(?:best|kind|warm|many)[ \t]{1,3})?(?:regards|wishes|thanks)|sincerely|cheers|thank you|yours(?:[ \t]\w{1,12})?"
    r"|(?:viele |liebe |beste |mit freundlichen )?gr(?:ü|ue)(?:ß|ss)en?|cordialement|saludos"
)
_SIGNED = re.compile(
    rf"(?i:\b({_CLOSING})[,.!]?)(?:[ \t]{{0,9}}\n\s{{0,9}}[^\n]{{1,60}}|[ \t]{{1,3}}{_CAPITALIZED})\s*\Z"
)
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,?[ \t](?:[^\W\d_]+[ \t]){1,4}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|square|boulevard|blvd)\b\.?"
    r"|\b[^\W\d_]{2,40}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee)[ \t]\d{1,4}[a-z]?\b"
    r"|\b\d{1,4}(?:bis)?,?[ \t](?:rue|avenue|boulevard|place)[ \t](?:[^\W\d_]+[ \t'’-]?){1,4}"
    r"|\bcalle[ \t](?:[^\W\d_]+[ \t]){1,4}\d{1,4}\b",
    re.IGNORECASE,
)
_POST_CODE = re.compile(r"\b\d{4,5}[ \t](?=[A-ZÀ-Þ][^\W\d_]{2,})")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}|(?:19|20)\d\d-(?:19|20)\d\d")
_DIGITS = re.compile(r"(?<![\w.,])\+?\(?\d(?:[ ()/.-]{0,2}\d){5,18}(?!\w)")
_MIXED = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,6}[-_/]?\d{4,}[\w-]{0,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-])|#\d{2,}\b"
)


def anonymised(text: str, *, names: Iterable[str] = (), ids: Iterable[str] = ()) -> str:
    """The text without addresses, links, numbers that identify, and these `names` and `ids`, each replaced by its kind.

    A name may be an address: its parts count as names. Their parts count where they are written with a capital letter.
    """
    text = unicodedata.normalize("NFKC", text.replace("\r\n", "\n"))
    text = text.translate({ord(char): None for char in set(text) if unicodedata.category(char) == "Cf"})
    text = mask(text)
    for value in sorted({value.strip() for value in ids}, key=len, reverse=True):
        if len(value) >= _LEAST_ID:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", NUMBER, text, flags=re.IGNORECASE)
    text = without_addresses(text, link=LINK, address=ADDRESS)
    text = _STREET.sub(ADDRESS, text)
    text = _POST_CODE.sub(f"{NUMBER} ", text)
    text = _MIXED.sub(NUMBER, text)
    text = _DIGITS.sub(lambda match: match[0] if _DATE.fullmatch(match[0]) else NUMBER, text)
    return _without_names(text, list(names))


def _without_names(text: str, names: list[str]) -> str:
    text = _SIGNED.sub(rf"\1, {NAME}", text)
    text = _GREETED.sub(rf"\g<1>{NAME}", text)
    text = _INTRODUCED.sub(rf"\g<1>{NAME}", text)
    text = _TITLED.sub(NAME, text)
    whole = {name.strip() for name in names if "@" not in name and " " in name.strip()}
    for name in sorted(whole, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", NAME, text, flags=re.IGNORECASE)
    parts = {
        spelling for name in names for part in _parts(name) for spelling in (part, part.capitalize(), part.upper())
    }
    for part in sorted((part for part in parts if not part.islower()), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?:(?=['’]s\b)|(?!\w))", NAME, text)
    return re.sub(rf"{re.escape(NAME)}(?:[ ,.]{{1,2}}{re.escape(NAME)})+", NAME, text)


def _parts(name: str) -> list[str]:
    """The parts of a name, or of the name in an address before the @."""
    local, at, _ = unicodedata.normalize("NFKC", name).partition("@")
    parts = re.findall(r"[^\W\d_]+", local)
    return [part for part in parts if len(part) >= _LEAST_PART + bool(at) and part.lower() not in _POSTS]
