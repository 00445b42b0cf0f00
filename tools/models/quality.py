"""Measures triage without a language model on openly licensed texts, for each tier, and writes docs/ai-quality.md.

    OMP_NUM_THREADS=1 python -m tools.models.quality FOLDER

FOLDER holds files of JSON lines: t1_category (text, label, source), t2_urgency (text, urgency, group), t3_authored (text, label,
escalate), t3_wants_human (text, wants_human), t5_clinc_train, t5_clinc_test, t5_it_tickets_train and t5_it_tickets_test (text,
label). None of these texts is in Foyer. The page says which of them were in view when its example sentences and words were chosen.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from ai.embeddings import Embeddings, open_embeddings
from ai.triage.example_sentences import COMMON, INDUSTRIES
from ai.triage.rules import Triage
from ai.triage.scoring import CERTAIN
from ai.triage.text_classifier import TextClassifier
from tools.models import incidents, scoring
from tools.models.scoring import Pairs

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "ai-quality.md"
TIERS = ("none", "static", "minilm")
SOURCES_IN_VIEW = ("bitext", "multidogo", "authored")
# The intents and the groups of the service desk that belong to each team. Those that fit two teams are left out.
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
this page. The static table learnt from other texts of these collections, without their labels.

Categories mean: *billing* is what was or will be paid; *technical* is what does not work or how to set it up; *sales* is the wish
to buy, prices, quotes, demos, discounts, a call from sales; *account* is who somebody is and what they may do; *general* is the
rest. What a service is, where it exists, for whom, since when and in which currency is *general*.

## An industry without an example

The built-in sentences are {sentences}: {common} that fit nearly every company, and those of {industries} industries and kinds of
mail (`ai/triage/industries.txt`). Here each industry is classified without its own sentences. The same hand wrote all of them, so a
real company will do less well; the gain over the common sentences alone is what this shows. Width of the kernel, ridge and share of
words were chosen here. The calibration error is the mean gap of confidence and accuracy.

| tier | common sentences alone | with the other industries | calibration error | accuracy from {sure:.0%} on | share |
|---|---|---|---|---|---|
{left_out}
Left out, because it did not measure better: character 3-5-grams (for the category no more than words, for topics of CLINC150 a
point less), and vectors cut to 128 numbers (no faster, and a point less for the tone).

## A company whose texts were not in view

Foyer starts every company with built-in example sentences. They were chosen with texts of all four collections in view. So
each company is measured here **without the example sentences that resemble any of its texts** (similarity of {unlike} or more) and
without the word lists. This is stricter than in use, because general sentences are left out too. It is milder in one way:
the few weights were chosen with these texts in view. The second figure is for a company that has sorted ten tickets per team
itself. Figures are macro-F1 over the teams, 0 to 1. The number in brackets is how many of the {sentences} sentences were used.
The third figure is the calibration error without own tickets. The temperature grows with the length of a text, because long
texts are about several matters. It was chosen on these collections, so their errors are optimistic. Chosen without the service
desk, the errors there would be 0.15 (static) and 0.18 (minilm). Long tickets of a collection that took no part fell from 0.20
to 0.06.

| company | texts | {columns} |
|---|---|{rules}|
"""
SEEN_HEAD = """
## Kinds of text that were in view

The same collections with all example sentences and words. **These figures are an upper bound**: they are for a company whose
tickets are much like these. Abstained is the share of texts whose category has a confidence below {sure:.0%}. The next column
is the accuracy of the others. Urgency is the rank correlation (Spearman), tone the macro-F1 of sentiment and dissatisfied the
area under the ROC curve, each by people's judgement of 25 texts. Wants human is F1 at its precision.

| tier | accuracy | macro-F1, mean of companies | abstained | accuracy of the rest | urgency | tone | dissatisfied | wants human |
|---|---|---|---|---|---|---|---|---|
"""
PRIORITY = """
**Urgency cannot be predicted well where people did not choose it by the text.** On {count} IT tickets with the urgency of their own
help desk, the rank correlation is {reached}. A model trained on these tickets,
each one left out in turn, reaches {ceiling}: the texts hold little of that urgency.
No method that reads only the text will do much better on such a field.
"""
TOPICS_HEAD = """
## Own topics, and what a tier costs

Accuracy of topics, trained on that number of examples for each: {clinc} intents of CLINC150, {it} groups of the service desk. One
text is the median CPU time on one core; other work on the machine makes it longer. Memory is what loading and a
first decision add, numpy included.

| tier | CLINC150, 5 / 20 examples | service desk, 20 / 100 | one text | memory | on disk |
|---|---|---|---|---|---|
"""
CALIBRATION_HEAD = """
## Confidence and accuracy

The accuracy of categories by their confidence ({tier}, with all example sentences and words). The left columns are the collections
in view, the middle ones collections that resemble the examples less, the right ones the industries left out.
Below {sure:.0%} the reasons of a ticket say that its category is unsure. The calibration error of the bank is {bank}, of the
service desk {desk}: its texts are fragments, and its teams hardly follow from them.

| `category_confidence` | texts | accuracy | bank and service desk | accuracy | industries left out | accuracy |
|---|---|---|---|---|---|---|
"""

