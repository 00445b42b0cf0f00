"""Origins of web pages, such as https://shop.example.com:8443: who may show the chat in a frame."""

import re
from urllib.parse import urlsplit

MOST_LETTERS = 255
_HOST = re.compile(r"(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\]")


def parse(text: str) -> str:
    """The origin as a browser writes it: scheme, host in ASCII, and the port unless it is the usual one.

    Raises ValueError for a text with a path, a wildcard, a user or another scheme. So one text never names several sites,
    and cannot end the directive of a header that holds it.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or parts.path not in ("", "/") or "@" in parts.netloc:
        raise ValueError(text)
    if "?" in text or "#" in text or not parts.hostname:
        raise ValueError(text)
    host = parts.hostname.lower()
    if not host.isascii():
        host = host.encode("idna").decode()  # UnicodeError is a ValueError
    host = f"[{host}]" if ":" in host else host
    port = parts.port  # ValueError over 65535
    if not _HOST.fullmatch(host) or port == 0 or parts.netloc.endswith(":"):
        raise ValueError(text)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


def is_origin(text: object) -> bool:
    """Whether it is an origin in the form of `parse`."""
    try:
        return isinstance(text, str) and parse(text) == text
    except ValueError:
        return False
