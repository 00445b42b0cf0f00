"""The tiers of embeddings: word pieces, the static table, the full encoder (if installed), and damaged files."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from ai import embeddings
from ai.embeddings import TABLE, Embeddings, open_embeddings
from ai.embeddings.static_table import TokenTable, write_table
from ai.embeddings.wordpiece import LONGEST_WORD, WordPiece, words

NOT_HERE = open_embeddings("").name != "minilm" and "CI" not in os.environ
ODD = [
    "",
    " \n",
    "😀" * 50,
    "\ud800",
    "\x00\x01",
    "a" * 20_000,
    "blocked " * 5_000,
    "QUJD" * 4_000,
    "你好 мир",
    "é" * 9_000,
]


@pytest.fixture(scope="module")
def table() -> Embeddings:
    return open_embeddings("static")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", ",", "world", "!"]),
        ("Café naïve", ["cafe", "naive"]),
        ("can't", ["can", "'", "t"]),
        ("snake_case", ["snake", "_", "case"]),
        ("zero\u200bwidth\tand\u00a0space", ["zerowidth", "and", "space"]),
        ("漢字 kana", ["漢", "字", "kana"]),
        ("“quoted” – dash…", ["“", "quoted", "”", "–", "dash", "…"]),
    ],
)
def test_a_text_is_split_into_words_and_signs(text, expected):
    assert words(text) == expected


def test_a_word_is_split_into_the_longest_known_pieces():
    pieces = WordPiece(["[UNK]", "play", "##ing", "##er", "p", "##l"])
    assert pieces("playing player pl", 9) == [1, 2, 1, 3, 4, 5]
    assert pieces("plq", 9) == [0]
    assert pieces("p" * (LONGEST_WORD + 1), 9) == [0]
    assert pieces("playing playing", 3) == [1, 2, 1]


def test_the_table_is_small_and_names_its_source(table):
    assert TABLE.stat().st_size <= 8_000_000
    about = TokenTable(TABLE).about
    assert about["teacher_sha256"].startswith("53aa5117")
    assert about["made_by"] == "tools/models/make_static_table.py"
    notice = (TABLE.parent / "NOTICE.md").read_text()
    assert about["teacher_sha256"] in notice
    assert "Apache" in notice


def test_texts_become_unit_vectors_and_equal_texts_equal_ones(table):
    vectors = table.encode(["I was charged twice", "I was charged twice", "Where is my parcel?"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[0] == vectors[1]).all()
    assert (vectors[0] == TokenTable(TABLE).encode(["I was charged twice"])[0]).all()


def test_similar_texts_have_a_higher_similarity_than_others(table):
    paid, refund, parcel = table.encode(
        ["You took the money from my card two times", "I was charged twice", "When will my delivery arrive?"]
    )
    assert paid @ refund > paid @ parcel + 0.1


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_any_text_has_a_unit_vector_or_zeros(table, text):
    (vector,) = table.encode([text])
    assert np.isfinite(vector).all()
    assert round(float(np.linalg.norm(vector)), 3) in (0.0, 1.0)


def test_more_texts_than_the_cache_holds_are_encoded_in_order(table, monkeypatch):
    monkeypatch.setattr(embeddings, "MAX_CACHED", 3)
    small = open_embeddings("static")
    texts = [f"ticket number {number}" for number in range(9)]
    assert (small.encode(texts) == table.encode(texts)).all()
    assert (small.encode(texts[::-1]) == table.encode(texts)[::-1]).all()


@pytest.mark.parametrize("keep", [0, 100, 10_000, -1000])
def test_without_a_usable_table_triage_uses_word_lists_and_the_note_says_so(tmp_path, keep, caplog):
    path = tmp_path / "table.npz"
    path.write_bytes(TABLE.read_bytes()[:keep])
    with caplog.at_level(logging.WARNING):
        opened = open_embeddings("static", table=path)
    assert (opened.name, bool(opened)) == ("none", False)
    assert "word lists alone" in opened.note
    assert opened.note in caplog.text


def test_a_table_with_one_wrong_byte_is_not_used(tmp_path):
    data = bytearray(TABLE.read_bytes())
    data[len(data) // 2] ^= 0x55
    path = tmp_path / "table.npz"
    path.write_bytes(data)
    assert open_embeddings("static", table=path).name == "none"


@pytest.mark.parametrize("rows", [2, 4])
def test_a_table_with_too_few_or_too_many_vectors_is_not_used(tmp_path, rows):
    path = tmp_path / "table.npz"
    write_table(path, np.ones((rows, 4), np.float32), vocabulary=["[UNK]", "a", "b"], about={})
    assert open_embeddings("static", table=path).name == "none"


def test_a_missing_table_is_tier_none():
    assert open_embeddings("static", table=Path("/nowhere/table.npz")).name == "none"


def test_equal_vectors_make_equal_files(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)
    files = []
    for name in ("one.npz", "two.npz"):
        write_table(tmp_path / name, vectors, vocabulary=["[UNK]", "a", "b"], about={"made": "here"})
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_without_the_encoder_the_static_table_is_used(monkeypatch):
    monkeypatch.setattr(embeddings, "PACKAGE", "no_such_package")
    assert open_embeddings("").name == "static"
    assert open_embeddings("").note == ""
    fallback = open_embeddings("minilm")
    assert fallback.name == "static"
    assert "requirements-semantic.txt" in fallback.note


@pytest.mark.skipif(NOT_HERE, reason="the weights of the full encoder are not installed")
def test_the_full_encoder_gives_unit_vectors_and_plausible_similarities():
    encoder = open_embeddings("minilm")
    same, like, other = encoder.encode(["I was charged twice", "My card was billed two times", "Where is my parcel?"])
    assert encoder.encode(["I was charged twice"]).shape == (1, 384)
    assert same @ like > 0.6 > 0.3 > same @ other
    assert np.allclose(np.linalg.norm(encoder.encode([text for text in ODD if text]), axis=1), 1, atol=1e-4)
