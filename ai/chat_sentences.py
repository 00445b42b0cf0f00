"""The ready-made sentences of a chat in seven languages, and how a message asks for a person, agrees, greets or thanks.

Every sentence must promise only what the server does by itself.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ai.triage.word_lists import LETTERS


@dataclass(frozen=True)
class Language:
    """The sentences of one language. `common` are words that nearly every text in it has, and the other languages do not.

    `quote` has the places {title} and {passage}. `person`, `anger`, `yes` and `courtesy` are patterns of small
    letters.
    """

    common: str
    quote: str
    unanswered: str  # nothing was found: offers a person
    handed_over: str  # somebody is available
    nobody_free: str
    mailed: str  # follows nobody_free when the customer has an address
    danger: str  # said first when somebody may come to harm
    welcome: str  # the answer to a greeting or thanks
    still_there: str  # {minutes}
    closed: str
    person: str
    anger: str
    yes: str
    courtesy: str

    @cached_property
    def words(self) -> frozenset[str]:
        """The common words."""
        return frozenset(self.common.split())


_DATA = Path(__file__).with_suffix(".toml")
LANGUAGES = [Language(**entries) for entries in tomllib.loads(_DATA.read_text(encoding="utf-8")).values()]
ENGLISH = LANGUAGES[0]
_DECLINES = re.compile(
    r"\b(?:don't|do not|no need to|rather not) (?:(?:want|need|wish|have)(?: to)? )?(?:(?:talk|speak|chat) (?:to|with) )?"
    r"(?:a |an |any )?(?:real |live )?(?:person|human|agent|people|anyone|somebody|someone)\b"
)
MOST_READ = 2_000  # characters of a message that are looked at


def language_of(text: str) -> Language | None:
    """The language that has most of the text's words among its common ones; English when there are few words.

    None for a longer text in none of these languages.
    """
    words = LETTERS.findall(text[:MOST_READ].lower())
    counts = [sum(word in language.words for word in words) for language in LANGUAGES]
    if max(counts) * 6 > len(words):
        return LANGUAGES[counts.index(max(counts))]
    own = next((language for language in LANGUAGES if _is_whole(language.courtesy, text)), None)
    foreign_letters = any(char > "\u024f" for word in words for char in word)
    return own or (None if foreign_letters or len(words) >= 4 else ENGLISH)


def asks_for_a_person(text: str) -> bool:
    """Whether a message asks for a person, in one of the languages but English, which triage knows better."""
    flat = _flat(text)
    return any(re.search(language.person, flat) for language in LANGUAGES)


def declines_a_person(text: str) -> bool:
    """Whether a message says that no person is wanted."""
    return _DECLINES.search(_flat(text)) is not None


def is_angry(text: str) -> bool:
    """Whether a message holds words of anger at us, in one of the languages."""
    flat = _flat(text)
    return any(re.search(language.anger, flat) for language in LANGUAGES)


def agrees(text: str) -> bool:
    """Whether the whole message is a yes."""
    return any(_is_whole(language.yes, text) for language in LANGUAGES)


def offers_a_person(text: str) -> bool:
    """Whether a turn is our offer to bring in a person."""
    return any(text == language.unanswered for language in LANGUAGES)


def is_courtesy(text: str) -> bool:
    """Whether the whole message is a greeting or thanks."""
    return any(_is_whole(language.courtesy, text) for language in LANGUAGES)


def _is_whole(pattern: str, text: str) -> bool:
    return re.fullmatch(rf"(?:{pattern})(?: (?:{pattern}))?", _flat(text)) is not None


def _flat(text: str) -> str:
    """Small letters, one space, no signs but apostrophes."""
    return " ".join(re.sub(r"[^\w' ]", " ", text[:MOST_READ].lower().replace("\u2019", "'")).split())
