"""The sentence encoder all-MiniLM-L6-v2 in numpy: six layers of attention over word pieces, then their mean.

ai/embeddings/__init__.py chooses the encoder.
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
MOST_PIECES = 254  # without the marks at both ends
BATCH_PIECES = 512  # pieces per batch: limits the memory
_TAIL = [np.float32(factor) for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]
_TYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}


class _Dense(NamedTuple):
    """A linear layer. The weights are transposed in advance, because that is faster for short texts."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        result: Floats = x @ self.weight
        result += self.bias
        return result


class _Layer(NamedTuple):
    query_key_value: _Dense
    attention_output: _Dense
    attention_norm: tuple[Floats, Floats]
    widen: _Dense
    narrow: _Dense
    narrow_norm: tuple[Floats, Floats]


class MiniLM:
    """Turns texts into unit vectors of 384 numbers. Only the used rows of the word table are read from disk."""

    def __init__(self, folder: Path) -> None:
        w = _read(folder / "model.safetensors")
        vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        self.pieces = WordPiece(vocabulary[:-1] if vocabulary[-1] == "" else vocabulary)
        self._words = w["embeddings.word_embeddings.weight"]
        self._positions = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        self._first_norm = w["embeddings.LayerNorm.weight"], w["embeddings.LayerNorm.bias"]
        self._layers = [_layer(w, number) for number in range(LAYERS)]

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text."""
        first, last = self.pieces.ids["[CLS]"], self.pieces.ids["[SEP]"]
        return self.encode_pieces([[first, *self.pieces(text, MOST_PIECES), last] for text in texts])

    def encode_pieces(self, texts: Sequence[Sequence[int]], *, batch_pieces: int = BATCH_PIECES) -> Floats:
        """One unit vector per text of piece numbers, marks included. Texts of similar length form a batch."""
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        while order:
            size = max(1, batch_pieces // len(texts[order[-1]]))
            batch, order = order[-size:], order[:-size]
            vectors[batch] = self._forward([texts[i] for i in batch])
        return vectors

    def _forward(self, texts: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, texts))
        ids = np.zeros((len(texts), longest), np.int64)
        mask = np.zeros((len(texts), longest), np.float32)  # 1 for a piece, 0 for padding
        for row, pieces in enumerate(texts):
            ids[row, : len(pieces)], mask[row, : len(pieces)] = pieces, 1
        x = _layer_norm(self._words[ids] + self._positions[:longest], self._first_norm)
        padding = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in self._layers:
            x = _layer_norm(x + layer.attention_output(_attention(layer, x, padding)), layer.attention_norm)
            x = _layer_norm(x + layer.narrow(_gelu(layer.widen(x))), layer.narrow_norm)
        mean = (x * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        return unit(mean)


def unit(vectors: Floats) -> Floats:
    """The rows scaled to length one. A row of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return result


def _attention(layer: _Layer, x: Floats, padding: Floats) -> Floats:
    texts, length, _ = x.shape
    query, key, value = layer.query_key_value(x).reshape(texts, length, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2)
    scores *= np.float32((WIDTH // HEADS) ** -0.5)
    scores += padding
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    result: Floats = (scores @ value).swapaxes(1, 2).reshape(texts, length, WIDTH)
    return result


def _layer_norm(x: Floats, norm: tuple[Floats, Floats]) -> Floats:
    x = x - x.mean(-1, keepdims=True)
    x /= np.sqrt(np.einsum("...i,...i->...", x, x)[..., None] / np.float32(WIDTH) + np.float32(1e-12))
    x *= norm[0]
    x += norm[1]
    return x


def _gelu(x: Floats) -> Floats:
    """x·Φ(x), with the error function after Abramowitz and Stegun 7.1.26 (error below 2e-7)."""
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
    prefix = f"encoder.layer.{number}."

    def dense(*names: str) -> _Dense:
        weights, biases = ([w[f"{prefix}{name}.{kind}"] for name in names] for kind in ("weight", "bias"))
        return _Dense(np.ascontiguousarray(np.concatenate(weights).T), np.concatenate(biases))

    def norm(name: str) -> tuple[Floats, Floats]:
        return w[f"{prefix}{name}.LayerNorm.weight"][:], w[f"{prefix}{name}.LayerNorm.bias"][:]

    return _Layer(
        query_key_value=dense(*(f"attention.self.{name}" for name in ("query", "key", "value"))),
        attention_output=dense("attention.output.dense"),
        attention_norm=norm("attention.output"),
        widen=dense("intermediate.dense"),
        narrow=dense("output.dense"),
        narrow_norm=norm("output"),
    )


def _read(path: Path) -> dict[str, Any]:
    """The arrays of a safetensors file, each mapped into memory. Raises OSError, ValueError or KeyError."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("the file's header is longer than the file")
        header = json.loads(file.read(length))
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start = 8 + length + entry["data_offsets"][0]
            shape = tuple(entry["shape"])
            arrays[name.removeprefix("bert.")] = np.memmap(path, _TYPES[entry["dtype"]], "r", start, shape)
    return arrays
