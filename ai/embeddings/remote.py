"""Embeddings of a provider's model: sends masked texts and returns unit vectors. Vectors of articles are stored."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ai.embeddings.minilm import Floats
from core.redaction import mask

AT_ONCE = 16  # texts in one call
MOST_TEXT = 8_000  # characters of a text
QUESTION_SECONDS = 1.5  # a search waits for the vector of its question
BATCH_SECONDS = 20.0


class Embeds(Protocol):
    """The interface of an embedding model. llm.Model implements it."""

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str], *, deadline_seconds: float) -> list[list[float]]:
        """One vector for each text, all of one length. Raises ModelUnavailable."""
        ...

    def close(self) -> None: ...


class Keeps(Protocol):
    """The interface of a store of vectors. database.vector_file.VectorFile implements it."""

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]: ...

    def put(self, vectors: Mapping[bytes, bytes]) -> None: ...

    def close(self) -> None: ...


class RemoteEmbeddings:
    """The vectors of one embedding model. `width` is 0 until the first answer. Each call may raise ModelUnavailable."""

    name = "openai"

    def __init__(self, model: Embeds, store: Keeps) -> None:
        self._model, self._store = model, store
        self.width = 0

    def __bool__(self) -> bool:
        return True

    def learn_width(self) -> None:
        """Asks for one vector, to learn how long they are. Raises ModelUnavailable."""
        if not self.width:
            self._ask(["Hello"], BATCH_SECONDS)

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, width): a unit vector for each passage; zeros for an empty text alone."""
        if list(texts) == [""]:
            return np.zeros((1, self.width), np.float32)
        keys = [self._key(text) for text in texts]
        rows_by_key = {key: np.frombuffer(row, np.float32) for key, row in self._store.get(keys).items()}
        rows_by_key = {key: row for key, row in rows_by_key.items() if len(row) == self.width}
        missing = [(key, text) for key, text in zip(keys, texts, strict=True) if key not in rows_by_key]
        for start in range(0, len(missing), AT_ONCE):
            portion = missing[start : start + AT_ONCE]
            rows = dict(
                zip((key for key, _ in portion), self._ask([text for _, text in portion], BATCH_SECONDS), strict=True)
            )
            self._store.put({key: row.tobytes() for key, row in rows.items()})
            rows_by_key |= rows
        return np.stack([rows_by_key[key] for key in keys])

    def encode_question(self, text: str) -> Floats:
        """float32 (width): the unit vector of a question, which is not kept."""
        vector: Floats = self._ask([text], QUESTION_SECONDS)[0]
        return vector

    def close(self) -> None:
        """Closes connections and file. Asked again, it connects again and keeps nothing more."""
        self._model.close()
        self._store.close()

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._model.name}\0{text}".encode(errors="replace")).digest()

    def _ask(self, texts: Sequence[str], seconds: float) -> Floats:
        sent = [mask(text[:MOST_TEXT]).encode(errors="replace").decode() or " " for text in texts]
        rows = np.array(self._model.embed(sent, deadline_seconds=seconds), np.float32)
        self.width = self.width or rows.shape[1]
        if rows.shape != (len(texts), self.width):
            raise ValueError("the provider's vectors changed their length")
        unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return unit.astype(np.float32)
