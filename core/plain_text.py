"""The one form of text that people type or paste: what is taken out, what becomes a line break, what is refused."""

import re

# Escape sequences of terminals (ECMA-48): CSI, strings (DCS, SOS, OSC, PM, APC) up to their end, and the two-character ones.
_TERMINAL = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[PX\\]^_][^\x07\x1b]{0,1000}(?:\x07|\x1b\\\\)|\x1b[ -/]*[0-~]"
)
_BREAKS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")
_UNUSUAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # NUL, and half a character (a lone surrogate)
_SPACES_AROUND_BREAKS = re.compile(r"[ \t]*\n\s*")
# Spaces, and marks without width: zero-width, direction and joining marks, soft hyphen, byte order mark.
_ENDS = (
    "".join([" \t\n\u00a0\u1680\u202f\u205f\u3000", *map(chr, range(0x2000, 0x2010)), *map(chr, range(0x202A, 0x202F))])
    + "\u00ad\u061c\u180e\ufeff"
    + "".join(map(chr, range(0x2060, 0x2070)))
)


def clean(text: str, *, lines: bool = False) -> str:
    """The text with `\\n` as its only line break and without control characters and invisible ends.

    Terminal colours and control characters are left out. A text of one line (not `lines`) has a space for each break.
    Raises ValueError for NUL and for half a character (a lone surrogate).
    """
    if text.isprintable():  # no break, control or invisible mark
        return text.strip(_ENDS)
    if _UNUSUAL.search(text):
        if NOT_TEXT.search(text):
            raise ValueError("NUL or half a character")
        text = _CONTROLS.sub("", _BREAKS.sub("\n", _TERMINAL.sub("", text)))
    text = text.strip(_ENDS)
    return text if lines or "\n" not in text else _SPACES_AROUND_BREAKS.sub(" ", text)
