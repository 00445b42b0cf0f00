"""Splits texts into the word pieces of BERT's lower-case vocabulary, in plain Python."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

LONGEST_WORD = 100  # characters; a longer word is one unknown piece, as in the original encoder
MOST_CHARACTERS = 8_000  # of one text; the rest is ignored to save time
_MAX_CACHED = 50_000

# Words, single signs of punctuation, and single characters of scripts without spaces. Underscore is punctuation.
_PIECE = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\w\s]|_"
)
_PLAIN = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_REMOVED = frozenset({"Mn", "Cc", "Cf", "Cn", "Co", "Cs"})


class WordPiece:
    """Splits words by longest match, and caches the result."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.ids = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown = self.ids["[UNK]"]
        self._cache: dict[str, tuple[int, ...]] = {}

    def __call__(self, text: str, most: int) -> list[int]:
        """The first `most` piece numbers of a text, without marks at the ends."""
        numbers: list[int] = []
        known = self._cache
        for word in words(text):
            numbers += known.get(word) or self._split_word(word)
            if len(numbers) >= most:
                break
        return numbers[:most]

    def _split_word(self, word: str) -> tuple[int, ...]:
        pieces = self._longest_match(word) if len(word) <= LONGEST_WORD else (self._unknown,)
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
        self._cache[word] = pieces
        return pieces

    def _longest_match(self, word: str) -> tuple[int, ...]:
        numbers, start = list[int](), 0
        while start < len(word):
            mark = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self.ids.get(mark + word[start:end])
                if number is not None:
                    break
            else:
                return (self._unknown,)
            numbers.append(number)
            start = end
        return tuple(numbers)


def words(text: str) -> list[str]:
    """The words and punctuation of a text, in lower case and without accents."""
    text = text[:MOST_CHARACTERS].lower()
    if text.isascii():
        return _PLAIN.findall(text)
    decomposed = unicodedata.normalize("NFD", text)
    characters = (
        " " if char.isspace() else char for char in decomposed if char.isspace() or _category(char) not in _REMOVED
    )
    return _PIECE.findall("".join(islice(characters, MOST_CHARACTERS)))


def _category(char: str) -> str:
    return unicodedata.category(char)
