"""Measures incidents: how many are false among tickets of one busy company, and how many planted ones are found.

    OMP_NUM_THREADS=1 python -m tools.models.incidents FOLDER

FOLDER is that of quality.py, which also writes what `section` returns into docs/ai-quality.md. The planted texts are our own
(incident_texts.txt). A stream is the texts of one collection in random order and at random times.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from ai import incidents
from ai.arrays import Floats
from ai.embeddings import open_embeddings
from services.incidents.detection import DAY_SECONDS, MOST_TICKETS
from services.settings import SETTINGS

TEXTS = Path(__file__).with_name("incident_texts.txt")
HOURS, WARM_HOURS, EVERY_SECONDS = 8, 2, 600  # of a stream; the first hours are not counted
STREAMS_EACH = 5
RATES = (20, 60)  # tickets per hour
REPORTS = (5, 6, 8)  # customers who report a planted incident
TRIES = (0.46, 0.50, 0.54, 0.58)  # cosines
# Collection -> file, and the source in it. CLINC150 is a bank's and a traveller's questions of 75 intents.
STREAMS = {
    "CLINC150": ("t5_clinc_train", "clinc"),
    "Bitext": ("t1_category", "bitext"),
    "MultiDoGO": ("t1_category", "multidogo"),
    "IT tickets": ("t5_it_tickets_train", "it_tickets"),
}
HEAD = """
## Incidents

Made by `python -m tools.models.incidents`. False incidents are those found in streams of one collection, where nothing broke,
per 1,000 tickets at {rates} tickets per hour. They are five and more customers who do ask the same thing: the collections hold
few intents. The first {warm} hours of a stream are not counted: a company's first tickets are judged by their number alone, because
nothing is usual yet. Found is the share of {planted} planted incidents, each reported by {reports} customers within 30
minutes among {quiet} other tickets per hour. An incident takes {customers} customers. The cosine in use is {chosen}.

| tier | cosine | {streams} | found |
|---|---|---|---|
"""


def planted_texts() -> list[list[str]]:
    """The texts of each planted incident."""
    blocks = TEXTS.read_text().split("\n\n")
    return [lines for block in blocks if len(lines := [x for x in block.splitlines() if x and x[0] != "#"]) > 1]


def _stream(vectors: Floats, rate: int, random: np.random.Generator) -> tuple[Floats, NDArray[np.float64]]:
    """Vectors of texts in random order, none twice, and their times in seconds."""
    number = min(random.poisson(rate * HOURS), len(vectors))
    times = np.sort(random.uniform(0, 3600 * number / rate, number))
    return vectors[random.permutation(len(vectors))[:number]], times


def _found(vectors: Floats, times: Sequence[float], alike: float) -> list[list[int]]:
    """The incidents of a stream as the search finds them, looking every EVERY_SECONDS."""
    least = SETTINGS["incident_customers"].default
    taken: set[int] = set()
    groups = []
    for now in np.arange(EVERY_SECONDS, times[-1] + EVERY_SECONDS, EVERY_SECONDS):
        seen = [place for place, time in enumerate(times) if now - DAY_SECONDS < time <= now][-MOST_TICKETS:]
        found = incidents.find_groups(
            vectors[seen],
            [times[place] for place in seen],
            [str(place) for place in seen],
            least_customers=least,
            alike=alike,
            taken=[position for position, place in enumerate(seen) if place in taken],
        )
        for group in found:
            places = [seen[place] for place in group]
            if times[places[-1]] > now - 2 * incidents.WINDOW_SECONDS:
                groups.append(places)
                taken.update(places)
    return groups


def false_incidents(vectors: Floats, rate: int, alike: float) -> float:
    """False incidents per 1,000 tickets of a stream after its first hours."""
    random = np.random.default_rng(7)
    number = total = 0
    for _ in range(STREAMS_EACH):
        stream, times = _stream(vectors, rate, random)
        number += sum(times[group[-1]] > WARM_HOURS * 3600 for group in _found(stream, list(times), alike))
        total += int((times > WARM_HOURS * 3600).sum())
    return 1000 * number / max(total, 1)


def recall(planted: list[Floats], streams: list[Floats], reports: int, alike: float) -> float:
    """The share of planted incidents of which four or more tickets, and mostly those, make a group."""
    random, least = np.random.default_rng(3), SETTINGS["incident_customers"].default
    results = []
    for texts in planted:
        for vectors in streams:
            stream, times = _stream(vectors, RATES[0], random)
            start = random.uniform(times[-1] / 2, times[-1] - incidents.WINDOW_SECONDS)
            own = start + random.uniform(0, incidents.WINDOW_SECONDS, reports)
            all_times = np.concatenate([times, own])
            order = np.argsort(all_times)[-MOST_TICKETS:]
            everything = np.vstack([stream, texts[random.permutation(len(texts))[:reports]]])[order]
            groups = incidents.find_groups(
                everything,
                list(all_times[order]),
                [str(place) for place in order],
                least_customers=least,
                alike=alike,
            )
            ours = [(sum(order[place] >= len(times) for place in group), len(group)) for group in groups]
            results.append(any(own >= least - 1 and own >= 0.6 * size for own, size in ours))
    return float(np.mean(results))


def section(folder: Path) -> str:
    """The section of docs/ai-quality.md."""
    texts = {name: _texts(folder / f"{file}.jsonl", source) for name, (file, source) in STREAMS.items()}
    groups = planted_texts()
    rows = []
    for tier in incidents.ALIKE:
        embeddings = open_embeddings(tier)
        if embeddings.name != tier:
            continue
        streams = {name: embeddings.encode(lines) for name, lines in texts.items()}
        planted = [embeddings.encode(lines) for lines in groups]
        for alike in TRIES:
            cells = [
                " / ".join(f"{false_incidents(vectors, rate, alike):.1f}" for rate in RATES)
                for vectors in streams.values()
            ]
            found = " / ".join(f"{recall(planted, list(streams.values()), n, alike):.2f}" for n in REPORTS)
            rows.append(f"| {tier} | {alike:.2f} | {' | '.join(cells)} | {found} |\n")
    chosen = " and ".join(f"{cosine:.2f} ({tier})" for tier, cosine in incidents.ALIKE.items())
    head = HEAD.format(
        rates=" / ".join(map(str, RATES)),
        quiet=RATES[0],
        warm=WARM_HOURS,
        planted=len(groups) * len(STREAMS),
        reports=" / ".join(map(str, REPORTS)),
        customers=SETTINGS["incident_customers"].default,
        chosen=chosen,
        streams=" | ".join(STREAMS),
    )
    return head.replace("|---|---|---|---|", "|---" * (len(STREAMS) + 3) + "|") + "".join(rows)


def _texts(file: Path, source: str) -> list[str]:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [row["text"] for row in rows if row.get("source") == source and row["label"] != "oos"]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Prints the section."""
    click.echo(section(folder), nl=False)


if __name__ == "__main__":
    main()