Rows = list[dict[str, Any]]


@dataclass
class Result:
    """The figures of one tier, in the form of the page."""

    unseen: dict[str, scoring.Unseen] = field(default_factory=dict)
    in_view: str = ""
    topics: str = ""
    ceiling: tuple[float, float] = (0.0, 0.0)
    calibration: str = ""
    left_out: str = ""
    errors: dict[str, float] = field(default_factory=dict)  # calibration error by company


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Writes the page."""
    companies = _companies(folder)
    results: dict[str, Result] = {}
    for tier in TIERS:
        encoder = open_embeddings(tier) if tier != "none" else None
        if encoder is not None and encoder.name != tier:
            click.echo(f"{tier}: {encoder.note}")
            continue
        results[tier] = _measure(folder, companies, tier=tier, encoder=encoder)
        click.echo(f"{tier}: measured")
    PAGE.write_text(_page(folder, companies, results) + incidents.section(folder), encoding="utf-8")
    click.echo(f"Written: {PAGE}")


def _companies(folder: Path) -> dict[str, Pairs]:
    """The texts of each company, each with its team."""
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


def _measure(folder: Path, companies: dict[str, Pairs], *, tier: str, encoder: Embeddings | None) -> Result:
    classifier = TextClassifier(encoder) if encoder else None
    result = Result()
    rows = [row for row in _read(folder, "t1_category") if row["source"] in SOURCES_IN_VIEW]
    decisions, milliseconds = scoring.decide([row["text"] for row in rows], classifier)
    result.in_view = _category_figures(rows, decisions) + " | " + _urgency_figures(folder, classifier)
    cost = f"{milliseconds:.1f} ms | {scoring.memory(tier)} MB | {scoring.on_disk(tier)} MB"
    result.topics = f"– | – | {cost}"
    if encoder is None:
        return result
    result.unseen = {name: scoring.unseen(encoder, pairs) for name, pairs in companies.items()}
    scores = [
        f"{scoring.topics(encoder, _read(folder, f't5_{name}_train'), _read(folder, f't5_{name}_test'), examples=most):.2f}"
        for name, most in (("clinc", 5), ("clinc", 20), ("it_tickets", 20), ("it_tickets", 100))
    ]
    result.topics = f"{' / '.join(scores[:2])} | {' / '.join(scores[2:])} | {cost}"
    it_tickets = [row for row in _read(folder, "t2_urgency") if row["group"] == "endava_real"]
    result.ceiling = scoring.ceiling(encoder, it_tickets, classifier)
    others: list[tuple[bool, float]] = []
    for name, pairs in list(companies.items())[2:]:
        decided = _compared([label for _, label in pairs], scoring.decide([text for text, _ in pairs], classifier)[0])
        result.errors[name] = scoring.calibration_error(decided)
        others += decided
    industries, by_common = scoring.left_out_industries(encoder)
    result.left_out = _left_out_figures(industries, by_common)
    result.calibration = _calibration(_compared([row["label"] for row in rows], decisions), others, industries)
    return result


def _compared(labels: list[str], decisions: list[Triage]) -> list[tuple[bool, float]]:
    """Whether each category is right, and its confidence."""
    return [(label == one.category, one.category_confidence) for label, one in zip(labels, decisions, strict=True)]


def _left_out_figures(results: list[tuple[bool, float]], by_common: float) -> str:
    right, confidence = np.array(results, float).T
    sure = confidence >= CERTAIN
    error = scoring.calibration_error(results)
    return f"{by_common:.2f} | {right.mean():.2f} | {error:.2f} | {right[sure].mean():.2f} | {sure.mean():.0%}"


def _page(folder: Path, companies: dict[str, Pairs], results: dict[str, Result]) -> str:
    tiers = [tier for tier in results if results[tier].unseen]
    columns = " | ".join(f"{tier} | {tier}, ten own tickets | calibration error" for tier in tiers)
    page = HEAD.format(
        unlike=scoring.RESEMBLES,
        sentences=scoring.SENTENCES,
        common=sum(map(len, COMMON.values())),
        industries=len({name for name, _, _ in INDUSTRIES}),
        sure=CERTAIN,
        left_out="".join(f"| {tier} | {results[tier].left_out} |\n" for tier in tiers),
        columns=columns,
        rules="|".join(["---"] * 3 * len(tiers)),
    )
    for name, pairs in companies.items():
        figures = (results[tier].unseen[name] for tier in tiers)
        page += (
            f"| {name} | {len(pairs)} | "
            + " | ".join(f"{one.f1:.2f} ({one.sentences}) | {one.with_own:.2f} | {one.error:.2f}" for one in figures)
            + " |\n"
        )
    means = (np.mean(list(results[tier].unseen.values()), 0) for tier in tiers)
    page += "| **mean** | | " + " | ".join(f"**{a:.2f}** | **{b:.2f}** | **{d:.2f}**" for a, b, _, d in means) + " |\n"
    page += SEEN_HEAD.format(sure=CERTAIN) + "".join(f"| {tier} | {one.in_view} |\n" for tier, one in results.items())
    best = results[tiers[-1]]
    count = sum(row["group"] == "endava_real" for row in _read(folder, "t2_urgency"))
    page += PRIORITY.format(
        count=count,
        reached=" and ".join(f"{results[tier].ceiling[0]:.2f} ({tier})" for tier in tiers),
        ceiling=f"{best.ceiling[1]:.2f}",
    )
    kinds = [len({row["label"] for row in _read(folder, f"t5_{name}_train")}) for name in ("clinc", "it_tickets")]
    page += TOPICS_HEAD.format(clinc=kinds[0], it=kinds[1])
    page += "".join(f"| {tier} | {one.topics} |\n" for tier, one in results.items())
    bank, desk = (
        " and ".join(f"{list(results[tier].errors.values())[place]:.2f} ({tier})" for tier in tiers) for place in (0, 1)
    )
    head = CALIBRATION_HEAD.format(tier="static", sure=CERTAIN, bank=bank, desk=desk)
    return page + head + results["static"].calibration


def _read(folder: Path, name: str) -> Rows:
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if "text" in row]


def _category_figures(rows: Rows, decisions: list[Triage]) -> str:
    right = np.array([row["label"] == one.category for row, one in zip(rows, decisions, strict=True)])
    sure = np.array([one.category_confidence >= CERTAIN for one in decisions])
    pairs_by_source = {
        source: [
            (row["label"], one.category) for row, one in zip(rows, decisions, strict=True) if row["source"] == source
        ]
        for source in SOURCES_IN_VIEW
    }
    mean = np.mean([scoring.macro_f1(pairs) for pairs in pairs_by_source.values()])
    rest = f"{right[sure].mean():.2f}" if sure.any() else ""
    return f"{right.mean():.2f} | {mean:.2f} | {1 - sure.mean():.0%} | {rest}"


def _urgency_figures(folder: Path, classifier: TextClassifier | None) -> str:
    rows = [row for row in _read(folder, "t2_urgency") if row["group"] == "authored"]
    decisions, _ = scoring.decide([row["text"] for row in rows], classifier)
    urgency = scoring.spearman([row["urgency"] for row in rows], [one.urgency for one in decisions])
    rows = _read(folder, "t3_authored")
    decisions, _ = scoring.decide([row["text"] for row in rows], classifier)
    tone = scoring.macro_f1([(row["label"], one.sentiment) for row, one in zip(rows, decisions, strict=True)])
    lost = scoring.auroc([bool(row["escalate"]) for row in rows], [one.escalation_score for one in decisions])
    rows = _read(folder, "t3_wants_human")
    decisions, _ = scoring.decide([row["text"] for row in rows], classifier)
    predictions = [one.wants_human_score >= 0.5 for one in decisions]
    both = sum(bool(row["wants_human"]) and one for row, one in zip(rows, predictions, strict=True))
    precision, recall = both / max(1, sum(predictions)), both / max(1, sum(row["wants_human"] for row in rows))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"{urgency:.2f} | {tone:.2f} | {lost:.2f} | {f1:.2f} at {precision:.2f}"


def _calibration(*groups: list[tuple[bool, float]]) -> str:
    """The rows of the table: per band of confidence, the count and accuracy of each group of (right, confidence)."""
    lines = ""
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        lines += f"| {low:.0%} to {high:.0%}"
        for results in groups:
            inside = [right for right, confidence in results if low < confidence <= high]
            lines += f" | {len(inside)} | {np.mean(inside):.0%}" if inside else " | 0 | "
        lines += " |\n"
    return lines


if __name__ == "__main__":
    main()
