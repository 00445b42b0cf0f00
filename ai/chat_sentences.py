"""The ready-made sentences of a chat in seven languages, and what short messages say: a wish for a person, yes, no, thanks, harm.

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
    """The sentences of one language, and its words and patterns in small letters.

    `common` are words that nearly every text has, and those of other languages do not. `quote` has the places {title} and
    {passage}, `still_there` {minutes}, `closed_now` {when}. A message of words of `greeting` or `thanks` and `filler` alone is
    a courtesy.
    """

    code: str  # ISO 639-1
    common: str
    quote: str
    unanswered: str  # nothing was found: offers a person
    declined: str  # the customer wants none
    handed_over: str  # somebody is available
    nobody_free: str  # nobody is available, or the desk is closed
    closed_now: str  # {when}: follows nobody_free outside the company's hours
    mailed: str  # the last sentence, when nobody is available or the desk is closed, and answers are mailed
    danger: str  # said first when somebody may come to harm
    welcome: str  # the answer to a greeting
    thanked: str
    still_there: str
    closed: str
    person: str
    anger: str
    harm: str
    yes: str
    no: str
    greeting: str
    thanks: str
    filler: str

    @cached_property
    def words(self) -> frozenset[str]:
        """The common words."""
        return frozenset(self.common.split())

    def is_made_of(self, text: str, core: str) -> bool:
        """Whether a text is short and has a word of `core`, and all its others are of `core` or `filler`."""
        words = _flat(text).split()
        own = set(core.split())
        return (
            0 < len(words) <= MOST_COURTESY and not own.isdisjoint(words) and {*words} <= own | {*self.filler.split()}
        )


_DATA = Path(__file__).with_suffix(".toml")
_ENTRIES = tomllib.loads(_DATA.read_text(encoding="utf-8"))
LANGUAGES = [Language(code=code, **entries) for code, entries in _ENTRIES.items()]
ENGLISH = LANGUAGES[0]
OTHER = "other"  # in place of a code: a language that is not among them
LANGUAGE_CODES = (*_ENTRIES, OTHER)
_DECLINES = re.compile(
    r"\b(?:don't|do not|no need to|rather not) (?:(?:want|need|wish|have)(?: to)? )?(?:(?:talk|speak|chat) (?:to|with) )?"
    r"(?:a |an |any )?(?:real |live )?(?:person|human|agent|people|anyone|somebody|someone)\b"
)
# Words for a person in languages of which we have no sentences.
_ASKS_ELSEWHERE = re.compile(
    r"人工|真人|客服|转人工|人間|担当者|オペレーター|상담원|사람|\b(?:человек\w*|оператор\w*|сотрудник\w*|człowiek\w*|konsultant\w*"
    r"|temsilci\w*|insanla|müşteri temsilcisi|människa|menneske|člověk\w*)\b"
)
_HAPPY = re.compile("[👍🙏❤️🙂😀😊👌🎉💯🥰😍✅]+")
_ELSEWHERE = frozenset("ąęłżśćńźřšžůěőűğışđťľč")  # letters of languages that we have no sentences in
FEW_WORDS = 4
MOST_COURTESY = 8  # words
MOST_READ = 2_000  # characters of a message that are looked at


def language_of(text: str, earlier: str = "") -> Language | None:
    """The language that has most of the text's words among its common ones; None for a longer text in another language.

    A text of few words is read together with the `earlier` words of the same person. English when nothing says otherwise.
    """
    words = LETTERS.findall(text[:MOST_READ].lower())
    if len(words) < FEW_WORDS and earlier:
        words += LETTERS.findall(earlier[-MOST_READ:].lower())
    letters = {char for word in words for char in word}
    counts = [sum(word in language.words for word in words) for language in LANGUAGES]
    if max(counts) and not (letters & _ELSEWHERE and max(counts) < len(words) / 3):
        return LANGUAGES[counts.index(max(counts))]
    own = next((language for language in LANGUAGES if is_courtesy(text, language)), None)
    foreign = bool(letters & _ELSEWHERE) or any(char > "\u024f" for char in letters)
    return own or (None if foreign or len(words) > FEW_WORDS else ENGLISH)


def asks_for_a_person(text: str) -> bool:
    """Whether a message asks for a person, in words that triage, which reads English, does not know."""
    flat = _flat(text)
    return _ASKS_ELSEWHERE.search(flat) is not None or any(re.search(one.person, flat) for one in LANGUAGES)


def declines_a_person(text: str) -> bool:
    """Whether a message says that no person is wanted."""
    return _DECLINES.search(_flat(text)) is not None


def is_angry(text: str) -> bool:
    """Whether a message holds words of anger at us, in one of the languages."""
    flat = _flat(text)
    return any(re.search(language.anger, flat) for language in LANGUAGES)


def names_harm(text: str) -> bool:
    """Whether a message says that somebody may be hurt or hurt themselves, in one of the languages."""
    flat = _flat(text)
    return any(re.search(language.harm, flat) for language in LANGUAGES)


def agrees(text: str) -> bool:
    """Whether an answer to our offer is a yes: it begins with one and is short."""
    first, *others = _flat(text).split() or [""]
    return len(others) < MOST_COURTESY and any(first in language.yes.split() for language in LANGUAGES)


def refuses(text: str) -> bool:
    """Whether an answer to our offer is a no: it begins with one and is short."""
    first, *others = _flat(text).split() or [""]
    return len(others) < FEW_WORDS and any(first in language.no.split() for language in LANGUAGES)


def offers_a_person(text: str) -> bool:
    """Whether a turn is our offer to bring in a person."""
    return any(text == language.unanswered for language in LANGUAGES)


def is_courtesy(text: str, language: Language) -> bool:
    """Whether the whole message is a greeting, thanks or a goodbye."""
    return bool(courtesy(text, language))


def courtesy(text: str, language: Language) -> str:
    """The answer to a greeting, thanks or a goodbye; "" for any other message."""
    if language.is_made_of(text, language.thanks) or _HAPPY.fullmatch("".join(text.split())):
        return language.thanked
    return language.welcome if language.is_made_of(text, language.greeting) else ""


def _flat(text: str) -> str:
    """Small letters, one space, no signs but apostrophes."""
    return " ".join(re.sub(r"[^\w' ]", " ", text[:MOST_READ].lower().replace("\u2019", "'")).split())
