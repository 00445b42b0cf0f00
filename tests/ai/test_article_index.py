"""The index of articles: what is found, in which order, and what is not."""

import threading

import pytest

from ai.embeddings import Embeddings, open_embeddings
from ai.retrieval.index import Article, ArticleIndex
from services.knowledge.company_index import terms

ARTICLES = {
    "password": Article("Reset your password", "Choose Forgot password.\n\n## New phone\n\nUse a recovery code.", 1),
    "refund": Article("Refunds", "A refund goes back to the card. It takes five days.", 1),
    "labels": Article("Shipping labels", "Labels print at half size when the dialog scales them.", 1),
}


@pytest.fixture(params=["static", "none"])
def index(request):
    embeddings = open_embeddings("static") if request.param == "static" else Embeddings(None, "none")
    made = ArticleIndex(embeddings, terms)
    made.update(ARTICLES)
    made.encode(seconds=10)
    return made


@pytest.mark.parametrize(
    ("question", "article", "heading", "words"),
    [
        ("I forgot my password", "password", "", "Forgot password"),
        ("how can I use a recovery code on a new phone", "password", "New phone", "recovery code"),
        ("when do refunds arrive on my card", "refund", "", "goes back to the card"),
        ("label printing is half the size", "labels", "", "half size"),
    ],
)
def test_the_passage_that_answers_comes_first(index, question, article, heading, words):
    best = index.search(question, 3)[0]
    assert (best.article_id, best.heading) == (article, heading)
    assert words in best.passage
    assert 0 < best.score <= 1


def test_each_article_is_found_once_best_first(index):
    hits = index.search("password phone recovery refund labels", 3)
    assert len({hit.article_id for hit in hits}) == len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(index.search("password phone recovery refund labels", 2)) == 2


@pytest.mark.parametrize("question", ["", "?!", "😀", "zzz qqq"])
def test_a_question_without_known_words_scores_next_to_nothing(index, question):
    assert all(hit.score < 0.2 for hit in index.search(question, 3))


def test_a_removed_or_changed_article_is_not_found_by_its_old_words(index):
    index.update({"refund": Article("Returns", "Send the parcel back.", 2)}, ["labels"])
    index.encode(seconds=10)
    assert index.versions == {"password": 1, "refund": 2}
    assert index.search("Send the parcel back", 1)[0].article_id == "refund"
    assert "labels" not in {hit.article_id for hit in index.search("labels print at half size", 3)}
    assert all("card" not in hit.passage for hit in index.search("refund to the card", 3))


def test_an_empty_index_finds_nothing():
    assert ArticleIndex(Embeddings(None, "none"), terms).search("refund", 3) == []


def test_passages_without_a_vector_yet_are_found_by_their_words():
    made = ArticleIndex(open_embeddings("static"), terms)
    made.update(ARTICLES)
    assert made.search("refund card", 1)[0].article_id == "refund"
    before = made.search("refund card", 1)[0].score
    assert made.encode(seconds=0) is False
    assert made.encode(seconds=10) is True
    assert made.search("refund card", 1)[0].score > before


def test_threads_that_encode_and_search_at_once_get_answers():
    made = ArticleIndex(open_embeddings("static"), terms)
    made.update({str(number): Article(f"T{number}", f"Word{number} is a thing. " * 300, 1) for number in range(20)})
    errors = []

    def work(number):
        try:
            for _ in range(20):
                made.encode(seconds=0.01)
                assert made.search(f"word{number} thing", 1)[0].article_id == str(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
