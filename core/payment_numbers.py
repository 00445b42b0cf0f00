"""Finds card numbers and IBANs in free text by their checksums, whatever separates the digits.

Pure functions over text in linear time.
"""

import re
import string
from collections.abc import Iterator
from itertools import accumulate, pairwise

MOST_DIGITS, LEAST_DIGITS = 19, 13  # of a card number, ISO/IEC 7812
# Groups of digits with up to five separators between them. A plus starts a telephone number instead.
_DIGIT_GROUPS = re.compile(r"\d+(?:(?:(?!\+)[\W_]){1,5}\d+)*")
_DIGITS = re.compile(r"\d+")
# First digits of card networks. An order number rarely starts with them and also passes the Luhn check.
_NETWORK = re.compile(r"4|5[0-9]|6|3[04-9]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}", re.ASCII)
_AS_NUMBERS = {ord(char): str(int(char, 36)) for char in string.digits + string.ascii_uppercase}
_DOUBLED = [sum(divmod(2 * digit, 10)) for digit in range(10)]


def without_cards(text: str, mark: str) -> str:
    """`text` with each card number replaced by `mark`."""
    return _DIGIT_GROUPS.sub(lambda match: _without_cards(match, mark), text)


def without_ibans(text: str, mark: str) -> str:
    """`text` with each IBAN replaced by `mark`."""
    return _IBAN.sub(lambda match: _without_iban(match, mark), text)


def _without_iban(match: re.Match[str], mark: str) -> str:
    """Tries every end at a separator, longest first: words after the IBAN match the pattern too."""
    text = match[0]
    ends = [len(text)] + [at for at in range(len(text) - 1, 14, -1) if text[at] in " -"]
    following = match.string[match.end() : match.end() + 1]
    if following.isalnum():
        ends = ends[1:]
    for end in ends:
        if _is_iban(text[:end].replace(" ", "").replace("-", "").upper()):
            return mark + text[end:]
    return text


def _is_iban(text: str) -> bool:
    """ISO 13616: with the first four characters moved to the end and letters as 10 to 35, it is 1 modulo 97."""
    return 15 <= len(text) <= 34 and int((text[4:] + text[:4]).translate(_AS_NUMBERS)) % 97 == 1


def _without_cards(match: re.Match[str], mark: str) -> str:
    text = match[0]
    if len(text) < LEAST_DIGITS:
        return text
    plus = match.string[max(0, match.start() - 1) : match.start()] == "+"
    parts, position = [], 0
    for start, end in _cards(text, international=plus):
        parts += [text[position:start], mark]
        position = end
    return "".join([*parts, text[position:]])


def _cards(text: str, *, international: bool) -> Iterator[tuple[int, int]]:
    """Start and end of each card number in a run of digit groups; the group after a plus is a telephone number."""
    groups = [group.span() for group in _DIGITS.finditer(text)]
    digits = "".join(str(int(char)) for start, end in groups for char in text[start:end])
    bounds = list(accumulate((end - start for start, end in groups), initial=0))
    luhn = _luhn_sums(digits)
    first = 1 if international else 0
    while first < len(groups):
        last = _card_end(bounds[first : first + MOST_DIGITS + 1], digits, luhn)
        if last:
            yield groups[first][0], groups[first + last - 1][1]
        first += last or 1


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Running Luhn sums: one list with digits at odd positions doubled, one with those at even positions."""
    numbers = [int(digit) for digit in digits]
    odd_doubled = (_DOUBLED[number] if position % 2 else number for position, number in enumerate(numbers))
    even_doubled = (number if position % 2 else _DOUBLED[number] for position, number in enumerate(numbers))
    return list(accumulate(odd_doubled, initial=0)), list(accumulate(even_doubled, initial=0))


def _card_end(bounds: list[int], digits: str, luhn: tuple[list[int], list[int]]) -> int:
    """The largest number of groups that form a card number, counted from the first; 0 for none.

    `bounds` are the positions in `digits` where groups begin and end.
    """
    start, best = bounds[0], 0
    if not _NETWORK.match(digits, start):
        return 0
    sizes = [end - begin for begin, end in pairwise(bounds[:3])]
    four_first, equal_sizes = sizes[0] >= 4 and sizes[1:] != [2], True
    for count, (begin, end) in enumerate(pairwise(bounds), 1):
        if end - start > MOST_DIGITS:
            break
        equal_sizes = equal_sizes and end - begin == sizes[0]
        # Telephone numbers and dates are no cards: the first group has four digits or more, or all have the same size.
        if end - start >= LEAST_DIGITS and (equal_sizes or four_first):
            sums = luhn[(end - 1) % 2 == 1]
            if (sums[end] - sums[start]) % 10 == 0:
                best = count
    return best
