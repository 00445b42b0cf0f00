"""Triage by words and by meaning, each decision with its reasons, and its blend with a language model's view.

No HTTP, storage, environment or model client here; the words are in triage_words.py, likeness is judged in meaning.py.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from ai.triage import scoring
from ai.triage import word_lists as words
from ai.triage.scoring import quoted
from ai.triage.text_classifier import Meaning
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

# What raises urgency above its words, in tenths of a point.
SIGN_RAISE = 5  # each of: repeated question marks, a plea in capitals, a word of haste
TIER_RAISES = {"premium": 2, "enterprise": 4}
PRESSING = 4.5  # from here on work has stopped
STRONG, WEAK = 3, 1  # one strong category word outweighs two weak ones
MODEL_SHARE, LOCAL_SHARE = 0.6, 0.4  # the blend of the first published system


class View(Protocol):
    """What a language model thinks of a ticket."""

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
    """One decision about a ticket and why; `risk` names the always-win rule that set the priority, if one did.

    `topic` is the company's own label, and `topic_team` the team that alone decided, each "" without one.
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


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the words of one text said, before anything is weighed."""

    weights: dict[str, int]
    named: dict[str, tuple[str, ...]]
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
    meaning: Meaning | None = None,
    own: scoring.Own | None = None,
) -> Triage:
    """Any title and description in, the whole decision with its reasons out; the same in always gives the same out.

    Without a `meaning` the words decide alone; `own` is what the company's own tickets say of the text.
    """
    raw = f"{title}. {description}"
    text = " ".join(raw.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    heard = _listen(text)
    readable = meaning is not None and words.LATIN.search(text)
    hint = scoring.understood(meaning.judge(raw.removeprefix(". "))) if meaning and readable else None
    # A text that gives orders may raise its priority by what it says, as any other, but not by what it sounds like.
    orders = _first(words.ORDERS, text) if hint else ""
    tone = None if orders else hint
    raised = _raises(raw, haste=heard.haste, tier=tier)
    urgency = min(50, round(scoring.urgency(heard.level, tone) * 10) + sum(raised.values())) / 10
    category = scoring.category(heard.weights, heard.named, hint, own=own, foreign=bool(meaning) and _foreign(text))
    spoken, felt, grumbles = _sentiment(text, level=heard.level)
    sentiment = scoring.sentiment(spoken, felt, tone)
    score = _score(heard, urgency=urgency, tier=tier, sentiment=sentiment.value)
    priority = next(band for band, (_, highest) in BANDS.items() if score <= highest)
    human = scoring.wants_human(_first(words.WANTS_HUMAN, text), hint)
    pressing = urgency >= PRESSING
    return Triage(
        category=category.value,
        priority=priority,
        priority_score=score,
        urgency=urgency,
        sentiment=sentiment.value,
        assigned_team=TEAM_OF[category.value],
        next_action=_next_action(category.value, priority, risk=heard.risk),
        reasons=(
            *category.reasons,
            *_spoken(heard, urgency=urgency, raised=raised, likened=tone is not None),
            *([f"its words alone count for the priority: it gives orders, {quoted(orders)}"] if orders else []),
            *sentiment.reasons,
            f"priority {priority}: {score} of 100 points",
        ),
        source="learned" if category.learned else "rules",
        certain=category.certain,
        risk=heard.risk,
        category_confidence=round(category.confidence, 3),
        sentiment_confidence=round(sentiment.confidence, 3),
        escalation_score=round(scoring.escalation(grumbles, tone, pressing=pressing, human=human, risk=heard.risk), 3),
        wants_human_score=round(human, 3),
    )


def blend(local: Triage, suggestion: View, *, tier: str) -> Triage:
    """The rules' triage and a model's view in, one triage of both out, with a reason for each change.

    A text may try to talk the model into anything, so the model raises the priority by one band at most, fills in
    category and sentiment only where the rules had none, and lowers nothing that an always-win rule set. The team that a
    sure topic decided stays, whatever the category.
    """
    urgency = _blended(local.urgency, suggestion.urgency)
    category = local.category if local.certain or suggestion.category not in CATEGORIES else suggestion.category
    may_feel = local.sentiment == "neutral" and suggestion.sentiment in SENTIMENTS
    sentiment = suggestion.sentiment if may_feel else local.sentiment
    priority = _allowed(local, suggestion.priority)
    after = _points(urgency, tier=tier, sentiment=sentiment)
    lowest, highest = BANDS[priority]
    before = _points(local.urgency, tier=tier, sentiment=local.sentiment)
    follows = category != local.category and not local.topic_team
    merged = replace(
        local,
        category=category,
        priority=priority,
        priority_score=max(lowest, min(highest, local.priority_score + after - before)),
        urgency=urgency,
        sentiment=sentiment,
        assigned_team=TEAM_OF[category] if follows else local.assigned_team,
        next_action=_next_action(category, priority, risk=local.risk),
        source="model",
    )
    return replace(merged, reasons=(*local.reasons, *_changes(local, merged, asked=suggestion.priority)))


def overruled(local: Triage, own: Mapping[str, tuple[str, int, float]]) -> Triage:
    """A triage and what the company's own tickets say instead, in: by field the value, the ticket most like it and how like.

    An always-win rule keeps its priority; the score moves into the band of the priority.
    """
    allowed = {
        field: said
        for field, said in own.items()
        if said[0] != getattr(local, field) and not (field == "priority" and local.risk)
    }
    if not allowed:
        return local
    values = {field: value for field, (value, _, _) in allowed.items()}
    merged = replace(
        local,
        source="learned",
        priority=values.get("priority", local.priority),
        sentiment=values.get("sentiment", local.sentiment),
        assigned_team=values.get("assigned_team", local.assigned_team),
    )
    lowest, highest = BANDS[merged.priority]
    reasons = (
        f"{field} {value}: {scoring.like_ticket(number, near)}" for field, (value, number, near) in allowed.items()
    )
    return replace(
        merged,
        priority_score=max(lowest, min(highest, local.priority_score)),
        next_action=_next_action(merged.category, merged.priority, risk=local.risk),
        reasons=(*local.reasons, *(reason.replace("assigned_team", "team", 1) for reason in reasons)),
    )


def _listen(text: str) -> _Heard:
    weights, named = _category(text)
    risk, risk_word = next(((kind, word) for kind, p in words.RISKS.items() if (word := _first(p, text))), ("", ""))
    level, level_words = (5, (risk_word,)) if risk else _level(text)
    haste, several = _first(words.HASTE, text), _first(words.SEVERAL, text)
    return _Heard(weights, named, level, level_words, haste, several, risk, risk_word)


def _said(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Every match that no negation right before it takes away; 32 characters hold any negation worth hearing."""
    for match in pattern.finditer(text):
        if not words.NEGATION.search(text, max(0, match.start() - 32), match.start()):
            yield match


