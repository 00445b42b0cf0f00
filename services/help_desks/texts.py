"""Texts and times of other help desks in our form."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from channels import html_text
from core import plain_text, timestamps
from services.help_desks.records import text_of

_DAYS_FIRST = ("%d/%b/%y %I:%M %p", "%d/%b/%y %H:%M", "%d/%b/%Y %I:%M %p", "%d/%b/%Y %H:%M", "%d %b %Y %I:%M %p")


def of_text(value: Any) -> str:
    """Plain text without what is no text; "" for null."""
    text = value if isinstance(value, str) else text_of(value)
    return plain_text.clean(plain_text.NOT_TEXT.sub("\ufffd", text), lines=True)


def of_html(value: Any) -> str:
    """HTML as the text that a reader sees; "" for null. A text over `html_text.MOST` characters is converted in parts."""
    source = value if isinstance(value, str) else ""
    parts = [source[at : at + html_text.MOST] for at in range(0, len(source), html_text.MOST)]
    return of_text("\n".join(html_text.as_text(part) for part in parts))


def pieces(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most `most` characters. A cut is at the end of a line, else of a word, if there is one."""
    while len(text) > most:
        cut = max(text.rfind("\n", most // 2, most), 0) or max(text.rfind(" ", most // 2, most), 0) or most
        yield text[:cut].rstrip() or text[:cut]
        text = text[cut:].lstrip()
    yield text


def same(one: str, other: str) -> bool:
    """Whether two texts are the same but for spaces and line breaks."""
    return "".join(one.split()) == "".join(other.split())


def moment(value: Any, zone: str = "UTC") -> str:
    """A time in our form, "" for none. A time without an offset is of the zone. Raises ValueError for what is no time.

    It may be ISO 8601 or seconds since 1970. Jira's CSV files have 05/Mar/24 9:12 AM.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timestamps.stamp(datetime.fromtimestamp(value, tz=ZoneInfo("UTC")))
        text = text_of(value)
        if local := _without_offset(text):
            return timestamps.stamp(local.replace(tzinfo=ZoneInfo(zone)))
        return timestamps.read(text) if text else ""
    except (ValueError, OverflowError, OSError):  # a number may be beyond what the system's clock can hold
        raise ValueError(f"{str(value)[:40]!r} is no time that is known here.") from None


def _without_offset(text: str) -> datetime | None:
    for form in _DAYS_FIRST if "/" in text or " " in text else ():
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  # its zone is not in the text
        except ValueError:
            continue
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo is None else None
