"""Counts of the words of a text, hashed into a table: what a classifier reads beside the embedding."""

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ai.arrays import Floats

Places = NDArray[np.intp]

PLACES = 2_048  # size of the table in which words and pairs of words are counted
_WORD = re.compile(r"[^\W_]+")
_LOGARITHMS = np.log1p(np.arange(801, dtype=np.float32))  # of one and each count; a text has at most 799


class WordTable:
    """How rare each word is in the training texts. A text is a unit vector of its counts times their rarity (TF-IDF)."""

    def __init__(self, rarity: Floats) -> None:
        self.rarity = rarity

    @classmethod
    def learn(cls, texts: Sequence[str]) -> tuple["WordTable", Floats]:
        """The table of these texts and their vectors, float32 (n, PLACES): zeros for a text without a word."""
        vectors = np.zeros((len(texts), PLACES), np.float32)
        for row, text in enumerate(texts):
            places, counts = count_words(text)
            vectors[row, places] = counts
        holders = np.count_nonzero(vectors, axis=0)
        rarity = (np.log((1 + len(texts)) / (1 + holders)) + 1).astype(np.float32)
        vectors *= rarity
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        vectors /= np.maximum(lengths, np.float32(1e-12))[:, None]
        return cls(rarity), vectors

    def product(self, text: str, matrix: Floats) -> Floats:
        """The unit vector of a text times a matrix (PLACES, m): reads only the rows of the words of the text."""
        places, counts = count_words(text)
        weights = counts * self.rarity[places]
        result: Floats = weights @ matrix[places] / max(float(weights @ weights) ** 0.5, 1e-12)
        return result


@lru_cache(maxsize=8)
def count_words(text: str) -> tuple[Places, Floats]:
    """The places of the words and pairs of words of a text, and log(1 + count) of each. Cached for the classifiers of one text."""
    words = _WORD.findall(text[:4_000].lower())[:400]
    encoded = [b" " + word.encode("utf-8", "replace") for word in words]
    singles = [zlib.crc32(word[1:]) for word in encoded]
    pairs = map(zlib.crc32, encoded[1:], singles)  # continues the sum of a word with the next one
    counts: dict[int, int] = {}
    for hashed in (*singles, *pairs):
        place = hashed % PLACES
        counts[place] = counts.get(place, 0) + 1
    return np.array(list(counts), np.intp), _LOGARITHMS[list(counts.values())]
