"""Scores triage without a language model on openly licensed texts, tier by tier, and writes docs/ai-quality.md.

    OMP_NUM_THREADS=1 python -m tools.models.quality FOLDER

FOLDER holds files of JSON lines: t1_category (text, label, source), t2_urgency (text, urgency, group), t3_wants_human (text,
wants_human), t5_clinc_train, t5_clinc_test, t5_it_tickets_train and t5_it_tickets_test (text, label). None of these texts is
in Foyer; which of them its examples and words were chosen by is said on the page.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from ai.embeddings import Embeddings, open_embeddings
from ai.triage.rules import Triage
from ai.triage.scoring import CERTAIN
from ai.triage.text_classifier import TextClassifier
from tools.models import scoring
from tools.models.scoring import Pairs

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "ai-quality.md"
TIERS = ("none", "static", "minilm")
SEEN = ("bitext", "multidogo", "authored")
# Which team each intent and each group of the service desk belongs to; what could go to two teams is left out.
BANK = {
    "billing": "min_payment",
    "account": "account_blocked freeze_account pin_change",
    "sales": "new_card",
    "general": "lost_luggage cancel_reservation book_hotel carry_on application_status replacement_card_duration greeting "
    "goodbye are_you_a_bot",
}
DESK = {"account": "Access", "technical": "Hardware Storage", "general": "Miscellaneous HR_Support"}
HEAD = """# How good is triage without a language model?

Made by `python -m tools.models.quality` on openly licensed texts, none of which is in Foyer: Bitext customer-service intents
(CDLA-Sharing-1.0), MultiDoGO (CDLA-Permissive-1.0), CLINC150 (CC BY 3.0), anonymised IT tickets (CC0) and 25 texts written for
this page.

## A company like yours: one that nobody wrote for

Foyer starts every company with its own example sentences. They were chosen with texts of all four collections in view, so to
count as unseen, each company is judged here **without every example sentence that resembles any of its texts** (likeness of
{unlike} or more) and without the word lists. That is stricter than life in that general sentences go too, and kinder in that the
few weights were chosen with these texts in view. The second figure is after the company itself has sorted ten tickets per team.
Macro-F1 over the teams, 0 to 1; in brackets how many of the {sentences} sentences were left.

| company | texts | {columns} |
|---|---|{rules}|
"""
SEEN_HEAD = """
## Kinds of text the examples were chosen by

The same collections with all examples and words: **read this as the upper end**, a company whose tickets are much like these.
Abstained is the share of texts whose category is held for less than {sure:.0%} sure; the next column is the accuracy of the
others. Urgency is the rank correlation (Spearman) with people's judgement of only 25 texts, wants-human F1 at its precision.

| tier | category accuracy | macro-F1, mean of companies | abstained | accuracy of the rest | urgency | wants human |
|---|---|---|---|---|---|---|
"""
PRIORITY = """
**Urgency has a ceiling where it was not chosen by the text.** On {count} IT tickets with the urgency they carried at their own
desk, triage reaches {reached}. A model taught on those very tickets and asked about each one left
out reaches {ceiling}: what was chosen there is hardly in the texts, so expect no order by text to follow such a field much better.
"""
TOPICS_HEAD = """
## Own topics, and what a tier costs

Accuracy of topics learnt from so many examples each: {clinc} intents of CLINC150, {it} groups of the service desk. One text is
the median processor time on one core; memory is what loading and a first decision add, numpy included.

| tier | CLINC150, 5 / 20 examples | service desk, 20 / 100 | one text | memory | on disk |
|---|---|---|---|---|---|
"""
SURENESS = """
## Is it as sure as it is right?

Of all categories decided, by how sure triage said it was ({tier}, with all examples and words; beside the collections of the
second table those that resemble the examples less). **Where your tickets are of another kind, take ten points off.**

| said | texts | right | at the bank and the service desk | right |
|---|---|---|---|---|
"""

Rows = list[dict[str, Any]]


@dataclass
class Found:
    """What was found out about one tier."""

    unseen: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    seen: str = ""
    topics: str = ""
    ceiling: tuple[float, float] = (0.0, 0.0)
    sureness: str = ""


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Writes the page."""
    companies = _companies(folder)
    found: dict[str, Found] = {}
    for tier in TIERS:
        encoder = open_embeddings(tier) if tier != "none" else None
        if encoder is not None and encoder.name != tier:
            click.echo(f"{tier}: {encoder.note}")
            continue
        found[tier] = _measured(folder, companies, tier=tier, encoder=encoder)
        click.echo(f"{tier}: measured")
    PAGE.write_text(_page(folder, companies, found), encoding="utf-8")
    click.echo(f"Written: {PAGE}")


def _companies(folder: Path) -> dict[str, Pairs]:
    """The texts of each company with the team each belongs to."""
    rows = _read(folder, "t1_category")
    clinc = _read(folder, "t5_clinc_train") + _read(folder, "t5_clinc_test")
    return {
        "a shop (Bitext)": [(row["text"], row["label"]) for row in rows if row["source"] == "bitext"],
        "companies in chats (MultiDoGO)": [(row["text"], row["label"]) for row in rows if row["source"] == "multidogo"],
        "a bank and travel desk (CLINC150)": list(_mapped(clinc, BANK)),
        "an IT service desk, texts in fragments": list(_mapped(_read(folder, "t5_it_tickets_test"), DESK)),
    }


def _mapped(rows: Rows, teams: dict[str, str]) -> Iterator[tuple[str, str]]:
    team_of = {
        label.replace("_Support", " Support"): team for team, labels in teams.items() for label in labels.split()
    }
    return ((row["text"], team_of[row["label"]]) for row in rows if row["label"] in team_of)


