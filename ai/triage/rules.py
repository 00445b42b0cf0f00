"""Triage of a text by word lists and text classifier, with reasons; and its blend with a language model's suggestion."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from ai.triage import scoring
from ai.triage import word_lists as words
from ai.triage.next_actions import next_action
from ai.triage.phrases import Found, PhraseList
from ai.triage.scoring import quoted
from ai.triage.text_classifier import TextClassifier
from core.models import CATEGORIES, PRIORITIES, PRIORITY_RANK, SENTIMENTS, TEAM_OF

# The one table of the priority score, in points; the sum is held to 0..100. Chosen so that urgency alone spans the
# bands (2.0 is low, 3.0 medium, 4.0 high, 5.0 urgent) and a risk word, which counts as urgency 5.0, is always urgent.
URGENCY_POINTS = 15  # for each whole point of urgency: 15 at 1.0, 75 at 5.0
HASTE_POINTS = 10  # the text asks for haste: "urgent", "asap"
SEVERAL_POINTS = 10  # more than one person is affected: "my team"
RISK_POINTS = 20  # an always-win word: fraud, stolen, hacked, safety, self-harm, a legal threat
TIER_POINTS = {"free": 0, "standard": 0, "premium": 5, "enterprise": 10}
SENTIMENT_POINTS = {"positive": -5, "neutral": 0, "negative": 5}
# The lowest and highest score of each priority.
BANDS = {"low": (0, 39), "medium": (40, 59), "high": (60, 74), "urgent": (75, 100)}

# What raises the urgency, in tenths of a point.
SIGN_RAISE = 5  # each of: repeated question marks, a plea in capitals, a word of haste
TIER_RAISES = {"premium": 2, "enterprise": 4}
PRESSING = 4.5  # urgency from which on work has stopped
ENOUGH = 20  # a text with a common English word among so many is English
STRONG, WEAK = 3, 1  # one strong category word outweighs two weak ones
MODEL_SHARE, LOCAL_SHARE = 0.6, 0.4  # the blend of the first published system


class Suggestion(Protocol):
    """The triage that a language model suggests."""

    @property
    def category(self) -> str: ...
    @property
    def priority(self) -> str: ...
    @property
    def sentiment(self) -> str: ...
    @property
    def urgency(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Triage:
    """The triage of a ticket. `risk` names the rule that always wins, if one set the priority.

    `topic` is the company's own label and `topic_team` the team that it decided, each "" without one. `topic_sure`: the topic
    is so clear that it may decide by itself. `certain`: the category has enough confidence. Confidences and scores are 0 to 1,
    except priority_score (0 to 100) and urgency (1.0 to 5.0).
    """

    category: str
    priority: str
    priority_score: int
    urgency: float
    sentiment: str
    assigned_team: str
    next_action: str
    reasons: tuple[str, ...]
    source: str = "rules"
    certain: bool = True
    risk: str = ""
    category_confidence: float = 0.0
    sentiment_confidence: float = 0.0
    escalation_score: float = 0.0
    wants_human_score: float = 0.0
    topic: str = ""
    topic_confidence: float = 0.0
    topic_team: str = ""
    topic_sure: bool = False


@dataclass(frozen=True, slots=True)
class _WordMatches:
    """The matches of the word lists in one text."""

    found: Found
    weights: dict[str, int]
    matched_words: dict[str, tuple[str, ...]]
    level: int
    level_words: tuple[str, ...]
    haste: str
    several: str
    risk: str
    risk_word: str


def triage(
    title: str,
    description: str,
    *,
    tier: str = "standard",
    classifier: TextClassifier | None = None,
    own: scoring.Own | None = None,
) -> Triage:
    """The triage of any title and description; deterministic.

    Without a `classifier` only the word lists count. `own` holds the scores of the company's own model.
    """
    raw = f"{title}. {description}"
    text = " ".join(raw.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    matches = _match_words(text)
    classification = None
    if classifier and words.LATIN.search(text):
        classification = scoring.understood(classifier.classify(raw.removeprefix(". ")))
    # A text that gives orders to the machine is not prioritised by the classifier, only by its words.
    orders = _first(text, matches.found, words.ORDERS) if classification else ""
    tone = None if orders else classification
    raised = _raises(raw, haste=matches.haste, tier=tier)
    urgency = min(50, round(scoring.urgency(matches.level, tone) * 10) + sum(raised.values())) / 10
    category = scoring.category(
        matches.weights,
        matches.matched_words,
        classification,
        own=own,
        foreign=bool(classifier) and _foreign(text),
        length=text.removeprefix(". ").count(" ") + 1,
    )
    by_words, word, tone_words = _sentiment(text, matches.found, level=matches.level)
    sentiment = scoring.sentiment(by_words, word, tone, tone_words.complaints)
    score = _score(matches, urgency=urgency, tier=tier, sentiment=sentiment.value)
    priority = next(band for band, (_, highest) in BANDS.items() if score <= highest)
    asked, cue = _human_words(text, matches.found)
    human = scoring.wants_human(asked, classification, cue=cue)
    pressing = urgency >= PRESSING
    return Triage(
        category=category.value,
        priority=priority,
        priority_score=score,
        urgency=urgency,
        sentiment=sentiment.value,
        assigned_team=TEAM_OF[category.value],
        next_action=next_action(category.value, priority, risk=matches.risk),
        reasons=(
            *category.reasons,
            *_urgency_reasons(matches, urgency=urgency, raised=raised, classified=tone is not None),
            *([f"its words alone count for the priority: it gives orders, {quoted(orders)}"] if orders else []),
            *sentiment.reasons,
            f"priority {priority}: {score} of 100 points",
        ),
        source="learned" if category.learned else "rules",
        certain=category.certain,
        risk=matches.risk,
        category_confidence=round(category.confidence, 3),
        sentiment_confidence=round(sentiment.confidence, 3),
        escalation_score=round(
            scoring.escalation(tone_words, tone, pressing=pressing, human=human, risk=matches.risk), 3
        ),
        wants_human_score=round(human, 3),
    )


def blend(local: Triage, suggestion: Suggestion, *, tier: str) -> Triage:
    """Blends the local triage with the model's suggestion, with a reason for each change.

    A text may manipulate the model. So the model raises the priority by one band at most, sets category and sentiment only
    where the local triage was unsure, and lowers no priority that an always-win rule set. The team of a topic stays.
    """
    urgency = _blended(local.urgency, suggestion.urgency)
    category = local.category if local.certain or suggestion.category not in CATEGORIES else suggestion.category
    takes_sentiment = local.sentiment == "neutral" and suggestion.sentiment in SENTIMENTS
    sentiment = suggestion.sentiment if takes_sentiment else local.sentiment
    priority = _allowed_priority(local, suggestion.priority)
    after = _points(urgency, tier=tier, sentiment=sentiment)
    lowest, highest = BANDS[priority]
    before = _points(local.urgency, tier=tier, sentiment=local.sentiment)
    team_changes = category != local.category and not local.topic_team
    merged = replace(
        local,
        category=category,
        priority=priority,
        priority_score=max(lowest, min(highest, local.priority_score + after - before)),
        urgency=urgency,
        sentiment=sentiment,
        assigned_team=TEAM_OF[category] if team_changes else local.assigned_team,
        next_action=next_action(category, priority, risk=local.risk),
        source="model",
    )
    return replace(merged, reasons=(*local.reasons, *_changes(local, merged, suggested=suggestion.priority)))


def overruled(local: Triage, own: Mapping[str, tuple[str, int, float]]) -> Triage:
    """Overrules fields by the company's own tickets. `own`: by field the value, the most similar ticket and its similarity.

    An always-win rule keeps its priority. The score moves into the band of the priority.
    """
    predictions = {
        field: prediction
        for field, prediction in own.items()
        if prediction[0] != getattr(local, field) and not (field == "priority" and local.risk)
    }
    if not predictions:
        return local
    values = {field: value for field, (value, _, _) in predictions.items()}
    merged = replace(
        local,
        source="learned",
        priority=values.get("priority", local.priority),
        sentiment=values.get("sentiment", local.sentiment),
        assigned_team=values.get("assigned_team", local.assigned_team),
    )
    lowest, highest = BANDS[merged.priority]
    reasons = (
        f"{field} {value}: {scoring.like_ticket(number, similarity)}"
        for field, (value, number, similarity) in predictions.items()
    )
    return replace(
        merged,
        priority_score=max(lowest, min(highest, local.priority_score)),
        next_action=next_action(merged.category, merged.priority, risk=local.risk),
        reasons=(*local.reasons, *(reason.replace("assigned_team", "team", 1) for reason in reasons)),
    )


def _match_words(text: str) -> _WordMatches:
    found = words.FINDER.find(text)
    weights, matched_words = _category(text, found)
    risk = risk_word = ""
    for kind, phrases in words.RISKS.items():
        if risk_word := _first(text, found, phrases):
            risk = kind
            break
    level, level_words = (5, (risk_word,)) if risk else _level(text, found)
    haste, several = _first(text, found, words.HASTE), _first(text, found, words.SEVERAL)
    return _WordMatches(found, weights, matched_words, level, level_words, haste, several, risk, risk_word)


def _human_words(text: str, found: Found) -> tuple[str, bool]:
    """The words that ask for a person, "" without, and whether likeness to such a request counts."""
    if not (no_requests := found.get(words.NO_REQUEST)):
        return _first(text, found, words.WANTS_HUMAN), words.HUMAN_CUE in found
    ends = (0, *(match.end for match in no_requests))
    starts = (*(match.start for match in no_requests), len(text))
    rest = " ".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return _first(rest, words.FINDER.find(rest), words.WANTS_HUMAN), False


def _unnegated(text: str, found: Found, phrases: PhraseList) -> Iterator[str]:
    """Every match without a negation in the 32 characters before it."""
    for start, end, _ in found.get(phrases, ()):
        if not words.NEGATION.search(text, max(0, start - 32), start):
            yield text[start:end]


def _foreign(text: str) -> bool:
    """Whether a text is mostly in other letters or, from four words on, has hardly a common English word."""
    text = text[:2000]
    if text.isascii() and 2 * ENOUGH * sum(map(words.ENGLISH.__contains__, text.split())) > len(text):
        return False  # a quick test: no text has more words than half its characters
    text_words = words.LETTERS.findall(text)
    letters = "".join(text_words)
    if 2 * len(words.LATIN.findall(letters)) < len(letters):
        return True
    return len(text_words) >= 4 and ENOUGH * sum(map(words.ENGLISH.__contains__, text_words)) < len(text_words)


def _first(text: str, found: Found, phrases: PhraseList) -> str:
    return next(_unnegated(text, found, phrases), "") if phrases in found else ""


def _category(text: str, found: Found) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """The sum of the weights of each category's different words, and those words, the strongest first."""
    weights, matched_words = dict.fromkeys(words.CATEGORIES, 0), {}
    for category, phrases in words.CATEGORIES.items():
        if phrases in found:
            by_word = {text[start:end]: STRONG if strong else WEAK for start, end, strong in found[phrases]}
            weights[category] = sum(by_word.values())
            matched_words[category] = tuple(sorted(by_word, key=by_word.__getitem__, reverse=True))
    return weights, matched_words


