"""The files of trained heads: they are those that training gives, and a file of something else does not count."""

import numpy as np
import pytest

from ai import embeddings
from ai.embeddings import open_embeddings
from ai.triage import example_sentences as examples
from ai.triage import heads, trained_heads
from ai.triage.text_classifier import TextClassifier

NO_WEIGHTS = embeddings.importlib.util.find_spec(embeddings.PACKAGE) is None
TIERS = [
    "static",
    pytest.param("minilm", marks=pytest.mark.skipif(NO_WEIGHTS, reason="the weights are not installed")),
]
ENCODED = {"static": 1, "minilm": 10}  # each so many-th sentence is: minilm takes 10 milliseconds for one
TEXTS = ["Where is my parcel?", "I was charged twice, get me a person!", "Wie geht es?", "", "\x00"]


@pytest.fixture(scope="module")
def static():
    return open_embeddings("static")


class Known:
    """An encoder that knows its sentences only."""

    name = "known"

    def __init__(self, sentences, vectors):
        self.vectors = dict(zip(sentences, vectors, strict=True))

    def encode(self, texts):
        return np.stack([self.vectors[text] for text in texts])


def sentences():
    """Those of all heads, in the order in which a file has their vectors."""
    groups = (examples.CATEGORIES, examples.SENTIMENTS, examples.URGENCY)
    either = (examples.DISSATISFIED, examples.SATISFIED, examples.WANTS_HUMAN, examples.NO_HUMAN)
    return [text for group in groups for text in heads.flat(group)[0]] + [text for texts in either for text in texts]


@pytest.mark.parametrize("tier", TIERS)
def test_the_file_holds_what_training_gives(tier):
    """After a change of the sentences or of the training: python -m tools.models.train_heads."""
    encoder = open_embeddings(tier)
    stored = trained_heads.read(encoder)
    assert stored is not None
    trained = heads.train(Known(sentences(), stored.vectors))
    for one in ("vectors", "weights", "mean", "word_weights"):
        assert np.allclose(getattr(stored, one), getattr(trained, one), atol=2e-3)
    some = slice(None, None, ENCODED[tier])
    assert np.allclose(encoder.encode(sentences()[some]), stored.vectors[some], atol=2e-3)
    similarities = encoder.encode(TEXTS) @ stored.vectors.T
    assert np.allclose(stored.scores(similarities), trained.scores(similarities), atol=2e-3)
    for text in TEXTS:
        assert np.allclose(stored.word_scores(text), trained.word_scores(text), atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"PK no archive", None], ids=["empty", "no archive", "missing"])
def test_without_a_usable_file_the_heads_are_trained(tmp_path, monkeypatch, static, content):
    path = trained_heads.path_of("static", tmp_path)
    if content is not None:
        path.write_bytes(content)
    assert trained_heads.read(static, tmp_path) is None
    monkeypatch.setattr(trained_heads, "FOLDER", tmp_path)
    monkeypatch.setattr(trained_heads.read, "__defaults__", (tmp_path,))
    assert TextClassifier(static).classify("I was charged twice").categories["billing"] > 0.8


def test_a_file_of_other_sentences_or_of_another_encoder_does_not_count(tmp_path, monkeypatch, static):
    trained_heads.write(trained_heads.read(static), static, tmp_path)
    assert trained_heads.read(static, tmp_path) is not None

    class Other:
        name = "static"

        def encode(self, texts):
            return -static.encode(texts)

    assert trained_heads.read(Other(), tmp_path) is None
    monkeypatch.setattr(heads, "RIDGE", 0.4)
    assert trained_heads.read(static, tmp_path) is None
