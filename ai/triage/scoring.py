"""Words and likeness together: what each says of a text is weighed into one value, how sure it is, and why.

No rule wins or loses here; those, the points and the priority are in triage.py.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ai.triage.text_classifier import Classification, softmax

# What a text's words add to the score of a category or feeling that likeness gives (about 1 for the right one), and how
# far scores are from certainty. The warmth is chosen so that of decisions held for 80 % sure about 80 % are right;
# docs/ai-quality.md shows how far that carries over.
CATEGORY_WORDS, CATEGORY_WARMTH = 0.2, 0.12
SENTIMENT_WORDS, SENTIMENT_WARMTH = 0.25, 0.2
WORDS_SHARE = 0.5  # of the urgency; the rest is by likeness
FEELING = 0.6  # how far a complaint is more urgent, and praise less, than the same said calmly
# What calm must be surer by than a complaint or praise: a missed complaint costs more than a false one.
COMPLAINT = 0.08
SURE = 0.6  # from here on a category is certain
UNSURE = 0.5  # below this the reasons say so
LIKE = 0.35  # from here on a sentence is like enough to be named as a reason
STRANGE = 0.22  # a text less like every sentence than this is about nothing that is known here: its words alone count
WORD_ALONE, NOTHING = 0.7, 0.3  # how sure words alone are when one points to a category, and when none does
ASKED = 0.97  # somebody asked for a person in so many words
GRUMBLE = 0.3  # what each angry word adds to the chance that a customer is about to be lost
LIKELY = 0.6  # that chance, at least, where somebody asks for a person or work has stopped


@dataclass(frozen=True, slots=True)
class Weighed:
    """One value of a decision, how sure it is (0 to 1), the lines that say why, and whether own tickets decided it."""

    value: str
    confidence: float
    reasons: tuple[str, ...]
    learned: bool = False

    @property
    def certain(self) -> bool:
        return self.confidence >= SURE


@dataclass(frozen=True, slots=True)
class Own:
    """What a company's own tickets say of a text: scores per category, and the ticket most like it with how like it is."""

    scores: Mapping[str, float]
    number: int
    likeness: float


def understood(hint: Classification | None) -> Classification | None:
    """A judgement that is worth hearing, or None."""
    return hint if hint and hint.told and max(near for _, near in hint.like.values()) >= STRANGE else None


def category(
    weights: Mapping[str, int],
    words: Mapping[str, Sequence[str]],
    hint: Classification | None,
    *,
    own: Own | None,
    foreign: bool,
) -> Weighed:
    """The category: by the words that point to it, what the text is like, and what the company's own tickets say.

    `foreign`: it is hardly in English, which only own tickets can make up for.
    """
    found = _learned(weights, hint, own) if own and own.likeness >= LIKE else None
    found = found or _category(weights, words, hint)
    if not foreign or found.learned:
        return found
    why = "not sure of the category: the text does not read like English, the language known here"
    return Weighed(found.value, min(found.confidence, NOTHING), (*found.reasons, why))


def _scores(weights: Mapping[str, int], hint: Classification | None) -> dict[str, float]:
    """What words and likeness give each category before own tickets are asked."""
    start = hint.categories if hint else dict.fromkeys(weights, 0.0)
    return {name: score + CATEGORY_WORDS * (1 - math.exp(-weights[name] / 3)) for name, score in start.items()}


def _learned(weights: Mapping[str, int], hint: Classification | None, own: Own) -> Weighed | None:
    """The category where the company's own tickets decide it, or None where they agree with the rest."""
    before = _scores(weights, hint)
    after = softmax({name: score + own.scores[name] for name, score in before.items()}, CATEGORY_WARMTH)
    value = max(after, key=after.__getitem__)
    if value == max(before, key=before.__getitem__) and max(own.scores.values()) != own.scores[value]:
        return None
    return Weighed(value, after[value], (f"category {value}: {like_ticket(own.number, own.likeness)}",), learned=True)


def like_ticket(number: int, likeness: float) -> str:
    """Which of a company's own tickets a text is like, and how like, for a reason."""
    return (f"like your ticket #{number}" if number else "like your own tickets") + f" ({likeness:.2f})"


def _category(weights: Mapping[str, int], words: Mapping[str, Sequence[str]], hint: Classification | None) -> Weighed:
    best = max(weights, key=weights.__getitem__)
    if hint is None:
        value = best if weights[best] else "general"
        sure = WORD_ALONE if weights[best] else NOTHING
        return Weighed(value, sure, tuple(_why(value, words.get(value, ()), None, sure=1.0)))
    chances = softmax(_scores(weights, hint), CATEGORY_WARMTH)
    value = max(chances, key=chances.__getitem__)
    sure = chances[value]
    return Weighed(value, sure, tuple(_why(value, words.get(value, ()), hint.like[value], sure=sure)))


def _why(value: str, words: Sequence[str], like: tuple[str, float] | None, *, sure: float) -> Iterator[str]:
    if words:
        yield f"category {value}: the words {quoted(*words[:3])}"
    if like and like[1] >= LIKE:
        yield f"category {value}: like {quoted(like[0])} ({like[1]:.2f})"
    elif not words:
        yield f"category {value}: " + ("no word pointed to a team" if value == "general" else "nearer than the others")
    if sure < UNSURE:
        yield f"not sure of the category ({sure:.0%}): the text fits several"


def urgency(level: int, hint: Classification | None) -> float:
    """From 1.0 to 5.0; the most urgent words decide alone."""
    if hint is None or level == 5:
        return float(level)
    feeling = FEELING * (hint.sentiments["negative"] - hint.sentiments["positive"])
    return WORDS_SHARE * level + (1 - WORDS_SHARE) * max(1.0, min(5.0, hint.urgency + feeling))


def sentiment(spoken: str, word: str, hint: Classification | None) -> Weighed:
    """The feeling: by its words, and by what the text is like."""
    by_word = (f"sentiment {spoken}: {quoted(word)}",) if word else ()
    if hint is None:
        return Weighed(spoken, WORD_ALONE if word else NOTHING, by_word)
    added = {"neutral": -COMPLAINT} | ({spoken: SENTIMENT_WORDS} if word else {})
    chances = softmax({name: score + added.get(name, 0) for name, score in hint.sentiments.items()}, SENTIMENT_WARMTH)
    value = max(chances, key=chances.__getitem__)
    if value != spoken and chances[value] < UNSURE:
        value = spoken
    why = by_word if value == spoken else (f"sentiment {value}: by the tone of the text",)
    return Weighed(value, chances[value], why)


def wants_human(asked: str, hint: Classification | None) -> float:
    """How likely the customer wants a person: said in so many words, or like those who do."""
    return max(ASKED if asked else 0.0, hint.wants_human if hint else 0.03)


def escalation(grumbles: int, hint: Classification | None, *, pressing: bool, human: float, risk: str) -> float:
    """How likely this customer is lost unless a person takes over."""
    if risk:
        return ASKED
    calm = 1 - (hint.dissatisfied if hint else 0.1)
    found = 1 - calm * (1 - GRUMBLE) ** min(grumbles, 4)
    return max(found, LIKELY if pressing or human >= UNSURE else 0.0)


def quoted(*phrases: str) -> str:
    """Phrases for a reason."""
    return ", ".join(f'"{phrase}"' for phrase in phrases)
