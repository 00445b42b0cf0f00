"""Makes ai/triage/heads-static.npz and heads-minilm.npz: the heads of triage, trained on the example sentences.

    pip install --no-deps -r requirements-semantic.txt
    python -m tools.models.train_heads

Run it after a change of ai/triage/example_sentences.py, ai/triage/industries.txt, ai/triage/heads.py or a table of
ai/embeddings. Without the files each start trains the heads, which takes longer.
"""

import click

from ai.embeddings import open_embeddings
from ai.triage import heads, trained_heads


@click.command(help=__doc__)
def main() -> None:
    """Writes the files."""
    for tier in ("static", "minilm"):
        encoder = open_embeddings(tier)
        if encoder.name != tier:
            raise click.ClickException(encoder.note)
        click.echo(trained_heads.write(heads.train(encoder), encoder))


if __name__ == "__main__":
    main()
