"""What a model's reply must pass before a customer reads it: plain text without foreign links, numbers, words or promises.

Pure functions over text; who is told about an objection, and what is said instead, is for the caller.
"""

import re
import unicodedata
from collections.abc import Sequence

from ai.reply_checks import links, numbers, pleas, promises

# Eight words in a row are a quotation, fewer are often a usual phrase; a count of letters would tell the two apart less well.
# In languages without spaces two characters count as one word.
QUOTED_WORDS = 8
LEAST_OWN_WORDS = (
    2  # of them that are no words of courtesy: "if you need any further information please let" is nobody's
)
MOST_SEEN = 60_000  # characters; one sign may stand for eighteen letters

_TAG = re.compile(r"<[/!?]?[a-zA-Z][^<>]*>|<!--[^<>]*>|<(?=[/!?a-zA-Z])")
_IMAGE = re.compile(r"!\[")
_ACTIVE = re.compile(r"\b(?:javascript|vbscript)\s{0,9}:|\bdata:[a-z]{1,20}/")
_COURTESY = frozenset(
    word
    for line in (
        "a about all an and any are as at be by can case contact could do for forward from further has have hear hearing help",
        "hesitate i if in information is it kind know let like look looking me more my need no not of on or please question",
        "questions regards reply so soon sorry support thank thanks that the there this to us very we when will with would you",
        "your also auf bei bitte danke das die der ein eine fragen für gerne haben hilfe ich ihnen ihr ihre im in informationen",
        "ist mich mir mit nicht noch oder rückmeldung sich sie sind uns und von wenn wir zu zur à au avec avez ce de des dans",
        "en est et je la le les merci me n ne nous par pas plaît plus pour que questions réponse s si sur un une vous votre",
        "al con cualquier del el en espero gracias hay la le lo los me más necesita no nos o para por que si su tiene una y",
    )
    for word in line.split()
)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def plain(text: str) -> str:
    """`text` without control and invisible characters and without tags, ready to be shown as plain text."""
    text = text.replace("\r\n", "\n")
    text = text.translate({ord(char): None for char in set(text) if not _is_shown(char)})
    stripped = _TAG.sub("", text)
    while stripped != text:  # taking one tag out can join another
        text, stripped = stripped, _TAG.sub("", stripped)
    return stripped.strip()


class Guards:
    """What replies to one ticket are held against, prepared beforehand: the slow part, done before a model is asked."""

    def __init__(self, *, seen: str, secret: str, others: Sequence[str] = ()) -> None:
        """`seen` is everything the customer has seen already (its links, sums and numbers may be repeated), `secret` the
        prompt, `others` what other customers wrote."""
        own = links.folded(seen)[:MOST_SEEN]
        self._addresses = links.addresses(own)
        self._numbers = numbers.numbers(own)
        self._digit_runs = numbers.digit_runs(own)
        own_passages = passages(own)
        self._secret = passages(links.folded(secret)) - own_passages
        quoted = {passage for text in others for passage in passages(links.folded(text))} - own_passages
        self._others = {passage for passage in quoted if _says_something(passage)}

    def objection(self, text: str) -> str:
        """Why `text` must not be sent, in plain words; "" when it may."""
        folded = links.folded(text)
        words, flat = passages(folded), pleas.flat(folded)
        objections = (
            ("held an image or an active link", _IMAGE.search(folded) or _ACTIVE.search(folded)),
            ("held a link or an address that is not in the ticket", links.addresses(folded) - self._addresses),
            ("held a sum of money that is not in the ticket", numbers.sums(folded) - self._numbers),
            ("held a telephone number that is not in the ticket", numbers.telephones(folded) - self._digit_runs),
            ("quoted its own instructions", words & self._secret),
            ("repeated what another customer wrote", words & self._others),
            ("promised something the server does not do", promises.promises(flat)),
            ("asked for a password, a card or another secret", pleas.asks_for_a_secret(flat)),
        )
        return next((f"the model's reply {what}" for what, met in objections if met), "")


def objection(text: str, *, seen: str, secret: str, others: Sequence[str] = ()) -> str:
    """Why `text` must not be sent, in plain words; "" when it may. The arguments are those of Guards."""
    return Guards(seen=seen, secret=secret, others=others).objection(text)


def passages(folded: str) -> set[str]:
    """Every run of QUOTED_WORDS words in folded text, whatever signs and spaces stand between them."""
    words = _WORD.findall(folded)
    found, end, size = set(), 0, 0
    for start, word in enumerate(words):
        while size < 2 * QUOTED_WORDS and end < len(words):
            size += _weight(words[end])
            end += 1
        if size < 2 * QUOTED_WORDS:
            break
        found.add(" ".join(words[start:end]))
        size -= _weight(word)
    return found


def _says_something(passage: str) -> bool:
    return sum(word not in _COURTESY for word in passage.split(" ")) >= LEAST_OWN_WORDS


def _weight(word: str) -> int:
    return 1 if len(word) == 1 and word >= "\u0e00" else 2


def _is_shown(char: str) -> bool:
    # The two joiners are letters' business in several scripts, and hold emoji together.
    kind = unicodedata.category(char)
    return char in "\n\t\u200c\u200d" or kind not in ("Cc", "Cf", "Cs", "Cn")