def _foreign(text: str) -> bool:
    """Whether a text is written in other letters or, when of some length, has hardly a word that every English text has."""
    found = words.LETTERS.findall(text[:2000])
    if 2 * len(words.LATIN.findall("".join(found))) < len("".join(found)):
        return True
    return len(found) >= 4 and sum(word in words.ENGLISH for word in found) < len(found) / 20


def _first(pattern: re.Pattern[str], text: str) -> str:
    return next((match[0] for match in _said(pattern, text)), "")


def _category(text: str) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """What the different words of each category weigh (the earlier in the table wins a draw), and those words."""
    weights, named = {}, {}
    for category, pattern in words.CATEGORIES.items():
        found = {match[0]: STRONG if match["strong"] else WEAK for match in pattern.finditer(text)}
        weights[category] = sum(found.values())
        named[category] = tuple(sorted(found, key=found.__getitem__, reverse=True))
    return weights, named


def _level(text: str) -> tuple[int, tuple[str, ...]]:
    """The most urgent tier that has a word in the text, and its first words; 2, an ordinary request, when none has."""
    for level, pattern in words.URGENCY.items():
        if found := tuple(dict.fromkeys(match[0] for match in islice(_said(pattern, text), 3))):
            return level, found
    return 2, ()


def _raises(raw: str, *, haste: str, tier: str) -> dict[str, int]:
    """What lifts the urgency and by how many tenths, in the words of a reason."""
    heard = {
        "repeated question marks": words.QUESTION_MARKS.search(raw),
        "a plea in capitals": words.CAPITALS.search(raw),
        f'asks for haste, "{haste}"': haste,
    }
    raised = {why: SIGN_RAISE for why, sign in heard.items() if sign}
    return raised | ({f"{tier} customer": TIER_RAISES[tier]} if tier in TIER_RAISES else {})


