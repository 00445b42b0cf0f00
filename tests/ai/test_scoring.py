"""The measures of docs/ai-quality.md, and the page that is made of them."""

import json

import pytest
from click.testing import CliRunner

from ai import embeddings
from ai.triage.text_classifier import TextClassifier
from core.models import CATEGORIES
from tools.models import quality, scoring

TEXTS = {
    "billing": "I was charged twice for order",
    "technical": "the app crashes when I open chat",
    "sales": "what does the team plan cost for",
    "account": "please reset the password of user",
    "general": "where is my parcel with number",
}
PAIRS = [(f"{text} {number}", label) for label, text in TEXTS.items() for number in range(14)]


@pytest.fixture
def encoder():
    return embeddings.open_embeddings("static")


def test_macro_f1_is_the_mean_over_the_labels_that_occur():
    right = [("billing", "billing"), ("sales", "sales")]
    assert scoring.macro_f1(right) == 1.0
    assert scoring.macro_f1([*right, ("sales", "billing")]) == pytest.approx((2 / 3 + 2 / 3) / 2)


@pytest.mark.parametrize(("right", "expected"), [([1, 2, 3], 1.0), ([3, 2, 1], -1.0)])
def test_the_correlation_is_of_ranks(right, expected):
    assert scoring.spearman([10, 200, 201], right) == pytest.approx(expected)


def test_sentences_that_resemble_a_text_of_the_company_are_left_out(encoder):
    assert 0 < scoring.unseen(encoder, PAIRS).sentences < scoring.SENTENCES
    strange = [("zwoelf kurze worte", label) for label in TEXTS for _ in range(11)]
    assert scoring.unseen(encoder, strange).sentences == scoring.SENTENCES


def test_own_tickets_improve_the_score(encoder):
    other = dict(zip(TEXTS, [*list(TEXTS)[1:], "billing"], strict=True))
    measured = scoring.unseen(encoder, [(text, other[label]) for text, label in PAIRS])
    assert measured.f1 < 0.2 < 0.9 < measured.with_own
    assert measured.error > 0.3  # the built-in sentences are sure of the team that this company means otherwise


def test_topics_are_trained_on_the_first_examples_only(encoder):
    rows = [{"text": text, "label": label} for text, label in PAIRS]
    strange = [{"text": "a text of no topic", "label": "oos"}]
    assert scoring.topics(encoder, rows, rows[::7] + strange, examples=3) > 0.9


def test_urgency_that_the_text_does_not_show_has_a_low_ceiling(encoder):
    rows = [{"text": text, "urgency": position % 2 + 1} for position, (text, _) in enumerate(PAIRS)]
    visible = [{"text": text, "urgency": 2 if label == "technical" else 1} for text, label in PAIRS]
    classifier = TextClassifier(encoder)
    assert scoring.ceiling(encoder, rows, classifier)[1] < 0.45
    assert scoring.ceiling(encoder, visible, classifier)[1] > 0.6


def test_the_page_is_made_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(quality, "TIERS", ("none", "static"))
    monkeypatch.setattr(scoring, "INDUSTRIES", scoring.INDUSTRIES[:10])  # each industry trains a classifier
    monkeypatch.setattr(quality.incidents, "section", lambda folder: "")  # it needs thousands of texts
    rows = [
        {"text": text, "label": label, "source": source} for text, label in PAIRS for source in quality.SOURCES_IN_VIEW
    ]
    bank = [
        {"text": text, "label": labels.split()[0]}
        for team, labels in quality.BANK.items()
        for text, of in PAIRS
        if of == team
    ]
    it_tickets = [
        {"text": text, "label": labels.split()[0]}
        for team, labels in quality.DESK.items()
        for text, of in PAIRS
        if of == team
    ]
    urgency = [
        {"text": t, "urgency": u + 1, "group": g}
        for u, t in enumerate(TEXTS.values())
        for g in ("authored", "endava_real")
    ]
    human = [{"text": "I want to talk to a person", "wants_human": 1}, {"text": "where is my parcel", "wants_human": 0}]
    tone = [
        {"text": "thank you", "label": "positive", "escalate": 0},
        {"text": "terrible, never again", "label": "negative", "escalate": 1},
    ]
    files = {"t1_category": rows, "t2_urgency": urgency, "t3_authored": tone, "t3_wants_human": human}
    for name, some in {"clinc": bank, "it_tickets": it_tickets}.items():
        files |= {f"t5_{name}_train": some, f"t5_{name}_test": some}
    for name, lines in files.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    result = CliRunner().invoke(quality.main, [str(tmp_path)])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    for company in (
        "a shop (Bitext)",
        "companies in chats (MultiDoGO)",
        "a bank and travel desk",
        "an IT service desk",
    ):
        assert f"| {company}" in page
    assert "1.00 at 1.00" in page


def test_confidence_that_equals_accuracy_has_no_calibration_error():
    assert scoring.calibration_error([(True, 1.0)] * 3) == pytest.approx(0)
    assert scoring.calibration_error([(True, 0.5), (False, 0.5)]) == pytest.approx(0)
    assert scoring.calibration_error([(False, 1.0), (True, 0.4)]) == pytest.approx((1 + 0.6) / 2)


def test_auroc_counts_equal_scores_half():
    assert scoring.auroc([True, False, False], [0.5, 0.1, 0.5]) == 0.75


def test_every_intent_and_group_has_one_team():
    for teams in (quality.BANK, quality.DESK):
        assert set(teams) <= set(CATEGORIES)
        labels = " ".join(teams.values()).split()
        assert len(labels) == len(set(labels))
