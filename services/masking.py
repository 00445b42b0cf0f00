"""What must not leave the process or reach a log: card numbers, IBANs, passwords and keys inside free text.

Pure functions over text; every pattern is bounded or cannot backtrack, so the time grows with the text and no faster.
"""

import re
from collections.abc import Iterator

CARD, IBAN, PASSWORD, KEY = "[card]", "[iban]", "[password]", "[key]"

_KEYS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY(?:\ BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END\ [A-Z ]{0,40}-----)?
    | (?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?                      # JWT
    | (?<![A-Za-z0-9])(?:sk|pk|rk)-[\w-]{16,}                             # OpenAI and its kin
    | (?<![A-Za-z0-9])(?:sk|pk|rk)_(?:live|test)_\w{10,}                  # Stripe
    | (?<![A-Za-z0-9])fk_[\w-]{12,}                                       # our own
    | (?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])            # AWS
    | (?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})   # GitHub
    | (?<![A-Za-z0-9])(?:hf|npm)_[A-Za-z0-9]{20,}                         # Hugging Face, npm
    | (?<![A-Za-z0-9])SG\.[\w-]{16,}\.[\w-]{16,}                          # SendGrid
    | (?<![A-Za-z0-9])(?:glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{30,})
    """,
    re.VERBOSE,
)
_BEARER = re.compile(r"\b(bearer[ \t]{1,9})(?=[\w.~+/=-]{0,400}\d)[\w.~+/=-]{8,}", re.IGNORECASE)
_BASIC = re.compile(r"\b(authorization:?[ \t]{1,9}basic[ \t]{1,9})[A-Za-z0-9+/=]{8,}", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,100}:)[^\s/@]{1,200}@", re.IGNORECASE)
_LABELLED_KEY = re.compile(
    r"\b((?:api|access|secret)[ _-]?(?:key|token)|token|secret)"
    r"([\"']?\s{0,9}(?:[:=]|\bis\b)\s{0,9}[\"']?)(?=[^\s\"']{0,400}\d)[^\s\"']{8,}",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"\b((?:password|passwort|kennwort|mot de passe|contraseña|passwd|passphrase|passcode|pwd|pw)"
    r"[\"']?\s{0,9}(?:[:=]|\b(?:is|was)\b:?)\s{0,9})"
    r"(\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|[^\s,\"'][^\s]*)",
    re.IGNORECASE,
)
_PIN = re.compile(r"\b(pin(?: code)?\s{0,9}(?:[:=]|\bis\b)\s{0,9})\d{4,8}\b", re.IGNORECASE)
_CVC = re.compile(r"\b(cv[cv]2?\s{0,9}(?:[:=]|\bis\b)?\s{0,9})\d{3,4}\b", re.IGNORECASE)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_DIGIT_GROUPS = re.compile(r"\d+(?:[ \n./_\u00a0\u200b\u2010-\u2013-]{1,3}\d+)*")
# The first digits that card networks use; a long order number seldom begins with them and passes Luhn as well.
_NETWORK = re.compile(r"4|5[0-9]|6|3[04-9]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
# "my password is not working" tells us nothing secret, and the reader needs the word.
_NOT_A_PASSWORD = frozenset(
    word
    for line in (
        "a again already always an being blocked broken correct denied empty expired gone in incorrect invalid it",
        "locked lost missing never no not now ok okay on outdated refused rejected required reset right safe set still",
        "stolen that the to too unknown valid very working wrong your",
    )
    for word in line.split()
)


def mask(text: str) -> str:
    """`text` with each card number, IBAN, password and key replaced by what it was, in square brackets.

    Order numbers, phone numbers and everything else stay as they are.
    """
    text = _KEYS.sub(KEY, text)
    text = _BEARER.sub(rf"\g<1>{KEY}", text)
    text = _BASIC.sub(rf"\g<1>{KEY}", text)
    text = _IN_ADDRESS.sub(rf"\g<1>{PASSWORD}@", text)
    text = _LABELLED_KEY.sub(rf"\g<1>\g<2>{KEY}", text)
    text = _PASSWORD.sub(_without_password, text)
    text = _PIN.sub(rf"\g<1>{PASSWORD}", text)
    text = _CVC.sub(rf"\g<1>{CARD}", text)
    text = _IBAN.sub(_without_iban, text)
    return _DIGIT_GROUPS.sub(_without_cards, text)


def mask_email(address: str) -> str:
    """An address as a log may show it: `j***@example.com`; anything that is no address becomes `***`."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or not (local + domain).isprintable() or " " in domain:
        return "***"
    return f"{local[0]}***@{domain}"


def _without_password(match: re.Match[str]) -> str:
    label, value = match.groups()
    if value.strip("\"'.,;:!?)").lower() in _NOT_A_PASSWORD or value.startswith("["):
        return match[0]
    return f"{label}{PASSWORD}"


def _without_iban(match: re.Match[str]) -> str:
    """Words may follow the number without a break in the pattern, so every end at a break is tried, longest first."""
    text = match[0]
    ends = [len(text)] + [at for at in range(len(text) - 1, 14, -1) if text[at] in " -"]
    following = match.string[match.end() : match.end() + 1]
    if following.isalnum():
        ends = ends[1:]
    for end in ends:
        if _is_iban(text[:end].replace(" ", "").replace("-", "").upper()):
            return IBAN + text[end:]
    return text


def _is_iban(text: str) -> bool:
    """ISO 13616: the number with its head moved to the end, letters counted from ten, is 1 modulo 97."""
    if not (15 <= len(text) <= 34 and text.isascii()):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def _without_cards(match: re.Match[str]) -> str:
    text = match[0]
    plus = match.string[max(0, match.start() - 1) : match.start()] == "+"
    kept, done = [], 0
    for start, end in _cards(text, international=plus):
        kept += [text[done:start], CARD]
        done = end
    return "".join([*kept, text[done:]])


def _cards(text: str, *, international: bool) -> Iterator[tuple[int, int]]:
    """Where the card numbers are in a run of digit groups; a number after a plus sign is a telephone's."""
    groups = [found.span() for found in re.finditer(r"\d+", text)]
    first = 1 if international else 0
    while first < len(groups):
        last = _card_end(text, groups[first : first + 19])
        if last:
            yield groups[first][0], groups[first + last - 1][1]
        first += last or 1


def _card_end(text: str, groups: list[tuple[int, int]]) -> int:
    """How many of `groups`, from the first one on, make a card number (the most that do); 0 for none."""
    digits, best = "", 0
    sizes: list[int] = []
    for count, (start, end) in enumerate(groups, 1):
        sizes.append(end - start)
        if len(digits) + sizes[-1] > 19:
            break
        digits += text[start:end]
        if len(digits) >= 13 and _grouped_like_a_card(sizes) and _is_card(digits):
            best = count
    return best


def _grouped_like_a_card(sizes: list[int]) -> bool:
    """Four or more digits first, or all groups alike: 555-123-4567 and a date beside another are neither."""
    return (sizes[0] >= 4 and sizes[1:2] != [2]) or len(set(sizes)) == 1


def _is_card(digits: str) -> bool:
    if not _NETWORK.match(digits := "".join(str(int(digit)) for digit in digits)):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
