"""The files of trained heads: they are those that training gives, and a file of something else does not count."""

import numpy as np
import pytest

from ai import embeddings
from ai.embeddings import open_embeddings
from ai.triage import heads, trained_heads
from ai.triage.text_classifier import TextClassifier

NO_WEIGHTS = embeddings.importlib.util.find_spec(embeddings.PACKAGE) is None
TIERS = [
    "static",
    pytest.param("minilm", marks=pytest.mark.skipif(NO_WEIGHTS, reason="the weights are not installed")),
]
TEXTS = ["Where is my parcel?", "I was charged twice, get me a person!", "Wie geht es?", "", "\x00"]


@pytest.fixture(scope="module")
def static():
    return open_embeddings("static")


@pytest.mark.parametrize("tier", TIERS)
def test_the_file_holds_what_training_gives(tier):
    """After a change of the sentences or of the training: python -m tools.models.train_heads."""
    encoder = open_embeddings(tier)
    stored, trained = trained_heads.read(encoder), heads.train(encoder)
    assert stored is not None
    vectors = encoder.encode(TEXTS)
    for one in ("weights", "mean", "word_weights"):
        assert np.allclose(getattr(stored, one), getattr(trained, one), atol=2e-3)
    assert np.allclose(
        stored.scores(vectors @ stored.vectors.T), trained.scores(vectors @ trained.vectors.T), atol=2e-3
    )
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
