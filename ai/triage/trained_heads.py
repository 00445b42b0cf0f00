"""The built-in heads, trained in advance: a file for each tier of the embeddings, made by tools/models/train_heads.py.

A file counts only while it belongs to the example sentences, the constants of the training and the encoder.
"""

import hashlib
import logging
import zipfile
from pathlib import Path

import numpy as np
import orjson

from ai.triage import example_sentences as examples
from ai.triage import heads
from ai.triage.heads import Encoder, Heads
from ai.triage.word_counts import WordTable

FOLDER = Path(__file__).resolve().parent
NAMES = ("vectors", "weights", "mean", "words", "word_weights")
# Which encoder made the vectors is told by one text: the file keeps its vector.
PROBE = "I was charged twice and nobody answers"
CLOSE = 1e-3  # the most that one number of the two vectors may differ; machines round differently

log = logging.getLogger("foyer.triage")


def path_of(tier: str, folder: Path = FOLDER) -> Path:
    """The file of a tier."""
    return folder / f"heads-{tier}.npz"


def read(encoder: Encoder, folder: Path = FOLDER) -> Heads | None:
    """The heads for an encoder, None when no file belongs to it."""
    path = path_of(encoder.name, folder)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*NAMES, "probe", "fingerprint")}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("triage: %s cannot be read, so the start takes longer (%s)", path.name, type(error).__name__)
        return None
    probe = encoder.encode([PROBE])[0]
    same_encoder = arrays["probe"].shape == probe.shape and np.allclose(arrays["probe"], probe, atol=CLOSE)
    if not same_encoder or arrays["fingerprint"].tobytes() != fingerprint():
        log.info("triage: %s is of another version, so the start takes longer", path.name)
        return None
    vectors, weights, mean, rarity, word_weights = (arrays[name].astype(np.float32) for name in NAMES)
    return Heads(vectors, weights, mean, WordTable(rarity), word_weights)


def write(trained: Heads, encoder: Encoder, folder: Path = FOLDER) -> Path:
    """Writes the file of an encoder. Vectors are kept with half precision, which changes a score by less than 0.001."""
    path = path_of(encoder.name, folder)
    np.savez_compressed(
        path,
        vectors=trained.vectors.astype(np.float16),
        weights=trained.weights,
        mean=trained.mean,
        words=trained.words.rarity,
        word_weights=trained.word_weights,
        probe=encoder.encode([PROBE])[0],
        fingerprint=np.frombuffer(fingerprint(), np.uint8),
    )
    return path


def fingerprint() -> bytes:
    """A hash of everything but the encoder that the training depends on."""
    groups = (examples.CATEGORIES, examples.COMMON, examples.SENTIMENTS, examples.URGENCY)
    either = (examples.DISSATISFIED, examples.SATISFIED, examples.WANTS_HUMAN, examples.NO_HUMAN)
    numbers = (
        heads.KERNEL_WIDTH,
        heads.COMMON_RIDGE,
        heads.INDUSTRY_RIDGE,
        heads.WORD_SHARE,
        heads.RIDGE,
        heads.CATEGORY_OFFSETS,
    )
    sentences = [[[str(name), list(texts)] for name, texts in group.items()] for group in groups]
    content = orjson.dumps([sentences, [list(texts) for texts in either], numbers])
    return hashlib.blake2b(content, digest_size=16).digest()