def _sentiment(text: str, *, level: int) -> tuple[str, str, int]:
    """The stronger feeling, its first word and how many angry ones; a draw is negative: a missed complaint costs more."""
    negative = [match[0] for match in _said(words.NEGATIVE, text)]
    positive = [match[0] for match in _said(words.POSITIVE, text)]
    if level == 1 and not positive:
        positive = [match[0] for match in _said(words.POLITE, text)]
    if negative and len(negative) >= len(positive):
        return "negative", negative[0], len(negative)
    return ("positive", positive[0], len(negative)) if positive else ("neutral", "", 0)


def _points(urgency: float, *, tier: str, sentiment: str) -> int:
    return round(URGENCY_POINTS * urgency) + TIER_POINTS.get(tier, 0) + SENTIMENT_POINTS[sentiment]


def _score(heard: _Heard, *, urgency: float, tier: str, sentiment: str) -> int:
    signs = HASTE_POINTS * bool(heard.haste) + SEVERAL_POINTS * bool(heard.several) + RISK_POINTS * bool(heard.risk)
    return max(0, min(100, _points(urgency, tier=tier, sentiment=sentiment) + signs))


def _blended(local: float, model: float) -> float:
    if not math.isfinite(model):
        return local
    return round(MODEL_SHARE * max(1.0, min(5.0, model)) + LOCAL_SHARE * local, 1)


def _allowed(local: Triage, asked: str) -> str:
    """The priority the model may set: one band up at most, none down where an always-win rule spoke."""
    ours = PRIORITY_RANK[local.priority]
    rank = min(PRIORITY_RANK.get(asked, ours), ours + 1)
    return PRIORITIES[(max(rank, ours) if local.risk else rank) - 1]


def _spoken(heard: _Heard, *, urgency: float, raised: dict[str, int], likened: bool) -> Iterator[str]:
    ordinary = "by what the text is like" if likened else "an ordinary request"
    yield f"urgency {urgency}: " + (quoted(*heard.level_words) or ordinary)
    yield from (f"raised: {why}" for why in raised)
    if heard.several:
        yield f"more than one person affected: {quoted(heard.several)}"
    if heard.risk:
        yield f"always first, {heard.risk}: {quoted(heard.risk_word)}"


def _changes(local: Triage, merged: Triage, *, asked: str) -> Iterator[str]:
    if merged.category != local.category:
        yield f"category {merged.category}: the model's view, no word had pointed to a team"
    if merged.sentiment != local.sentiment:
        yield f"sentiment {merged.sentiment}: the model's view"
    if merged.urgency != local.urgency:
        yield f"urgency {merged.urgency}: the model's view and the rules' {local.urgency} together"
    if merged.priority != local.priority:
        yield f"priority {merged.priority}: the model's view, the rules said {local.priority}"
    if asked != merged.priority and asked in PRIORITIES:
        yield f"priority kept at {merged.priority}: the model asked for {asked}, further than it may go"


def _next_action(category: str, priority: str, *, risk: str) -> str:
    return words.RISK_STEPS[risk] if risk else words.LEADS[priority] + words.STEPS[category]
