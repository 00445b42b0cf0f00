"""Finds requests for a password, PIN or card number, in English, German, French and Spanish.

The patterns match flat text: small letters, no accents, single spaces. Each part is bounded, so that none is slow.
"""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Words:
    """The parts of a request in one language: a verb, a list that ends in a secret, and words that make it harmless."""

    asking: str
    joining: str
    owner: str
    kind: str
    thing: str
    goes_on: str

    def plea(self) -> str:
        """The pattern of a request. Words of `goes_on` after the secret make it another thing."""
        list_before = rf"(?:[^.!?;]{{0,60}}?(?:,|:|\b(?:{self.joining})))?"
        secret = rf"(?: (?:{self.owner}))?(?: (?:{self.kind})){{0,2}} (?:{self.thing})\b"
        return rf"\b(?:{self.asking}){list_before}{secret}(?!-|'s| (?:{self.goes_on})\b)"


_ENGLISH_THING = (
    r"pass ?words?|pass ?codes?|pass ?phrases?|pin(?: codes?| numbers?)?|cv[cv]2?|(?:\w+ )?card (?:numbers?|details|data|info\w*)"
    r"|security codes?|social security number|(?:one-time|verification|authentication|2fa|sms|login) (?:code|password)"
    r"|log ?-?in (?:details|credentials|data)|credentials|(?:private|secret|api) keys?|access tokens?|(?:seed|recovery) phrase"
    r"|(?:photo|picture|scan|copy|image) of (?:both sides of )?(?:your|the) (?:credit |debit |bank )?card"
)
_ENGLISH = _Words(
    asking=r"(?:send|tell|give|e-?mail|text|message|provide|share|supply|submit|forward|confirm|verify|show|write)"
    r"(?: (?:it|them|to|with|over to))? (?:us|me)(?: with)?|let (?:us|me) (?:know|have)"
    r"|(?:reply|respond|answer)(?: \w+){0,3} with|(?:we|i)(?:'ll| will| would|'d)?(?: \w+){0,2} (?:need|require|ask(?: you)? for)"
    r"|what(?: is| was| are|'s)|(?:send|tell|provide|share|supply|submit|forward|disclose|reveal|sharing|sending|telling|giving"
    r"|attach|upload)(?: over)?(?! .{0,80}"
    r"\b(?:on|under|when|during|only|into|via|through|at|anyone|others|anybody|someone)\b)",
    joining="and|or|plus|with|including|also",
    owner="your|the|his|her|their|a",
    kind="full|complete|current|old|new|existing|account|user|own|temporary|master|mail|email|e-mail|wifi|admin|whole|correct",
    thing=_ENGLISH_THING,
    goes_on="reset|resets|page|field|manager|policy|link|screen|prompt|change|problem|issue|error|hint|form|box|is|was|works|worked"
    "|has|does|did|not|never|requirements|rules",
)
_GERMAN = _Words(
    asking=r"(?:send\w*|schick\w*|teil\w*|nenn\w*|gib|geb\w*|mail\w*|ubermitt\w+|schreib\w*|verrat\w*|sag\w*|bestatig\w*)"
    r"(?: sie)?(?: bitte)? (?:uns|mir)(?: bitte| noch| kurz)*|(?:senden|schicken|nennen|mailen|ubermitteln|verraten) sie(?: bitte)?"
    r"|antworte\w*(?: \w+){0,3} mit|(?:wir|ich) (?:benotigen?|brauchen?)(?: \w+){0,2}?|(?:wie|was) (?:lautet|lauten|ist|sind)",
    joining="und|oder|sowie|mit|inklusive",
    owner=r"ihr\w{0,2}|dein\w{0,2}|das|die|den|der|ein\w{0,2}",
    kind=r"vollstandige\w?|aktuelle\w?|alte\w?|neue\w?|bisherige\w?|komplette\w?|geheime\w?",
    thing=r"passwort\w{0,2}|passworter\w?|kennwort\w{0,2}|zugangsdaten|anmeldedaten|login-?daten|pin(?:-?(?:code|nummer))?|tan"
    r"|(?:kredit|bank|ec-)?karten(?:nummer|daten|details|prufnummer)|prufnummer|prufziffer|sicherheitscode|bestatigungscode"
    r"|einmal(?:code|passwort)|cv[cv]|api-?(?:schlussel|key)",
    goes_on="(?:bitte )?(?:nicht|nie|niemals)|auf keinen|funktioniert|ist|war|zuruck|an der|auf der",
)
_GERMAN_AT_THE_END = (
    rf"\b(?:uns|mir|bitte)(?: noch| kurz| bitte)?(?: (?:{_GERMAN.owner}))?(?: (?:{_GERMAN.kind}))?(?: (?:{_GERMAN.thing}))"
    r"(?: \w+)? (?:mit(?:zu)?teilen|(?:zu|zuzu)?senden|schicken|nennen"
    r"|(?:durch|an)?(?:zu)?geben|zukommen|verraten|sagen|mailen|ubermitteln)\b"
)
_FRENCH = _Words(
    asking=r"(?:envoy|donn|communiqu|indiqu|fourniss|transmett|partag|confirm|precis|ecriv)(?:ez|e|s)?-(?:nous|moi)"
    r"|dites-(?:nous|moi)"
    r"|(?:nous|me|m') ?(?:envoyer|donner|communiquer|indiquer|fournir|transmettre|confirmer|preciser|dire|faire parvenir)"
    r"|(?:envoyez|communiquez|transmettez|donnez)|repond(?:ez|re)(?: \w+){0,3} avec"
    r"|(?:nous avons|j'ai|on a)(?: \w+){0,2} besoin d[e']|quel(?:le)?s? (?:est|sont)",
    joining="et|ou|ainsi que|avec",
    owner="votre|vos|ton|ta|tes|le|la|les|un|de votre|du",
    kind="ancien|nouveau|actuel",
    thing=r"mots? de passe|code (?:pin|secret|confidentiel|de securite|de verification|de validation|sms)|pin"
    r"|(?:numero|donnees|coordonnees|details|informations) (?:complet |completes )?de (?:votre |la |ta )?carte|cryptogramme|cv[cv]"
    r"|identifiants|cle (?:api|secrete|privee)",
    goes_on="ne|n'|est|fonctionne|jamais|sur la page|oublie",
)
_SPANISH = _Words(
    asking=r"(?:envi(?:e|a|ar)|mand(?:e|a|ar)|d(?:e|a|ar|ecir)|dig?a|di|facilit(?:e|a|ar)|proporcion(?:e|a|ar)|compart(?:a|e|ir)"
    r"|indi(?:que|ca|car)|comuni(?:que|ca|car)|confirm(?:e|a|ar)|escrib(?:a|e|ir))(?:nos|me)|(?:envie|mande|comparta|facilite|comunique)"
    r"|respond(?:a|e|er)(?: \w+){0,3} con|necesita(?:mos|re|remos)|necesito|cual(?:es)? (?:es|son)",
    joining="y|e|o|u|con|junto con",
    owner="su|sus|tu|tus|la|el|los|las|una?",
    kind="antigua|nueva|actual",
    thing=r"contrasenas?|clave|pin|codigo (?:pin|de seguridad|de verificacion|secreto)|(?:numero|datos|detalles|informacion) "
    r"(?:completos? |completa )?de (?:su |la |tu )?tarjeta|cv[cv]|credenciales|datos de acceso",
    goes_on="no|nunca|es|funciona|en la pagina",
)
_HERE = (
    rf"\b(?:confirm|verify|enter|type|write|put|include|state|post|paste)(?: (?:{_ENGLISH.owner}))?(?: (?:{_ENGLISH.kind})){{0,2}}"
    rf" (?:{_ENGLISH_THING})\b[^.!?]{{0,40}}?\b(?:here|below|(?:in|to) (?:your|this|the|our) (?:reply|message|answer|chat|ticket)"
    r"|by (?:reply|return|e-?mail)|to us|with us|for us)\b"
)
_PLEAS = re.compile(
    "|".join((*(words.plea() for words in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH)), _GERMAN_AT_THE_END, _HERE))
)
_CLAUSE_ENDS = re.compile(r"[.,;:!?]")
_DENIED = re.compile(
    r"\b(?:not|never|no|nobody|none|without|avoid|refrain|nicht|nie|niemals|kein\w*|niemand|ohne|ne|n'\w+|pas|jamais|personne|sans"
    r"|nunca|jamas|nadie|sin|evite)\b|n't\b"
)


def flat(text: str) -> str:
    """The text in small letters without accents, with plain apostrophes and single spaces."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("\u2019", "'").replace("ß", "ss"))
    return " ".join("".join(char for char in decomposed if not "\u0300" <= char <= "\u036f").split())


def asks_for_a_secret(text: str) -> bool:
    """Whether flat text asks for a password, PIN or card number. A warning against sending one is not a request."""
    return any(
        not _DENIED.search(_CLAUSE_ENDS.split(text[max(0, match.start() - 80) : match.start()])[-1])
        for match in _PLEAS.finditer(text)
    )
