"""The one form of an e-mail address, however it is written, and which text is blank to a reader. No table is known here."""

import re
import unicodedata
from functools import lru_cache

import email_validator
from email_validator import EmailNotValidError, validate_email

# Names of local networks (.local, home.arpa, localhost) are well-formed: whether mail arrives there is for the mail server.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

__all__ = ["EmailNotValidError", "email", "is_blank", "is_invisible", "mailable", "trimmed", "valid_email"]

# Plain addresses, which are valid as they are: labels of at most 63 characters (RFC 1035) without a double hyphen, which
# begins an encoded one, and no more than 64 before the @ and 189 after it.
_PLAIN = re.compile(
    r"(?=[^@]{1,64}@.{1,189}\Z)[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:(?!.{0,200}--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
    re.ASCII,
)
_MOST = 1_000  # characters that are looked at; RFC 5321 allows 254
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # as input methods of Asia type ASCII
_INVISIBLE_KINDS = {"Cf", "Zs", "Zl", "Zp"}  # not NUL and other control characters: they are no text, and refused
# Fillers and selectors that Unicode counts as letters, signs or marks and that show nothing (Default_Ignorable_Code_Point).
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (("\u180b", "\u180f"), ("\ufe00", "\ufe0f"), ("\U000e0000", "\U000e0fff"))


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing: no character, or only spaces and invisible ones."""
    return all(map(is_invisible, text))


def trimmed(text: str) -> str:
    """The text without spaces and invisible characters at its ends."""
    first, end = 0, len(text)
    while first < end and is_invisible(text[first]):
        first += 1
    while end > first and is_invisible(text[end - 1]):
        end -= 1
    return text[first:end]


@lru_cache(maxsize=4096)
def valid_email(text: str) -> str:
    """An address in its one form: trimmed, NFC, lower case, its domain in Unicode. Raises EmailNotValidError."""
    if _PLAIN.fullmatch(text):
        return text
    if len(text) > _MOST:
        raise EmailNotValidError
    local, at, domain = trimmed(text).translate(_FULL_WIDTH).rpartition("@")
    domain = domain.removesuffix(".")  # the root, as name servers write it
    checked = _single_dots(local)
    valid = validate_email(f"{checked}{at}{domain}", check_deliverability=False, globally_deliverable=False)
    address = valid.normalized if checked == local else f"{local}@{valid.domain}"
    return unicodedata.normalize("NFC", address.lower())  # some letters are composed in lower case only


def mailable(text: str) -> str:
    """The address as a mail server takes it: a domain in ASCII, unusual dots in quotes. "" when mail cannot be sent there."""
    if "=?" in text:  # legal, but the mail library decodes it as an encoded word, line breaks and all
        return ""
    try:
        local, _, domain = valid_email(text).rpartition("@")
        checked = _single_dots(local)
        address = validate_email(
            f"{checked}@{domain}", check_deliverability=False, globally_deliverable=False, allow_smtputf8=False
        )
    except EmailNotValidError:
        return ""
    return f'"{local}"@{address.ascii_domain}' if checked != local else address.ascii_email or ""


def _single_dots(local: str) -> str:
    """The part before the @ as RFC 5321 wants its dots; carriers in Japan gave addresses with dots in a row and at the end."""
    return re.sub(r"\.{2,}", ".", local).rstrip(".") if local.isascii() and local[:1] != "." else local


def email(text: str) -> str:
    """As `valid_email`, for looking up: what is no address is trimmed and in lower case, and finds what was kept like that."""
    try:
        return valid_email(text)
    except EmailNotValidError:
        return unicodedata.normalize("NFC", trimmed(text[:_MOST]).lower())


def is_invisible(character: str) -> bool:
    """Whether a reader sees nothing of a character: spaces, control and format characters, fillers, selectors."""
    if character.isalnum() and character.isascii():
        return False
    return (
        character.isspace()
        or unicodedata.category(character) in _INVISIBLE_KINDS
        or character in _FILLERS
        or any(first <= character <= last for first, last in _SELECTORS)
    )
