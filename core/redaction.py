"""Masks card numbers, IBANs, passwords and keys in free text before it is logged or sent out.

Pure functions over text. Every pattern is bounded or cannot backtrack, so they run in linear time.
"""

import re

from core.payment_numbers import without_cards, without_ibans

CARD, IBAN, PASSWORD, KEY = "[card]", "[iban]", "[password]", "[key]"
# The `extra` of a log call without unmasked text of a user: the formatter does not mask its line again.
MASKED = {"is_masked": True}

_KEYS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY(?:\ BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END\ [A-Z ]{0,40}-----)?
    | (?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?                      # JWT
    | (?<![A-Za-z0-9])(?:sk|pk|rk)-[\w-]{16,}                             # OpenAI and similar
    | (?<![A-Za-z0-9])(?:sk|pk|rk)_(?:live|test)_\w{10,}                  # Stripe
    | (?<![A-Za-z0-9])fk_[\w-]{12,}                                       # Foyer
    | (?<![A-Za-z0-9])(?:AKIA|ASIA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])  # AWS
    | (?<![A-Za-z0-9])(?=[0-9]*[a-f]|[0-9]*[A-F])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{32,}(?![A-Za-z0-9])  # any token in hex
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
# AWS secret keys have no prefix: 40 characters that mix upper case, lower case and digits.
_AWS_SECRET = re.compile(
    r"(?<![\w/+=.-])(?=[^a-z\s]{0,39}[a-z])(?=[^A-Z\s]{0,39}[A-Z])(?=\D{0,39}\d)[A-Za-z0-9/+]{40}(?![\w/+=-])"
)
_IS = r"(?:=>|[:=]|\b(?:is|was|lautet|ist|war|hei(?:ß|ss)t|est|était|es|era)\b:?)"
_LABELLED_KEY = re.compile(
    r"(?<![A-Za-z0-9])((?:(?:api|access|secret)[ _-]?(?:key|token)|token|secret|api-schlüssel|clé (?:api|secrète)"
    r"|clave (?:api|secreta))"
    rf"[\"']?\s{{0,9}}{_IS}\s{{0,9}}[\"']?)(?=[^\s\"']{{0,400}}\d)[^\s\"']{{8,}}",
    re.IGNORECASE,
)
_LABEL = (
    r"(?<![A-Za-z0-9])(?:passwords?|passwort|kennwort|mot de passe|mdp|contraseña|clave|passwd|passphrase|passcode|pwd|pw"
    r"|pass(?=[\"')]?\s{0,9}[:=]))(?![A-Za-z0-9])"
)
_PASSWORD = re.compile(
    rf"({_LABEL}[\"')]?)((?:(?<![.!?;])[ \t]{{1,9}}(?!{_LABEL})[^\s:=]{{1,40}}){{0,6}}?)(\s{{0,9}}{_IS}\s{{0,9}})"
    r"(\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|„[^“\n]{1,200}“|“[^”\n]{1,200}”|«[^»\n]{1,200}»|[^\s,\"'][^\s]*)",
    re.IGNORECASE,
)
_PASSWORD_BESIDE = re.compile(
    rf"({_LABEL}[ \t]{{1,9}})(?!\S{{0,20}}://)(?=[^\s\d]{{0,40}}\d)(?=[\d_-]{{0,40}}[a-z])[^\s\[]{{6,}}", re.IGNORECASE
)
# "password for the portal is ..." names the password; "password reset page is ..." may go on about something else.
_OF_IT = re.compile(
    r"\s+(?:\(|(?:for|of|to|on|in|at|from|für|zu[mr]?|vo[nm]|bei|beim|im|auf|pour|du|de|des|sur|para|del|en)\b)",
    re.IGNORECASE,
)
_LOOKS_SECRET = re.compile(r"(?!https?:|//)(?=\S{4})\S{0,200}?(?:\d|[^\W_][#$%&*+=@^_~!?][^\W_]|[a-z][A-Z])")
_PIN = re.compile(
    rf"((?<![A-Za-z0-9])pin(?: code)?(?:[ \t]{{1,9}}[^\s:=\d]{{1,40}}){{0,6}}?\s{{0,9}}{_IS}\s{{0,9}})\d{{4,8}}\b",
    re.IGNORECASE,
)
_CVC = re.compile(
    r"((?<![A-Za-z0-9])(?:cv[cv]2?|security code|sicherheitscode|prüfnummer|prüfziffer|cryptogramme|code de sécurité"
    rf"|código de seguridad)\s{{0,9}}{_IS}?\s{{0,9}})\d{{3,4}}\b",
    re.IGNORECASE,
)
# Words after "password is" that are no password: "my password is not working".
_NOT_A_PASSWORD = frozenset(
    word
    for line in (
        "a again already also always an any asked being blocked broken changed correct denied different empty entered",
        "expired forgotten gone hidden in incorrect invalid it late locked lost missing my needed never no not now off ok",
        "okay on only outdated refused rejected required reset right safe sent set shown still stolen stored that the this",
        "to too unknown used valid very visible what when where wrong your",
        "abgelaufen aber auch das ein eine falsch gesperrt immer kein keine korrekt leider mein nicht noch nur richtig",
        "schon sehr ungültig unbekannt vergessen weg zu",
        "bloqué correct expiré faux incorrect invalide la le mon oublié pas perdu plus toujours un une",
        "bloqueada caducada correcta el incorrecta inválida mal mala mi olvidada perdida una válida",
    )
    for word in line.split()
)


def mask(text: str) -> str:
    """`text` with each card number, IBAN, password and key replaced by its kind, like `[card]`.

    Order numbers, phone numbers and all other text stay.
    """
    text = _KEYS.sub(KEY, text)
    text = _BEARER.sub(rf"\g<1>{KEY}", text)
    text = _BASIC.sub(rf"\g<1>{KEY}", text)
    text = _IN_ADDRESS.sub(rf"\g<1>{PASSWORD}@", text)
    text = _LABELLED_KEY.sub(rf"\g<1>{KEY}", text)
    text = _AWS_SECRET.sub(KEY, text)
    text = _PASSWORD.sub(_without_password, text)
    text = _PASSWORD_BESIDE.sub(rf"\g<1>{PASSWORD}", text)
    text = _PIN.sub(rf"\g<1>{PASSWORD}", text)
    text = _CVC.sub(rf"\g<1>{CARD}", text)
    return without_cards(without_ibans(text, IBAN), CARD)


def mask_email(address: str) -> str:
    """An address for logs: `j***@example.com`; text that is no address becomes `***`."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or not (local + domain).isprintable() or " " in domain:
        return "***"
    return f"{local[0]}***@{domain}"


def _without_password(match: re.Match[str]) -> str:
    label, between, verb, value = match.groups()
    if value.strip("\"'.,;:!?)").lower() in _NOT_A_PASSWORD or value.startswith("["):
        return match[0]
    if between and not _OF_IT.match(between) and not _LOOKS_SECRET.match(value.strip("\"'.,;:!?)")):
        return match[0]
    return f"{label}{between}{verb}{PASSWORD}"