def _level(text: str, found: Found) -> tuple[int, tuple[str, ...]]:
    """The highest urgency level with a word in the text, and its first words; 2, an ordinary request, without one."""
    for level, phrases in words.URGENCY.items():
        if level_words := tuple(dict.fromkeys(islice(_unnegated(text, found, phrases), 3))):
            return level, level_words
    return 2, ()


def _raises(raw: str, *, haste: str, tier: str) -> dict[str, int]:
    """The reasons that raise the urgency, each with its tenths of a point."""
    signs = {
        "repeated question marks": "?" in raw and words.QUESTION_MARKS.search(raw),
        "a plea in capitals": words.TWO_CAPITALS.search(raw) and words.CAPITALS.search(raw),
        f'asks for haste, "{haste}"': haste,
    }
    raised = {why: SIGN_RAISE for why, sign in signs.items() if sign}
    return raised | ({f"{tier} customer": TIER_RAISES[tier]} if tier in TIER_RAISES else {})


def _sentiment(text: str, found: Found, *, level: int) -> tuple[str, str, scoring.ToneWords]:
    """The sentiment by words, its first word, and the counts of words that tell the tone. A draw is negative."""
    negative = list(_unnegated(text, found, words.NEGATIVE))
    positive = list(_unnegated(text, found, words.POSITIVE))
    polite = list(_unnegated(text, found, words.POLITE))
    complaints = tuple(dict.fromkeys(text[start:end] for start, end, _ in found.get(words.COMPLAINTS, ())))
    counts = scoring.ToneWords(len(negative), complaints, len(positive) + len(polite))
    if level == 1 and not positive:
        positive = polite
    if negative and len(negative) >= len(positive):
        return "negative", negative[0], counts
    return ("positive", positive[0], counts) if positive else ("neutral", "", counts)


