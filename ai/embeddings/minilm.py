"""The full sentence encoder all-MiniLM-L6-v2 in numpy: six layers of attention over word pieces, averaged.

Only arithmetic and its weights' file; which encoder is used is chosen in ai/embeddings/__init__.py.
"""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai.embeddings.wordpiece import WordPiece

Floats = NDArray[np.float32]

LAYERS, HEADS, WIDTH = 6, 12, 384
MOST_PIECES = 254  # and a mark at each end
TOGETHER = 512  # pieces worked on at once: bounds the memory of a batch
_TAIL = [np.float32(factor) for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]
_TYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}


class _Dense(NamedTuple):
    """One linear step; the weights are turned once, which BLAS rewards on short texts."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        found: Floats = x @ self.weight
        found += self.bias
        return found


class _Layer(NamedTuple):
    ask: _Dense  # query, key and value side by side
    out: _Dense
    out_norm: tuple[Floats, Floats]
    widen: _Dense
    narrow: _Dense
    narrow_norm: tuple[Floats, Floats]


class MiniLM:
    """Turns texts into unit vectors of 384 numbers. Of the words' table only the rows that are used are ever read."""

    def __init__(self, folder: Path) -> None:
        w = _read(folder / "model.safetensors")
        vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        self.pieces = WordPiece(vocabulary[:-1] if vocabulary[-1] == "" else vocabulary)
        self._words = w["embeddings.word_embeddings.weight"]
        self._places = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        self._first_norm = w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"]
        self._layers = [_layer(w, number) for number in range(LAYERS)]

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text."""
        first, last = self.pieces.ids["[CLS]"], self.pieces.ids["[SEP]"]
        split = [[first, *self.pieces(text, MOST_PIECES), last] for text in texts]
        return self.encode_pieces(split)

    def encode_pieces(self, split: Sequence[Sequence[int]], *, together: int = TOGETHER) -> Floats:
        """The same for texts already split, marks included; like lengths are worked on together."""
        found = np.zeros((len(split), WIDTH), np.float32)
        order = sorted(range(len(split)), key=lambda i: len(split[i]))
        while order:
            most = max(1, together // len(split[order[-1]]))
            batch, order = order[-most:], order[:-most]
            found[batch] = self._forward([split[i] for i in batch])
        return found

    def _forward(self, split: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, split))
        ids = np.zeros((len(split), longest), np.int64)
        there = np.zeros((len(split), longest), np.float32)
        for row, pieces in enumerate(split):
            ids[row, : len(pieces)], there[row, : len(pieces)] = pieces, 1
        x = _normed(self._words[ids] + self._places[:longest], self._first_norm)
        hidden = (1 - there)[:, None, None, :] * np.float32(-1e9)
        for layer in self._layers:
            x = _normed(x + layer.out(_attention(layer, x, hidden)), layer.out_norm)
            x = _normed(x + layer.narrow(_gelu(layer.widen(x))), layer.narrow_norm)
        mean = (x * there[:, :, None]).sum(1) / there.sum(1)[:, None]
        return unit(mean)


def unit(vectors: Floats) -> Floats:
    """Every row at length one; a row of nothing stays nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found


def _attention(layer: _Layer, x: Floats, hidden: Floats) -> Floats:
    texts, length, _ = x.shape
    query, key, value = layer.ask(x).reshape(texts, length, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2)
    scores *= np.float32((WIDTH // HEADS) ** -0.5)
    scores += hidden
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    found: Floats = (scores @ value).swapaxes(1, 2).reshape(texts, length, WIDTH)
    return found


def _normed(x: Floats, scale: tuple[Floats, Floats]) -> Floats:
    x = x - x.mean(-1, keepdims=True)
    x /= np.sqrt(np.einsum("...i,...i->...", x, x)[..., None] / np.float32(WIDTH) + np.float32(1e-12))
    x *= scale[0]
    x += scale[1]
    return x


def _gelu(x: Floats) -> Floats:
    """x·Φ(x), with the error function after Abramowitz and Stegun 7.1.26 (off by less than 2e-7)."""
    size = np.abs(x)
    z = size * np.float32(0.5**0.5)
    t = z * np.float32(0.3275911)
    t += 1
    np.reciprocal(t, out=t)
    tail = t * _TAIL[0]
    for factor in _TAIL[1:]:
        tail += factor
        tail *= t
    z *= z
    tail *= np.exp(-z)
    tail *= size
    tail *= np.float32(0.5)
    gelu: Floats = np.maximum(x, 0)
    gelu -= tail
    return gelu


def _layer(w: dict[str, Floats], number: int) -> _Layer:
    at = f"encoder.layer.{number}."

    def dense(*names: str) -> _Dense:
        weights, biases = ([w[f"{at}{name}.{kind}"] for name in names] for kind in ("weight", "bias"))
        return _Dense(np.ascontiguousarray(np.concatenate(weights).T), np.concatenate(biases))

    def norm(name: str) -> tuple[Floats, Floats]:
        return w[f"{at}{name}.LayerNorm.weight"][:], w[f"{at}{name}.LayerNorm.bias"][:]

    return _Layer(
        ask=dense(*(f"attention.self.{name}" for name in ("query", "key", "value"))),
        out=dense("attention.output.dense"),
        out_norm=norm("attention.output"),
        widen=dense("intermediate.dense"),
        narrow=dense("output.dense"),
        narrow_norm=norm("output"),
    )


def _read(path: Path) -> dict[str, Any]:
    """The arrays of a safetensors file, mapped into memory one by one. Raises OSError, ValueError or KeyError."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("the file's head is longer than the file")
        head = json.loads(file.read(length))
    found = {}
    for name, what in head.items():
        if name != "__metadata__":
            start = 8 + length + what["data_offsets"][0]
            shape = tuple(what["shape"])
            found[name.removeprefix("bert.")] = np.memmap(path, _TYPES[what["dtype"]], "r", start, shape)
    return found
