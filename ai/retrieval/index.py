"""The index of one company's articles: finds passages by words (BM25) and by meaning (embeddings), in memory.

A passage's score is a weighted sum of two parts between 0 and 1: how much of the question's words it holds, and the cosine
of the vectors. A sum keeps "there is no answer" visible, which a fusion of ranks does not.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ai.arrays import Floats
from ai.retrieval.passages import Passage, cut

Terms = Callable[[str], list[str]]  # the words of a text in their basic form, in order

# BM25 with its usual constants (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework").
SATURATION, LENGTH_SHARE = 1.2, 0.75
# The share of meaning in the score by tier, chosen on questions about two collections of articles.
MEANING_SHARE = {"static": 0.3, "minilm": 0.5, "openai": 0.5}
# The score from which a passage is sent to a customer. On two collections it was the wrong one for 1 to 4 questions of 100,
# and for none of 120 questions that no article answers. MiniLM reaches it for 60 of 100 questions, the static table for 20.
ANSWER_SCORE = 0.45
TELLING_SCORE = 0.12  # the score from which a passage is shown to the model
LEAST_SCORE = 0.02  # below it a passage has nothing to do with the question
ENCODED_AT_ONCE = 16
MOST_SENTENCES = 3  # of a passage that are shown
# Words are as rare as if this many more passages were there, half of which hold each function word. In a collection of
# few articles "the" would else count as much as "refund".
BACKGROUND = 100
FUNCTION_WORDS = frozenset(
    "a about after all also am an and any are as at be been but by can could did do does for from get had has have he her "
    "his how i if in into is it its just like me my no not of off on one or our out over please she should so some than "
    "that the their them then there they this to too up us was we were what when where which who why will with would you "
    "your".split()
)


class Encodes(Protocol):
    """Embeddings: local ones (ai.embeddings.Embeddings) or those of a provider."""

    @property
    def name(self) -> str: ...

    def __bool__(self) -> bool: ...

    def encode(self, texts: Sequence[str]) -> Floats: ...

    def encode_question(self, text: str) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Article:
    """An article as it is indexed."""

    title: str
    body: str
    version: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer a question: its matching sentences, its score from 0 to 1, and the whole passage."""

    article_id: str
    title: str
    heading: str
    passage: str
    score: float
    whole: str = ""


@dataclass(slots=True)
class _Entry:
    """One article: its passages, and for each passage its terms, their counts and its vector (zeros until it is encoded)."""

    article: Article
    passages: list[Passage]
    places: NDArray[np.int32]  # the passage of each term, from 0 within the article
    terms: NDArray[np.int32]
    counts: Floats
    lengths: Floats
    vectors: Floats
    encoded: int = 0  # passages


@dataclass(frozen=True, slots=True)
class _Flat:
    """All entries as arrays. The postings of term t are `places[starts[t]:starts[t + 1]]`, with their `weights`."""

    entries: list[tuple[str, _Entry]] = field(default_factory=list)
    first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # the first passage of each entry
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    places: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    rarity: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))