def _measured(folder: Path, companies: dict[str, Pairs], *, tier: str, encoder: Embeddings | None) -> Found:
    classifier = TextClassifier(encoder) if encoder else None
    found = Found()
    seen = [row for row in _read(folder, "t1_category") if row["source"] in SEEN]
    decided, milliseconds = scoring.decided([row["text"] for row in seen], classifier)
    found.seen = _category_figures(seen, decided) + " | " + _others(folder, classifier)
    cost = f"{milliseconds:.1f} ms | {scoring.memory(tier)} MB | {scoring.on_disk(tier)} MB"
    found.topics = f"– | – | {cost}"
    if encoder is None:
        return found
    found.unseen = {name: scoring.unseen(encoder, pairs) for name, pairs in companies.items()}
    scores = [
        f"{scoring.topics(encoder, _read(folder, f't5_{name}_train'), _read(folder, f't5_{name}_test'), examples=most):.2f}"
        for name, most in (("clinc", 5), ("clinc", 20), ("it_tickets", 20), ("it_tickets", 100))
    ]
    found.topics = f"{' / '.join(scores[:2])} | {' / '.join(scores[2:])} | {cost}"
    ticked = [row for row in _read(folder, "t2_urgency") if row["group"] == "endava_real"]
    found.ceiling = scoring.ceiling(encoder, ticked, classifier)
    far = [
        pair
        for name, pairs in companies.items()
        if "(Bitext)" not in name and "MultiDoGO" not in name
        for pair in pairs
    ]
    near = ([(row["text"], row["label"]) for row in seen], decided)
    found.sureness = _calibration(*near, far, scoring.decided([text for text, _ in far], classifier)[0])
    return found


def _page(folder: Path, companies: dict[str, Pairs], found: dict[str, Found]) -> str:
    tiers = [tier for tier in found if found[tier].unseen]
    columns = " | ".join(f"{tier} | {tier}, ten own tickets" for tier in tiers)
    page = HEAD.format(
        unlike=scoring.UNLIKE, sentences=scoring.SENTENCES, columns=columns, rules="|".join(["---"] * 2 * len(tiers))
    )
    for name, pairs in companies.items():
        figures = (found[tier].unseen[name] for tier in tiers)
        page += (
            f"| {name} | {len(pairs)} | " + " | ".join(f"{a:.2f} ({left}) | {b:.2f}" for a, b, left in figures) + " |\n"
        )
    means = (np.mean([one[:2] for one in found[tier].unseen.values()], 0) for tier in tiers)
    page += "| **mean** | | " + " | ".join(f"**{a:.2f}** | **{b:.2f}**" for a, b in means) + " |\n"
    page += SEEN_HEAD.format(sure=CERTAIN) + "".join(f"| {tier} | {one.seen} |\n" for tier, one in found.items())
    best = found[tiers[-1]]
    count = sum(row["group"] == "endava_real" for row in _read(folder, "t2_urgency"))
    page += PRIORITY.format(
        count=count,
        reached=" and ".join(f"{found[tier].ceiling[0]:.2f} ({tier})" for tier in tiers),
        ceiling=f"{best.ceiling[1]:.2f}",
    )
    kinds = [len({row["label"] for row in _read(folder, f"t5_{name}_train")}) for name in ("clinc", "it_tickets")]
    page += TOPICS_HEAD.format(clinc=kinds[0], it=kinds[1])
    page += "".join(f"| {tier} | {one.topics} |\n" for tier, one in found.items())
    return page + SURENESS.format(tier="static") + found["static"].sureness


def _read(folder: Path, name: str) -> Rows:
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if "text" in row]


def _category_figures(rows: Rows, decided: list[Triage]) -> str:
    right = np.array([row["label"] == one.category for row, one in zip(rows, decided, strict=True)])
    sure = np.array([one.category_confidence >= CERTAIN for one in decided])
    given = {
        source: [
            (row["label"], one.category) for row, one in zip(rows, decided, strict=True) if row["source"] == source
        ]
        for source in SEEN
    }
    mean = np.mean([scoring.macro_f1(pairs) for pairs in given.values()])
    rest = f"{right[sure].mean():.2f}" if sure.any() else ""
    return f"{right.mean():.2f} | {mean:.2f} | {1 - sure.mean():.0%} | {rest}"


def _others(folder: Path, classifier: TextClassifier | None) -> str:
    rows = [row for row in _read(folder, "t2_urgency") if row["group"] == "authored"]
    decided, _ = scoring.decided([row["text"] for row in rows], classifier)
    urgency = scoring.spearman([row["urgency"] for row in rows], [one.urgency for one in decided])
    rows = _read(folder, "t3_wants_human")
    said = [one.wants_human_score >= 0.5 for one in scoring.decided([row["text"] for row in rows], classifier)[0]]
    both = sum(bool(row["wants_human"]) and one for row, one in zip(rows, said, strict=True))
    precision, recall = both / max(1, sum(said)), both / max(1, sum(row["wants_human"] for row in rows))
    return f"{urgency:.2f} | {2 * precision * recall / max(1e-9, precision + recall):.2f} at {precision:.2f}"


def _calibration(pairs: Pairs, decided: list[Triage], other: Pairs, others: list[Triage]) -> str:
    lines = ""
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        lines += f"| {low:.0%} to {high:.0%}"
        for rows, given in ((pairs, decided), (other, others)):
            inside = [
                label == one.category
                for (_, label), one in zip(rows, given, strict=True)
                if low < one.category_confidence <= high
            ]
            lines += f" | {len(inside)} | {np.mean(inside):.0%}" if inside else " | 0 | "
        lines += " |\n"
    return lines


if __name__ == "__main__":
    main()