def _points(urgency: float, *, tier: str, sentiment: str) -> int:
    return round(URGENCY_POINTS * urgency) + TIER_POINTS.get(tier, 0) + SENTIMENT_POINTS[sentiment]


def _score(matches: _WordMatches, *, urgency: float, tier: str, sentiment: str) -> int:
    signs = (
        HASTE_POINTS * bool(matches.haste) + SEVERAL_POINTS * bool(matches.several) + RISK_POINTS * bool(matches.risk)
    )
    return max(0, min(100, _points(urgency, tier=tier, sentiment=sentiment) + signs))


def _blended(local: float, model: float) -> float:
    if not math.isfinite(model):
        return local
    return round(MODEL_SHARE * max(1.0, min(5.0, model)) + LOCAL_SHARE * local, 1)


def _allowed_priority(local: Triage, suggested: str) -> str:
    """The priority the model may set: at most one band higher, and no lower one than an always-win rule set."""
    local_rank = PRIORITY_RANK[local.priority]
    rank = min(PRIORITY_RANK.get(suggested, local_rank), local_rank + 1)
    return PRIORITIES[(max(rank, local_rank) if local.risk else rank) - 1]


def _urgency_reasons(
    matches: _WordMatches, *, urgency: float, raised: dict[str, int], classified: bool
) -> Iterator[str]:
    ordinary = "by what the text is like" if classified else "an ordinary request"
    yield f"urgency {urgency}: " + (quoted(*matches.level_words) or ordinary)
    yield from (f"raised: {why}" for why in raised)
    if matches.several:
        yield f"more than one person affected: {quoted(matches.several)}"
    if matches.risk:
        yield f"always first, {matches.risk}: {quoted(matches.risk_word)}"


def _changes(local: Triage, merged: Triage, *, suggested: str) -> Iterator[str]:
    if merged.category != local.category:
        yield f"category {merged.category}: the model's view, no word had pointed to a team"
    if merged.sentiment != local.sentiment:
        yield f"sentiment {merged.sentiment}: the model's view"
    if merged.urgency != local.urgency:
        yield f"urgency {merged.urgency}: the model's view and the rules' {local.urgency} together"
    if merged.priority != local.priority:
        yield f"priority {merged.priority}: the model's view, the rules said {local.priority}"
    if suggested != merged.priority and suggested in PRIORITIES:
        yield f"priority kept at {merged.priority}: the model asked for {suggested}, further than it may go"
