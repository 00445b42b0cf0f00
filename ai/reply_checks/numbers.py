"""Sums of money and telephone numbers in text, each in one spelling, so that those of two texts can be compared.

Pure functions over folded text (ai/reply_checks/links.py); the time grows with the text and no faster.
"""

import re
from collections.abc import Iterator

_CURRENCY = (
    r"(?:[€$£¥₹₽₺₩₪₫₴₱₿]|(?<![^\W\d_])(?:(?:us|au|ca)?[- ]?dollars?|d[oó]lares|eur|euros?|usd|gbp|pounds?|libras?|livres?|chf"
    r"|francs?|franken|cents?|c[eé]ntimos|centimes|pence|cad|aud|jpy|yen|inr|rup(?:ee|ie)[ns]?|pesos?|mxn|brl|reais|pln|zloty|sek|nok"
    r"|dkk|kronen|bitcoins?|btc)(?![^\W\d_]))"
)
_AMOUNT = r"\d[\d.,' ]{0,14}"
_MONEY = re.compile(rf"{_CURRENCY}[ .]{{0,2}}({_AMOUNT})|(?<![\w.,])({_AMOUNT})(?:[-–—] ?)?{_CURRENCY}")
_NUMBER = re.compile(r"\d[\d.,']*(?: \d{3}(?!\d)[\d.,]*)*")
_CENTS = re.compile(r"[.,](\d{1,2})\Z")

_RUN = re.compile(r"(?<![\w.,:/#+-])\+?\(?\d(?:[ .()/-]{0,3}\d){4,18}(?!\w)")
# Dates, times of day and their spans, decimals: digits with signs between them that nobody dials.
_NOT_DIALLED = re.compile(
    r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[ -].*)?|\d{1,2}[.:]\d{2}(?: ?- ?\d{1,2}[.:]\d{2})?|0\.\d.*|(?:19|20)\d\d[/-](?:19|20)?\d\d"
)
_DIALLED = re.compile(
    r"\+.{7,}|00\d{2}[ ./-].{6,}|\(0\d.{6,}|0\d{8,}|0\d{1,4}[ ./)-].{5,}"  # international and national
    r"|(?:1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|[6-9]\d{2}(?: \d{2}){3}|[6-9]\d{2} \d{3} \d{3}"  # as in the USA and in Spain
)
_CALL_BEFORE = re.compile(
    r"(?:\b(?:call|phone|ring|dial|tel|telephone|hotline|whatsapp|sms|fax|anruf\w*|ruf\w*|telefon\w*|w[aä]hl\w*|appel\w*"
    r"|t[eé]l[eé]phon\w*|llam\w*|tel[eé]fono|marque)\b[^\d\n]{0,25})\Z"
)
_CODE_BEFORE = re.compile(
    r"(?:\b(?:version|v|build|release|firmware|update|kb|error|fehler|erreur|code|c[oó]digo|order|ticket|invoice|rechnung"
    r"|bestellung|auftrag|facture|factura|commande|pedido)\W{0,3}(?:(?:nummer|number|num[eé]ro|n[uú]mero|no|nr)\W{0,3})?)\Z"
)
LIKE = 7  # last digits that make two spellings of a telephone number the same one: with the country's code and without


def sums(text: str) -> set[str]:
    """The amounts that stand beside a currency, as plain decimal numbers."""
    return {_value(match[1] or match[2]) for match in _MONEY.finditer(text)}


def numbers(text: str) -> set[str]:
    """Every number of the text, spelled as `sums` spells amounts."""
    return {_value(match[0]) for match in _NUMBER.finditer(text)}


def telephones(text: str) -> set[str]:
    """The last digits of each telephone number."""
    return {digits[-LIKE:] for digits, dialled in _runs(text) if dialled}


def digit_runs(text: str) -> set[str]:
    """The last digits of everything that a telephone number could be a repetition of."""
    return {digits[-LIKE:] for digits, _ in _runs(text)}


def _value(amount: str) -> str:
    amount = amount.strip(" .,'-")
    cents = _CENTS.search(amount)
    whole = re.sub(r"\D", "", amount[: cents.start()] if cents else amount).lstrip("0") or "0"
    part = cents[1].ljust(2, "0") if cents else "00"
    return f"{whole}.{part}"


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    for match in _RUN.finditer(text):
        written = match[0]
        before = text[max(0, match.start() - 40) : match.start()]
        if _NOT_DIALLED.fullmatch(written):
            continue
        digits = re.sub(r"\D", "", written)
        named = len(digits) >= 5 and bool(_CALL_BEFORE.search(before))
        dialled = named or (bool(_DIALLED.fullmatch(written)) and not _CODE_BEFORE.search(before))
        yield digits, dialled
