"""Combines word lists and the text classifier into each value of a triage, with confidence and reasons.

The rules that always win and the priority are in ai/triage/rules.py.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ai.triage.text_classifier import Classification, softmax

# What words add to the classifier's score of a category or sentiment (about 1 for the right one), and the temperature of the
# softmax.
CATEGORY_WORDS, CATEGORY_TEMPERATURE = 0.2, 0.12
SENTIMENT_WORDS, SENTIMENT_TEMPERATURE = 0.25, 0.2
# Long texts often cover several matters, so the softmax of the category gets a higher temperature. It grows with the words from
# SHORT_TEXT_WORDS on, to LARGEST_FACTOR times. The three were chosen on collections unlike the examples, each left out in turn.
SHORT_TEXT_WORDS, LARGEST_FACTOR = 10, 3.0
WORDS_SHARE = 0.6  # of the urgency; the rest is the classifier's
TONE = 0.6  # how much a negative tone raises the urgency, and a positive one lowers it
# Subtracted from the score of neutral: a missed complaint costs more than a false one.
NEUTRAL_PENALTY = 0.08
# Confidence from which on a category is certain: of industries without an example nine of ten are right then. Below it the
# reasons say that the category is unsure.
CERTAIN = 0.6
UNSURE = 0.5  # probability below which a tone or the wish for a person does not count
NEGATIVE_SIGN = 0.1  # what each sign of a complaint adds to the score of negative; chosen on sentences left out
LIKE = 0.35  # similarity from which on a sentence or ticket is named as a reason
STRANGE = 0.22  # similarity to the nearest sentence below which only the word lists count
BY_WORDS, BY_DEFAULT = 0.7, 0.3  # confidence without classifier: with a word of the list, and without one
ASKED = 0.97  # probability when a word list matched
WITHOUT_CUE = 0.4  # of the probability that a person is wanted, for a text without a word for a person or a call
# What each negative word, sign of a complaint and word of praise or thanks adds to the log-odds of escalation.
GRUMBLE, COMPLAINT, PRAISE, MOST_TONE_WORDS = 0.5, 0.5, 1.0, 3
UNREAD_DISSATISFIED = 0.1  # the probability before the words, without the classifier
LIKELY = 0.6  # the least probability of escalation when the customer wants a person or work has stopped


@dataclass(frozen=True, slots=True)
class Decision:
    """One value of a triage, its confidence (0 to 1), its reasons, and whether the company's own tickets decided it."""

    value: str
    confidence: float
    reasons: tuple[str, ...]
    learned: bool = False

    @property
    def certain(self) -> bool:
        return self.confidence >= CERTAIN


@dataclass(frozen=True, slots=True)
class Own:
    """Category scores of the company's own model, and the number and similarity of the most similar ticket."""

    scores: Mapping[str, float]
    number: int
    similarity: float


@dataclass(frozen=True, slots=True)
class ToneWords:
    """The different signs of a complaint in a text, and how many of its words are negative, and praise or thank."""

    negative: int
    complaints: tuple[str, ...]
    praise: int


def understood(classification: Classification) -> Classification | None:
    """The classification, or None for a text unlike every built-in sentence."""
    nearest = max(similarity for _, similarity in classification.nearest.values())
    return classification if classification.understood and nearest >= STRANGE else None


def category(
    weights: Mapping[str, int],
    words: Mapping[str, Sequence[str]],
    classification: Classification | None,
    *,
    own: Own | None,
    foreign: bool,
    length: int,
) -> Decision:
    """The category by word lists, classifier and the company's own tickets. `length` is the number of words of the text.

    `foreign`: the text is not in English, so that only the company's own tickets are trusted.
    """
    chosen_temperature = temperature(length)
    decision = (
        _by_own_tickets(weights, classification, own, chosen_temperature) if own and own.similarity >= LIKE else None
    )
    decision = decision or _by_words_and_classifier(weights, words, classification, chosen_temperature)
    if not foreign or decision.learned:
        return decision
    reason = "not sure of the category: the text does not read like English, the language known here"
    return Decision(decision.value, min(decision.confidence, BY_DEFAULT), (*decision.reasons, reason))


def temperature(length: int) -> float:
    """The temperature of the category for a text of `length` words."""
    return CATEGORY_TEMPERATURE * min(LARGEST_FACTOR, max(1.0, length / SHORT_TEXT_WORDS))


def _scores(weights: Mapping[str, int], classification: Classification | None) -> dict[str, float]:
    """The score of each category by words and classifier, without own tickets."""
    start = classification.categories if classification else dict.fromkeys(weights, 0.0)
    return {name: score + CATEGORY_WORDS * (1 - math.exp(-weights[name] / 3)) for name, score in start.items()}


