"""Checks of a model's reply: no links, numbers or texts from outside the ticket, no promises, no requests for secrets.

The functions are pure. The caller decides what happens after an objection.
"""

import re
import unicodedata
from collections.abc import Sequence

from ai.reply_checks import links, numbers, pleas, promises

# Eight words in a row count as a quotation. Fewer are often a common phrase.
# In languages without spaces two characters count as one word.
QUOTED_WORDS = 8
# A passage of another customer needs so many words outside _COURTESY. Common phrases of courtesy have fewer, such as
# "if you need any further information please let".
LEAST_OWN_WORDS = 2
MOST_SEEN = 60_000  # characters after folding, which may turn one character into eighteen

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


def plain_text(text: str) -> str:
    """The text without control characters, invisible characters and tags."""
    text = text.replace("\r\n", "\n")
    text = text.translate({ord(char): None for char in set(text) if not _is_visible(char)})
    without_tags = _TAG.sub("", text)
    while without_tags != text:  # removing a tag can create another one
        text, without_tags = without_tags, _TAG.sub("", without_tags)
    return without_tags.strip()


class Guards:
    """The checks of replies to one ticket. The constructor does the slow part, before the model is asked."""

    def __init__(self, *, seen: str, secret: str, others: Sequence[str] = ()) -> None:
        """`seen` is the text that the customer has seen: a reply may repeat its links, sums and numbers. `secret` is the
        prompt. `others` are texts of other customers."""
        seen_text = links.folded(seen)[:MOST_SEEN]
        self._addresses = links.addresses(seen_text)
        self._numbers = numbers.numbers(seen_text)
        self._digit_runs = numbers.digit_runs(seen_text)
        seen_passages = passages(seen_text)
        self._secret = passages(links.folded(secret)) - seen_passages
        candidates = {passage for text in others for passage in passages(links.folded(text))} - seen_passages
        self._others = {passage for passage in candidates if _is_specific(passage)}

    def repeats_another(self, text: str) -> bool:
        """Whether the text repeats what another customer wrote."""
        return bool(passages(links.folded(text)) & self._others)

    def objection(self, text: str, *, to_customer: bool = True) -> str:
        """The reason why the text must not be sent, "" when it may be sent.

        A text for staff alone (not `to_customer`) may tell of promises and of questions for secrets.
        """
        folded = links.folded(text)
        words, flat = passages(folded), pleas.flat(folded)
        objections = (
            ("held an image or an active link", _IMAGE.search(folded) or _ACTIVE.search(folded)),
            ("held a link or an address that is not in the ticket", links.addresses(folded) - self._addresses),
            ("held a sum of money that is not in the ticket", numbers.sums(folded) - self._numbers),
            ("held a telephone number that is not in the ticket", numbers.telephones(folded) - self._digit_runs),
            ("quoted its own instructions", words & self._secret),
            ("repeated what another customer wrote", words & self._others),
            ("promised something the server does not do", to_customer and promises.promises(flat)),
            ("asked for a password, a card or another secret", to_customer and pleas.asks_for_a_secret(flat)),
        )
        return next((f"the model's reply {reason}" for reason, applies in objections if applies), "")


def objection(text: str, *, seen: str, secret: str, others: Sequence[str] = ()) -> str:
    """The reason why the text must not be sent, "" when it may be sent. The other arguments are those of Guards."""
    return Guards(seen=seen, secret=secret, others=others).objection(text)


def passages(folded: str) -> set[str]:
    """Every run of QUOTED_WORDS words in folded text. Signs and spaces between the words do not matter."""
    words = _WORD.findall(folded)
    runs, end, size = set(), 0, 0
    for start, word in enumerate(words):
        while size < 2 * QUOTED_WORDS and end < len(words):
            size += _weight(words[end])
            end += 1
        if size < 2 * QUOTED_WORDS:
            break
        runs.add(" ".join(words[start:end]))
        size -= _weight(word)
    return runs


def _is_specific(passage: str) -> bool:
    return sum(word not in _COURTESY for word in passage.split(" ")) >= LEAST_OWN_WORDS


def _weight(word: str) -> int:
    return 1 if len(word) == 1 and word >= "\u0e00" else 2


def _is_visible(char: str) -> bool:
    # The two joiners are part of words in several scripts, and of emoji.
    category = unicodedata.category(char)
    return char in "\n\t\u200c\u200d" or category not in ("Cc", "Cf", "Cs", "Cn")
