"""Finds links, e-mail addresses, host names and IP addresses in text: all that a mail program or chat may make clickable.

The functions are pure, and their time is linear in the length of the text.
"""

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from pathlib import Path

ENDINGS = Path(__file__).with_name("top_level_domains.txt")
# Marks of Indic scripts are part of words, but \w does not match them.
_MARKS = r"\u0900-\u0963\u0971-\u0dff"
_ADDRESS = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'()\[\]{}|]+|//[\w-]{1,63}\.[^\s<>\"'()\[\]{}|]+)"
    r"|(?P<email>(?<![\w.+%-])[\w.+%-]{1,64}@[\w-][\w.-]{0,253})"
    # A name may start after a dot, unless the dot belongs to a name that was already matched.
    rf"|(?P<host>(?<![\w@-])(?<![\w-]\.)(?:[\w{_MARKS}-]{{1,63}}\.){{1,127}}"
    rf"(?P<top>(?:[^\W\d_]|[{_MARKS}]){{2,63}}|xn--[a-z0-9-]{{1,59}})(?![\w{_MARKS}-])"
    r"(?P<path>[/:?#][^\s<>\"'()\[\]{}|]*)?)"
)
_ANY_CASE = re.compile(_ADDRESS.pattern, re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])")
_VERSION_BEFORE = re.compile(r"(?:\bv|\b(?:version|release|build|firmware|update|versión|versione)[ :]{0,2})\Z")
# Names of files and products that end like a top-level domain.
_NO_LINKS = re.compile(
    r"[\w.-]+\.py|(?:readme|changelog|contributing|license|notes)\.md"
    r"|(?:build|deploy|install|run|setup|start|stop|test|update)\.sh|(?:lib|main)\.rs|(?:ado|asp|ml|vb)\.net"
)


def _endings() -> frozenset[str]:
    lines = ENDINGS.read_text(encoding="utf-8").splitlines()
    return frozenset(ending for line in lines if not line.startswith("#") for ending in line.split())


_TOP_LEVEL = _endings()


def folded(text: str) -> str:
    """The text in one spelling: look-alike characters are replaced, invisible ones removed, letters made small."""
    text = unicodedata.normalize("NFKC", text).lower().replace("\u3002", ".")
    invisible = {ord(char): None for char in set(text) if char != "\n" and unicodedata.category(char) in ("Cc", "Cf")}
    return text.translate(invisible)


def addresses(text: str) -> set[str]:
    """Every link and address in folded text, each in one spelling, and the host of each link."""
    result: set[str] = set()
    for match in _ADDRESS.finditer(text):
        if match["host"] and not match["path"] and not _is_host(match["host"], match["top"]):
            continue
        address = match[0].rstrip(".,;:!?*_~`-").removeprefix("https:").removeprefix("http:").removeprefix("//")
        address = address.removeprefix("www.").rstrip("/")
        result |= {address, re.split("[/?#]", address, maxsplit=1)[0]}
    return result | _ip_addresses(text)


def without_addresses(text: str, *, link: str, address: str) -> str:
    """The text with `link` for each link and host name, and `address` for each e-mail and IP address. The rest stays."""

    def instead(match: re.Match[str]) -> str:
        if match["host"] and not match["path"] and not _is_host(match["host"].lower(), match["top"].lower()):
            return match[0]
        end = match[0][len(match[0].rstrip(".,;:!?")) :]
        return (address if match["email"] else link) + end

    text = _ANY_CASE.sub(instead, text)
    for spelling in sorted(_ip_addresses(text), key=len, reverse=True):
        text = text.replace(spelling, address)
    return text


def _is_host(name: str, top: str) -> bool:
    return (top in _TOP_LEVEL or top.startswith("xn--")) and not _NO_LINKS.fullmatch(name)


def _ip_addresses(text: str) -> set[str]:
    result = {match[0] for match in _IPV6.finditer(text) if _is_ip(IPv6Address, match[0])}
    for match in _IPV4.finditer(text):
        if _is_ip(IPv4Address, match[0]) and not _VERSION_BEFORE.search(
            text, max(0, match.start() - 12), match.start()
        ):
            result.add(match[0])
    return result


def _is_ip(kind: type[IPv4Address | IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return any(char.isdigit() for char in text)