def _by_own_tickets(
    weights: Mapping[str, int], classification: Classification | None, own: Own, chosen_temperature: float
) -> Decision | None:
    """The category if the company's own tickets decide it, or None if they change nothing."""
    before = _scores(weights, classification)
    after = softmax({name: score + own.scores[name] for name, score in before.items()}, chosen_temperature)
    value = max(after, key=after.__getitem__)
    if value == max(before, key=before.__getitem__) and max(own.scores.values()) != own.scores[value]:
        return None
    return Decision(
        value, after[value], (f"category {value}: {like_ticket(own.number, own.similarity)}",), learned=True
    )


def like_ticket(number: int, similarity: float) -> str:
    """The most similar ticket and its similarity, in words for a reason."""
    return (f"like your ticket #{number}" if number else "like your own tickets") + f" ({similarity:.2f})"


def _by_words_and_classifier(
    weights: Mapping[str, int],
    words: Mapping[str, Sequence[str]],
    classification: Classification | None,
    chosen_temperature: float,
) -> Decision:
    best = max(weights, key=weights.__getitem__)
    if classification is None:
        value = best if weights[best] else "general"
        confidence = BY_WORDS if weights[best] else BY_DEFAULT
        return Decision(value, confidence, tuple(_reasons(value, words.get(value, ()), None, confidence=1.0)))
    probabilities = softmax(_scores(weights, classification), chosen_temperature)
    value = max(probabilities, key=probabilities.__getitem__)
    confidence = probabilities[value]
    reasons = _reasons(value, words.get(value, ()), classification.nearest[value], confidence=confidence)
    return Decision(value, confidence, tuple(reasons))


def _reasons(
    value: str, words: Sequence[str], nearest: tuple[str, float] | None, *, confidence: float
) -> Iterator[str]:
    if words:
        yield f"category {value}: the words {quoted(*words[:3])}"
    if nearest and nearest[1] >= LIKE:
        yield f"category {value}: like {quoted(nearest[0])} ({nearest[1]:.2f})"
    elif not words:
        yield f"category {value}: " + ("no word pointed to a team" if value == "general" else "nearer than the others")
    if confidence < CERTAIN:
        yield f"not sure of the category ({confidence:.0%}): the text fits several"


def urgency(level: int, classification: Classification | None) -> float:
    """Urgency from 1.0 to 5.0, by the level of the words (1 to 5) and the classifier. Level 5 decides alone."""
    if classification is None or level == 5:
        return float(level)
    tone = TONE * (classification.sentiments["negative"] - classification.sentiments["positive"])
    return WORDS_SHARE * level + (1 - WORDS_SHARE) * max(1.0, min(5.0, classification.urgency + tone))


def sentiment(
    by_words: str, word: str, classification: Classification | None, complaints: Sequence[str] = ()
) -> Decision:
    """The sentiment by word lists (`word` is the first match, "" without one), classifier and signs of a complaint."""
    reasons = (f"sentiment {by_words}: {quoted(word)}",) if word else ()
    if classification is None:
        return Decision(by_words, BY_WORDS if word else BY_DEFAULT, reasons)
    scores = dict(classification.sentiments)
    scores["neutral"] -= NEUTRAL_PENALTY
    scores["negative"] += NEGATIVE_SIGN * min(len(complaints), MOST_TONE_WORDS)
    scores[by_words] += SENTIMENT_WORDS if word else 0
    probabilities = softmax(scores, SENTIMENT_TEMPERATURE)
    value = max(probabilities, key=probabilities.__getitem__)
    if value != by_words and probabilities[value] < UNSURE:
        value = by_words
    if value != by_words:
        signs = quoted(*complaints[:3]) if value == "negative" else ""
        reasons = (f"sentiment {value}: by the tone of the text" + (f", with {signs}" if signs else ""),)
    return Decision(value, probabilities[value], reasons)


def wants_human(matched_words: str, classification: Classification | None, *, cue: bool) -> float:
    """The probability that the customer wants a person. `matched_words` is the match of the word list.

    Without a `cue`, a word for a person or a call, likeness alone decides nothing.
    """
    likeness = classification.wants_human if classification else 0.03
    return max(ASKED if matched_words else 0.0, likeness if cue else WITHOUT_CUE * likeness)


def escalation(
    words: ToneWords, classification: Classification | None, *, pressing: bool, human: float, risk: str
) -> float:
    """The probability that the customer is lost unless a person takes over."""
    if risk:
        return ASKED
    before = classification.dissatisfied if classification else UNREAD_DISSATISFIED
    odds = math.log(before / (1 - before)) + sum(
        weight * min(count, MOST_TONE_WORDS)
        for weight, count in ((GRUMBLE, words.negative), (COMPLAINT, len(words.complaints)), (-PRAISE, words.praise))
    )
    return max(1 / (1 + math.exp(-odds)), LIKELY if pressing or human >= UNSURE else 0.0)


def quoted(*phrases: str) -> str:
    """Phrases in quotation marks, for a reason."""
    return ", ".join(f'"{phrase}"' for phrase in phrases)
