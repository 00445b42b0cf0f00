"""Texts into the word pieces of BERT's lower-case vocabulary, in plain Python; no numbers of meaning live here."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

LONGEST_WORD = 100  # characters; longer ones are one unknown word, as for the encoder this vocabulary comes from
MOST_CHARACTERS = 8_000  # of one text; what follows changes no judgement and would only cost time
_REMEMBERED = 50_000

# Words, and single characters of punctuation or of scripts written without spaces. Underscore is punctuation here.
_PIECE = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\w\s]|_"
)
_PLAIN = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_SKIPPED = frozenset({"Mn", "Cc", "Cf", "Cn", "Co", "Cs"})


class WordPiece:
    """Splits by longest match; the same word is split once."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.ids = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown = self.ids["[UNK]"]
        self._known: dict[str, tuple[int, ...]] = {}

    def __call__(self, text: str, most: int) -> list[int]:
        """The first `most` piece numbers of a text, without any marks at its ends."""
        found: list[int] = []
        for word in words(text):
            found.extend(self._split(word))
            if len(found) >= most:
                break
        return found[:most]

    def _split(self, word: str) -> tuple[int, ...]:
        pieces = self._known.get(word)
        if pieces is None:
            pieces = self._longest_match(word) if len(word) <= LONGEST_WORD else (self._unknown,)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[word] = pieces
        return pieces

    def _longest_match(self, word: str) -> tuple[int, ...]:
        found, start = list[int](), 0
        while start < len(word):
            mark = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self.ids.get(mark + word[start:end])
                if number is not None:
                    break
            else:
                return (self._unknown,)
            found.append(number)
            start = end
        return tuple(found)


def words(text: str) -> list[str]:
    """The words and punctuation of a text, in lower case and without accents."""
    text = text[:MOST_CHARACTERS].lower()
    if text.isascii():
        return _PLAIN.findall(text)
    folded = unicodedata.normalize("NFD", text)
    kept = (" " if char.isspace() else char for char in folded if char.isspace() or _category(char) not in _SKIPPED)
    return _PIECE.findall("".join(islice(kept, MOST_CHARACTERS)))


def _category(char: str) -> str:
    return unicodedata.category(char)
