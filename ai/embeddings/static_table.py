"""The static embeddings: one small vector per word piece. The vector of a text is their sum.

tools/models/make_static_table.py makes the file.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai.embeddings.minilm import Floats
from ai.embeddings.wordpiece import WordPiece

MOST_PIECES = 512


class TableError(Exception):
    """The table cannot be used. The text of the exception is the reason."""


class TokenTable:
    """Turns texts into unit vectors: the sum of the vectors of the pieces, without regard to their order."""

    def __init__(self, path: Path) -> None:
        """Raises TableError."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                self._numbers: NDArray[np.int8] = file["numbers"]
                self._scales = file["scales"].astype(np.float32)
                vocabulary = file["vocabulary"].tobytes().decode("utf-8").split("\n")
                self.about: dict[str, Any] = json.loads(file["about"].tobytes())
            self.pieces = WordPiece(vocabulary)
            self._unknown = self.pieces.ids["[UNK]"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
            raise TableError(f"{path.name} cannot be read ({type(error).__name__})") from error
        if self._numbers.dtype != np.int8 or self._numbers.shape[:1] != (len(vocabulary),) != self._scales.shape:
            raise TableError(f"{path.name} does not hold one vector for each piece")
        self.width = self._numbers.shape[1]

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text, zeros for a text without a known piece."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        for row, text in enumerate(texts):
            ids = [piece for piece in self.pieces(text, MOST_PIECES) if piece != self._unknown]
            if ids:
                rows = np.array(ids)
                vector = self._scales[rows] @ self._numbers[rows].astype(np.float32)
                vectors[row] = vector / max(float(vector @ vector) ** 0.5, 1e-12)
        return vectors


def write_table(path: Path, vectors: Floats, *, vocabulary: Sequence[str], about: dict[str, Any]) -> None:
    """Writes a table: each vector as whole numbers up to 127 and one scale. The same input gives the same bytes."""
    scales = np.maximum(np.abs(vectors).max(1), 1e-12) / 127
    numbers = np.round(vectors / scales[:, None]).astype(np.int8)
    np.savez(
        path,
        numbers=numbers,
        scales=scales.astype(np.float16),
        vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
        about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
    )
