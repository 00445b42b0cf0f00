"""Finds sums of money and telephone numbers in text, each in one spelling, so that two texts can be compared.

The functions are pure and take folded text (ai/reply_checks/links.py). Their time is linear in its length.
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
# Dates, times and decimals: digits with separators that are not a telephone number.
_NOT_DIALLED = re.compile(
    r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[ -].*)?|\d{1,2}[.:]\d{2}(?: ?- ?\d{1,2}[.:]\d{2})?|0\.\d.*|(?:19|20)\d\d[/-](?:19|20)?\d\d"
)
_DIALLED = re.compile(
    r"\+.{7,}|00\d{2}[ ./-].{6,}|\(0\d.{6,}|0\d{8,}|0\d{1,4}[ ./)-].{5,}"  # international and national
    r"|(?:1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|[6-9]\d{2}(?: \d{2}){3}|[6-9]\d{2} \d{3} \d{3}"  # the USA and Spain
)
_CALL_BEFORE = re.compile(
    r"(?:\b(?:call|phone|ring|dial|tel|telephone|hotline|whatsapp|sms|fax|anruf\w*|ruf\w*|telefon\w*|w[aä]hl\w*|appel\w*"
    r"|t[eé]l[eé]phon\w*|llam\w*|tel[eé]fono|marque)\b[^\d\n]{0,25})\Z"
)
_CODE_BEFORE = re.compile(
    r"(?:\b(?:version|v|build|release|firmware|update|kb|error|fehler|erreur|code|c[oó]digo|order|ticket|invoice|rechnung"
    r"|bestellung|auftrag|facture|factura|commande|pedido)\W{0,3}(?:(?:nummer|number|num[eé]ro|n[uú]mero|no|nr)\W{0,3})?)\Z"
)
LIKE = 7  # telephone numbers with the same last digits are equal, with or without the country code


def sums(text: str) -> set[str]:
    """The amounts next to a currency, as plain decimal numbers."""
    return {_value(match[1] or match[2]) for match in _MONEY.finditer(text)}


def numbers(text: str) -> set[str]:
    """Every number of the text, in the spelling of `sums`."""
    return {_value(match[0]) for match in _NUMBER.finditer(text)}


def telephones(text: str) -> set[str]:
    """The last digits of each telephone number."""
    return {digits[-LIKE:] for digits, is_telephone in _runs(text) if is_telephone}


def digit_runs(text: str) -> set[str]:
    """The last digits of every run of digits that may be a telephone number."""
    return {digits[-LIKE:] for digits, _ in _runs(text)}


def _value(amount: str) -> str:
    amount = amount.strip(" .,'-")
    cents = _CENTS.search(amount)
    units = re.sub(r"\D", "", amount[: cents.start()] if cents else amount).lstrip("0") or "0"
    fraction = cents[1].ljust(2, "0") if cents else "00"
    return f"{units}.{fraction}"


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    for match in _RUN.finditer(text):
        digit_run = match[0]
        before = text[max(0, match.start() - 40) : match.start()]
        if _NOT_DIALLED.fullmatch(digit_run):
            continue
        digits = re.sub(r"\D", "", digit_run)
        follows_call = len(digits) >= 5 and bool(_CALL_BEFORE.search(before))
        is_telephone = follows_call or (bool(_DIALLED.fullmatch(digit_run)) and not _CODE_BEFORE.search(before))
        yield digits, is_telephone
