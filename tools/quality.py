"""Scores triage without a language model on openly licensed texts, tier by tier, and writes docs/ai-quality.md.

    OMP_NUM_THREADS=1 python -m tools.quality FOLDER

FOLDER holds files of JSON lines: t1_category.jsonl (text, label, source), t2_urgency.jsonl (text, urgency, group) and
t3_wants_human.jsonl (text, wants_human). None of these texts is in Foyer or taught it anything.
"""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from embeddings import open_embeddings
from models import CATEGORIES
from services.meaning import Meaning
from services.triage import Triage, triage
from services.weighing import SURE

PAGE = Path(__file__).resolve().parent.parent / "docs" / "ai-quality.md"
TIERS = ("none", "static", "minilm")
LICENCES = {
    "bitext": "Bitext customer-service intents, CDLA-Sharing-1.0",
    "multidogo": "MultiDoGO, CDLA-Permissive-1.0",
    "authored": "written for Foyer",
}
HEAD = """# How good is triage without a language model?

Made by `python -m tools.quality` on openly licensed texts of companies Foyer was not written for:
{sources}.

The example sentences and words were chosen with texts of these kinds in view, so expect a little less on yours: measure it
with your own corrections. Urgency is the rank correlation (Spearman) with people's judgement of only 25 texts; wants-human
is F1 at its precision; the milliseconds are of one core. Abstained is the share of texts whose category is held for less
than {sure:.0%} sure; accuracy there is of the others.

| tier | accuracy | macro-F1, mean of companies | abstained | accuracy of the rest | urgency | wants human | one text, median |
|---|---|---|---|---|---|---|---|
"""
CALIBRATION = """
## Is it as sure as it is right?

Of all categories decided, by how sure triage said it was (tier {tier}):

| said | texts | right |
|---|---|---|
"""

Rows = list[dict[str, Any]]


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Writes the page."""
    texts = [row for row in _read(folder / "t1_category.jsonl") if row["source"] in LICENCES]
    page = HEAD.format(sources="; ".join(LICENCES.values()), sure=SURE)
    sureness = ""
    for tier in TIERS:
        found = open_embeddings(tier) if tier != "none" else None
        if found is not None and found.name != tier:
            click.echo(f"{tier}: {found.note}")
            continue
        meaning = Meaning(found) if found else None
        decided, median = _decided(texts, meaning)
        page += f"| {tier} | {_category_figures(texts, decided)} | {_others(folder, meaning)} | {median:.1f} ms |\n"
        if tier == "static":
            sureness = CALIBRATION.format(tier=tier) + _calibration(texts, decided)
    PAGE.write_text(page + sureness, encoding="utf-8")
    click.echo(f"Written: {PAGE}")


def _read(path: Path) -> Rows:
    return [row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if "text" in row]


def _decided(rows: Rows, meaning: Meaning | None) -> tuple[list[Triage], float]:
    """Every decision, and the median of their milliseconds."""
    found, took = [], []
    for row in rows:
        begun = time.perf_counter()
        found.append(triage("", row["text"], meaning=meaning))
        took.append((time.perf_counter() - begun) * 1000)
    return found, float(np.median(took))


def _category_figures(rows: Rows, decided: list[Triage]) -> str:
    right = np.array([row["label"] == one.category for row, one in zip(rows, decided, strict=True)])
    sure = np.array([one.category_confidence >= SURE for one in decided])
    by_source: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row, one in zip(rows, decided, strict=True):
        by_source[row["source"]].append((row["label"], one.category))
    mean = np.mean([macro_f1(pairs) for pairs in by_source.values()])
    rest = f"{right[sure].mean():.2f}" if sure.any() else ""
    return f"{right.mean():.2f} | {mean:.2f} | {1 - sure.mean():.0%} | {rest}"


def _others(folder: Path, meaning: Meaning | None) -> str:
    rows = [row for row in _read(folder / "t2_urgency.jsonl") if row["group"] == "authored"]
    urgency = spearman(
        [row["urgency"] for row in rows], [triage("", row["text"], meaning=meaning).urgency for row in rows]
    )
    rows = _read(folder / "t3_wants_human.jsonl")
    said = [triage("", row["text"], meaning=meaning).wants_human_score >= 0.5 for row in rows]
    both = sum(bool(row["wants_human"]) and one for row, one in zip(rows, said, strict=True))
    precision, recall = both / max(1, sum(said)), both / max(1, sum(row["wants_human"] for row in rows))
    return f"{urgency:.2f} | {2 * precision * recall / max(1e-9, precision + recall):.2f} at {precision:.2f}"


def _calibration(rows: Rows, decided: list[Triage]) -> str:
    lines = ""
    for low in (0.0, 0.3, 0.5, 0.7, 0.9):
        high = {0.0: 0.3, 0.3: 0.5, 0.5: 0.7, 0.7: 0.9, 0.9: 1.01}[low]
        inside = [
            row["label"] == one.category
            for row, one in zip(rows, decided, strict=True)
            if low <= one.category_confidence < high
        ]
        if inside:
            lines += f"| {low:.0%} to {min(high, 1):.0%} | {len(inside)} | {np.mean(inside):.0%} |\n"
    return lines


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 of the labels that occur, from pairs of the right and the given label."""
    scores = []
    for label in {right for right, _ in pairs} & set(CATEGORIES):
        hits = sum(right == given == label for right, given in pairs)
        scores.append(2 * hits / max(1, sum((right == label) + (given == label) for right, given in pairs)))
    return float(np.mean(scores))


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """The correlation of ranks; equals share theirs."""
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < one for other in values) + sum(other == one for other in values) / 2 for one in values]


if __name__ == "__main__":
    main()
