"""The type of a file by its bytes. The name only chooses among types that share their first bytes; nothing is unpacked."""

import codecs
import re

import puremagic

from core.file_names import ending

HEAD = 16 * 1024  # bytes that are looked at
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
# A browser or a system may run them, so they are accepted only where a company names them exactly.
ACTIVE = frozenset(
    "text/html application/xhtml+xml image/svg+xml text/xml application/xml text/x-script text/javascript "
    "application/java-archive application/vnd.android.package-archive".split()
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
# Types within a ZIP file and within Microsoft's compound file, by the ending of the name.
_ZIPS = {
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
    "odt": f"{_OPEN}text",
    "ods": f"{_OPEN}spreadsheet",
    "odp": f"{_OPEN}presentation",
    "epub": "application/epub+zip",
    "jar": "application/java-archive",
    "apk": "application/vnd.android.package-archive",
}
_COMPOUNDS = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
_TEXTS = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "md": "text/markdown",
    "eml": "message/rfc822",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
_BEGINNINGS = {  # of formats that may hold nothing but text
    "%PDF-": "application/pdf",
    "{\\rtf": "application/rtf",
    "%!PS": "application/postscript",
    "#!": "text/x-script",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_PROLOG = re.compile(r"(?:\s+|<!--.{0,4000}?-->|<\?xml.{0,400}?\?>|<!\[CDATA\[)+", re.DOTALL)
_SVG = re.compile(r"<(?:!doctype\s+)?(?:\w{1,20}:)?svg\b", re.IGNORECASE)
_PAGE = re.compile(r"<(?:!doctype\s+html|[a-z][a-z0-9]{0,15})\b[^<>@]{0,1000}>", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def of_bytes(head: bytes, name: str) -> str:
    """The media type of a file that begins with `head` (its first HEAD bytes, or all of it).

    What is not recognized is `application/octet-stream`.
    """
    text = _as_text(head)
    if text is not None:
        return _of_text(text, name)
    if head.startswith(_ZIP):
        return _ZIPS.get(ending(name), "application/zip")
    if head.startswith(_COMPOUND):
        return _COMPOUNDS.get(ending(name), UNKNOWN)
    try:
        matches = puremagic.magic_string(head[:HEAD])
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    best = matches[0].mime_type if matches else ""
    return (best or UNKNOWN).lower()


def _as_text(head: bytes) -> str | None:
    """The head as text, in UTF-8, UTF-16 or a charset of one byte; None when it holds bytes that no text holds."""
    codec = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head)  # a character may be cut at the end of the head
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    return None if _CONTROLS.search(text) else text.removeprefix("\ufeff")


def _of_text(text: str, name: str) -> str:
    for beginning, media in _BEGINNINGS.items():
        if text.lstrip().startswith(beginning):
            return media
    prolog = _PROLOG.match(text)
    begin = text[prolog.end() :] if prolog else text
    if _SVG.match(begin):
        return "image/svg+xml"
    if _PAGE.match(begin):
        return "text/xml" if "<?xml" in text[: len(text) - len(begin)] else "text/html"
    return "text/xml" if text.lstrip().startswith("<?xml") else _TEXTS.get(ending(name), TEXT)


def accepts(patterns: list[str], media: str) -> bool:
    """Whether one of the patterns, like `image/*` or `application/pdf`, names the type. No pattern with * names an ACTIVE one."""
    if media in patterns:
        return True
    return media not in ACTIVE and f"{media.partition('/')[0]}/*" in patterns