class ArticleIndex:
    """The passages of one company. Threads share it; a search sees one state of it."""

    def __init__(self, embeddings: Encodes, terms: Terms) -> None:
        self._embeddings, self._terms = embeddings, terms
        self._lock, self._encoding = threading.Lock(), threading.Lock()
        self._vocabulary: dict[str, int] = {}
        self._function_words = {*terms(" ".join(sorted(FUNCTION_WORDS)))}
        self._entries: dict[str, _Entry] = {}
        self._flat = _Flat()

    @property
    def versions(self) -> dict[str, int]:
        """The version of each article that is indexed, by id."""
        return {article_id: entry.article.version for article_id, entry in self._entries.items()}

    @property
    def is_encoded(self) -> bool:
        """Whether every passage has a vector."""
        return self._unencoded() is None

    def update(self, changed: Mapping[str, Article], removed: Collection[str] = ()) -> None:
        """Indexes new and changed articles by their words, and drops removed ones. Vectors follow with `encode`."""
        with self._lock:
            entries = {key: entry for key, entry in self._entries.items() if key not in removed}
            entries |= {key: self._entry(article) for key, article in changed.items()}
            self._entries, self._flat = entries, self._flatten(entries)

    def encode(self, *, seconds: float) -> bool:
        """Encodes passages that have no vector yet, for about this time. Returns whether all have one.

        One thread at a time does so; another one returns at once.
        """
        if not self._encoding.acquire(blocking=False):
            return False
        try:
            return self._encode(time.monotonic() + seconds)
        finally:
            self._encoding.release()

    def _encode(self, ends: float) -> bool:
        changed = False
        while (entry := self._unencoded()) and time.monotonic() < ends:
            start, end = entry.encoded, entry.encoded + ENCODED_AT_ONCE
            texts = [_text(entry.article, passage) for passage in entry.passages[start:end]]
            entry.vectors[start:end] = self._embeddings.encode(texts)
            entry.encoded, changed = end, True
        if changed:
            with self._lock:
                self._flat = self._flatten(self._entries)
        return entry is None

    def search(self, question: str, count: int) -> list[Hit]:
        """The best passages for a question, at most one of each article, the best first."""
        flat = self._flat
        if not len(flat.vectors):
            return []
        names = list(dict.fromkeys(self._terms(question)))
        scores = self._scores(flat, names, question)
        best_scores = np.maximum.reduceat(scores, flat.first)  # of each article
        articles = np.argsort(-best_scores, kind="stable")[:count]
        return [self._hit(flat, int(place), scores, names) for place in articles if best_scores[place] >= LEAST_SCORE]

    def _scores(self, flat: _Flat, names: Sequence[str], question: str) -> Floats:
        """The score of every passage."""
        known, strange = list[int](), 0  # words of no article count as the rarest, but for function words
        for name in names:
            number = self._vocabulary.get(name, len(flat.starts))
            if number + 1 < len(flat.starts) and flat.starts[number] < flat.starts[number + 1]:
                known.append(number)
            else:
                strange += name not in self._function_words
        words = np.zeros(len(flat.vectors), np.float32)
        for number in known:
            postings = slice(flat.starts[number], flat.starts[number + 1])
            words[flat.places[postings]] += flat.weights[postings]
        most = float(flat.rarity[known].sum()) + strange * _rarity(np.zeros(1), len(flat.vectors))[0]
        words /= max(most * (SATURATION + 1), 1e-9)
        share = MEANING_SHARE.get(self._embeddings.name, 0.0)
        if not share:
            return words
        vector = self._embeddings.encode_question(question)
        scores: Floats = (1 - share) * words + share * np.maximum(flat.vectors @ vector, 0)
        return scores

    def _hit(self, flat: _Flat, place: int, scores: Floats, names: Sequence[str]) -> Hit:
        """The best passage of the article at this place."""
        article_id, entry = flat.entries[place]
        start = int(flat.first[place])
        best = int(scores[start : start + len(entry.passages)].argmax())
        passage = entry.passages[best]
        numbers = {name: self._vocabulary.get(name, len(flat.rarity)) for name in names}
        rarity = {name: float(flat.rarity[number]) for name, number in numbers.items() if number < len(flat.rarity)}
        sentences = matching_sentences(passage.sentences, rarity, self._terms)
        score = min(1.0, round(float(scores[start + best]), 3))
        whole = " ".join(passage.sentences)
        return Hit(article_id, entry.article.title, passage.heading, " ".join(sentences), score, whole)

    def _entry(self, article: Article) -> _Entry:
        passages = cut(article.body) or [Passage("", ())]
        counted = [Counter(self._terms(_text(article, passage))) for passage in passages]
        vocabulary = self._vocabulary
        terms = [vocabulary.setdefault(name, len(vocabulary)) for counts in counted for name in counts]
        return _Entry(
            article,
            passages,
            np.repeat(np.arange(len(passages), dtype=np.int32), [len(counts) for counts in counted]),
            np.array(terms, np.int32),
            np.array([count for counts in counted for count in counts.values()], np.float32),
            np.array([counts.total() for counts in counted], np.float32),
            np.zeros((len(passages), self._width), np.float32),
        )

    @property
    def _width(self) -> int:
        return self._embeddings.encode([""]).shape[1] if self._embeddings else 0

    def _unencoded(self) -> _Entry | None:
        if not self._embeddings:
            return None
        with self._lock:
            return next((entry for entry in self._entries.values() if entry.encoded < len(entry.passages)), None)

    def _flatten(self, entries: Mapping[str, _Entry]) -> _Flat:
        if not entries:
            return _Flat()
        all_entries = list(entries.items())
        sizes = np.array([len(entry.passages) for _, entry in all_entries])
        first = np.concatenate([[0], sizes.cumsum()])[:-1]
        lengths = np.concatenate([entry.lengths for _, entry in all_entries])
        places = np.concatenate(
            [entry.places + np.int32(start) for (_, entry), start in zip(all_entries, first, strict=True)]
        )
        terms = np.concatenate([entry.terms for _, entry in all_entries])
        counts = np.concatenate([entry.counts for _, entry in all_entries])
        occurrences = np.bincount(terms, minlength=len(self._vocabulary))
        usual = np.zeros(len(self._vocabulary))
        usual[[number for name in self._function_words if (number := self._vocabulary.get(name)) is not None]] = 0.5
        rarity = _rarity(occurrences + usual * BACKGROUND, len(lengths))
        norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * lengths / max(lengths.mean(), 1))
        weights = rarity[terms] * counts * (SATURATION + 1) / (counts + norm[places])
        order = np.argsort(terms, kind="stable")
        return _Flat(
            all_entries,
            first,
            np.concatenate([[0], occurrences.cumsum()]),
            places[order],
            weights[order].astype(np.float32),
            rarity,
            np.concatenate([entry.vectors for _, entry in all_entries]),
        )


def matching_sentences(sentences: Sequence[str], rarity: Mapping[str, float], terms: Terms) -> list[str]:
    """The sentences that hold most of the question's words, in their order; the first ones when none holds any."""
    weights = [sum(rarity.get(name, 0.0) for name in {*terms(sentence)}) for sentence in sentences]
    most = max(weights, default=0.0)
    if not most:
        return list(sentences[:2])
    good = sorted(range(len(sentences)), key=lambda place: -weights[place])[:MOST_SENTENCES]
    return [sentences[place] for place in sorted(good) if weights[place] >= most / 2]


def _rarity(occurrences: Floats | NDArray[np.int64], passages: int) -> Floats:
    """The inverse document frequency of BM25 among these passages and BACKGROUND others, never negative."""
    rarity: Floats = np.log1p((passages + BACKGROUND - occurrences + 0.5) / (occurrences + 0.5)).astype(np.float32)
    return rarity


def _text(article: Article, passage: Passage) -> str:
    """What is indexed of a passage: title and heading in front, as they say what it is about."""
    return ". ".join(filter(None, (article.title, passage.heading, passage.text)))
