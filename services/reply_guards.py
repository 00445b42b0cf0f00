"""What a model's reply must pass before a customer reads it: plain text, no foreign links, no promises, no prompt.

Pure functions over text; who is told about an objection, and what is said instead, is for the caller.
"""

import re
import unicodedata

# A passage of so many words in a row is a quotation, not a coincidence.
QUOTED_WORDS = 8

_TAG = re.compile(r"<[/!?]?[a-zA-Z][^<>]*>|<!--[^<>]*>|<(?=[/!?a-zA-Z])")
_IMAGE = re.compile(r"!\[")
_ACTIVE = re.compile(r"\b(?:javascript|vbscript)\s{0,9}:|\bdata:[a-z]{1,20}/")
_ADDRESS = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'()\[\]{}|]+|//[\w-]{1,63}\.[^\s<>\"'()\[\]{}|]+)"
    r"|(?P<email>(?<![\w.+%-])[\w.+%-]{1,64}@[\w-][\w.-]{0,253})"
    # A name may start after a dot, unless that dot belongs to a name which has been looked at already.
    r"|(?P<host>(?<![\w@-])(?<![\w-]\.)(?:[\w-]{1,63}\.){1,127}(?P<top>[^\W\d_]{2,24}|xn--[a-z0-9-]{1,59})(?![\w-])"
    r"(?P<path>[/:?#][^\s<>\"'()\[\]{}|]*)?)"
)
# Endings that mail programs and chats turn into links, besides every country's; names of files are not links.
_TOP_LEVEL = frozenset(
    word
    for line in (
        "com net org info biz app dev edu gov mil int name pro mobi jobs travel xyz top site online store shop club",
        "live life link click cloud page pages blog news tech space website world today help support zip mov email",
        "icu vip win bid loan work tools network systems solutions services agency digital media group chat bot fun",
    )
    for word in line.split()
)
_FILE_ENDINGS = frozenset(("cs", "db", "gz", "js", "py", "ts"))

_WE = (
    r"\b(?:i|we|they|he|she|someone|somebody"
    r"|(?:an?|our|the|my) (?:\w+ )?(?:agent|team|colleague|manager|person|staff))"
)
_WILL = r"(?:'ll| will| shall|(?:'m|'re| am| are| is) going to|(?:'ve| have| has)(?: (?:just|already|now))?| can)"
_SOON = r"(?: (?:also|now|then|gladly|happily|personally|immediately|soon|fully|be|been))?"
_REFUND = r"(?:refund|credit|reimbursement|compensation|money)"
_REFUNDS = r"(?:refund(?:ed|ing)?|reimburse[ds]?|compensate[ds]?|credit(?:ed)? (?:you|your))\b"
_ISSUE = r"(?:issued?|process(?:ed)?|sen[dt]|approved?|arranged?|initiated?|start(?:ed)?|give|given|submitted)"
_SPAN = r"(?:within|in|by)(?: the next)? (?:\w+ ){0,2}?(?:minute|hour|day|week|tomorrow|today|tonight|monday|friday)"
_PROMISES = re.compile(
    "|".join(
        (
            rf"{_WE}{_WILL}{_SOON} {_REFUNDS}",
            rf"{_WE}{_WILL}{_SOON} {_ISSUE} (?:\w+ ){{0,3}}{_REFUND}\b",
            rf"{_WE} (?:just |already )?(?:refunded|reimbursed|credited|called|phoned)\b",
            rf"\b{_REFUND} (?:(?:has|have|will) (?:now |already )?(?:been|be)|was|is being|is) (?:now |already )?"
            r"(?:\w+ed|sent|made|paid|on its way|given|returned)\b",
            r"\byou(?:'ll| will| are going to) (?:get|receive|be given|be) (?:\w+ ){0,2}"
            r"(?:refund(?:ed)?|reimburse(?:d|ment)|money)\b",
            rf"{_WE}{_WILL}{_SOON} (?:call|called|phone|phoned|ring|telephone|visit) (?:you|back)\b",
            r"\bgive you a (?:quick )?(?:call|ring)\b",
            r"\b(?:you(?:'ll| will) (?:get|receive)|expect|scheduled?|arranged?) (?:a |an |your )?(?:\w+ )?"
            r"(?:call|callback|call-back)\b",
            rf"{_WE}{_WILL}{_SOON} (?:get back|reply|respond|answer|contact|reach|follow up|fix|resolve|solve)\b"
            rf"[^.!?\n]{{0,60}}?\b{_SPAN}",
        )
    )
)


def plain(text: str) -> str:
    """`text` without control and invisible characters and without tags, ready to be shown as plain text."""
    text = "".join(char for char in text.replace("\r\n", "\n") if _is_shown(char))
    stripped = _TAG.sub("", text)
    while stripped != text:  # taking one tag out can join another
        text, stripped = stripped, _TAG.sub("", stripped)
    return stripped.strip()


def objection(text: str, *, seen: str, secret: str) -> str:
    """Why `text` must not be sent, in plain words; "" when it may.

    `seen` is everything the customer has seen already (its links may be repeated), `secret` the prompt.
    """
    folded = _folded(text)
    if _IMAGE.search(folded) or _ACTIVE.search(folded):
        return "the model's reply held an image or an active link"
    if _addresses(folded) - _addresses(_folded(seen)):
        return "the model's reply held a link or an address that is not in the ticket"
    if _passages(folded) & _passages(_folded(secret)):
        return "the model's reply quoted its own instructions"
    if _PROMISES.search(" ".join(folded.replace("\u2019", "'").split())):
        return "the model's reply promised something the desk does not do"
    return ""


def _is_shown(char: str) -> bool:
    # The two joiners are letters' business in several scripts, and hold emoji together.
    kind = unicodedata.category(char)
    return char in "\n\t\u200c\u200d" or kind not in ("Cc", "Cf", "Cs", "Cn")


def _folded(text: str) -> str:
    """One spelling of look-alike forms: full-width letters, ideographic stops and joiners inside a host name."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u3002", ".")
    return "".join(char for char in folded if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf"))


def _addresses(folded: str) -> set[str]:
    """Every link, e-mail address and host name, each in one spelling; the host of a link counts as well."""
    found: set[str] = set()
    for match in _ADDRESS.finditer(folded):
        if match["host"] and not match["path"] and not _is_top_level(match["top"]):
            continue
        address = match[0].rstrip(".,;:!?*_~`-").removeprefix("https:").removeprefix("http:").removeprefix("//")
        address = address.removeprefix("www.").rstrip("/")
        found |= {address, re.split("[/?#]", address, maxsplit=1)[0]}
    return found


def _is_top_level(top: str) -> bool:
    return top in _TOP_LEVEL or top.startswith("xn--") or (len(top) == 2 and top not in _FILE_ENDINGS)


def _passages(folded: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", folded)
    return {tuple(words[at : at + QUOTED_WORDS]) for at in range(len(words) - QUOTED_WORDS + 1)}
