"""A provider's embeddings of articles: asked for in the background, kept, and replaced by ours whenever they fail."""

import pytest

from ai.embeddings import remote as remote_embeddings
from ai.embeddings.remote import RemoteEmbeddings
from ai.llm import ModelUnavailable, open_model
from database.vector_file import VectorFile
from jobs.handlers import ModelSync
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller

ARTICLE = {
    "title": "How long refunds take",
    "body": "A refund goes back to the card and arrives after five working days.",
}
QUESTION = "/api/search/knowledge?q=when does the refund arrive"


@pytest.fixture
def fake():
    with FakeModel() as server:
        yield server


@pytest.fixture
def app(open_app, fake):
    return open_app(openai_api_key="sk-test", openai_base_url=fake.url, openai_embedding_model="embed-1")


@pytest.fixture
def sync(runtime):
    return ModelSync(runtime)


def sent(fake):
    return [text for request in fake.requests for text in request.get("input", [])]


def test_articles_are_searched_by_the_providers_vectors_once_all_have_one(admin, fake, sync):
    article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    sync()
    before = admin.data(admin.get(QUESTION))
    assert [text for text in sent(fake) if "refund" in text] == [], (
        "no passage and no question is sent in a request yet"
    )
    sync()
    after = admin.data(admin.get(QUESTION))
    assert [hit["article_id"] for hit in after] == [hit["article_id"] for hit in before] == [article["id"]]
    assert after[0]["score"] != before[0]["score"]
    assert "when does the refund arrive" in sent(fake)
    assert {request["model"] for request in fake.requests if "input" in request} == {"embed-1"}


@pytest.mark.parametrize("mode", ["error500", "silent", "not_json", "wrong_shape", "unauthorized", "reset", "huge"])
def test_when_the_provider_fails_our_own_vectors_answer(admin, fake, sync, mode, monkeypatch):
    monkeypatch.setattr(remote_embeddings, "BATCH_SECONDS", 2.0)  # which pass while it is silent
    admin.post("/api/knowledge", ARTICLE)
    sync()
    admin.get(QUESTION)
    sync()
    fake.mode = mode
    assert [hit["title"] for hit in admin.data(admin.get(QUESTION))] == [ARTICLE["title"]]
    admin.post("/api/knowledge", {"title": "VAT", "body": "VAT is on every invoice."})
    assert admin.data(admin.get("/api/search/knowledge?q=VAT on an invoice"))[0]["title"] == "VAT"
    sync()


def test_vectors_of_articles_are_kept_and_questions_are_not(fake, tmp_path):
    model = open_model("sk-test", fake.url, "embed-1", 5.0)
    for number in range(2):
        file = VectorFile(tmp_path / "vectors.sqlite")
        remote = RemoteEmbeddings(model, file)
        remote.learn_width()
        rows = remote.encode(["a passage about refunds", "another one"])
        question = remote.encode_question("a question")
        assert rows.shape == (2, 32)
        assert question.shape == (32,)
        assert abs(float(rows[0] @ rows[0]) - 1) < 1e-5
        file.close()
        assert sent(fake).count("a passage about refunds") == 1
        assert sent(fake).count("a question") == number + 1


def test_card_numbers_are_masked_and_a_company_that_opts_out_sends_nothing(admin, fake, sync):
    admin.put("/api/settings", {"ai_enabled": False})
    admin.post("/api/knowledge", {"title": "Cards", "body": "Never send 4111 1111 1111 1111 by mail."})
    for _ in range(2):
        sync()
        admin.get("/api/search/knowledge?q=card 4111 1111 1111 1111")
    assert [text for text in sent(fake) if "ard" in text] == []
    admin.put("/api/settings", {"ai_enabled": True})
    for _ in range(2):
        admin.get("/api/search/knowledge?q=card 4111 1111 1111 1111")
        sync()
    assert any("Cards" in text for text in sent(fake))
    assert "4111" not in str(sent(fake))


def test_vectors_of_another_length_are_refused(fake, tmp_path, monkeypatch):
    remote = RemoteEmbeddings(open_model("sk-test", fake.url, "embed-1", 5.0), VectorFile(tmp_path / "vectors.sqlite"))
    remote.learn_width()
    monkeypatch.setattr("tests.fakes.fake_model.bag_of_words", lambda text: [1.0, 2.0])
    with pytest.raises(ValueError, match="length"):
        remote.encode_question("a question")


def test_a_file_that_cannot_be_made_is_done_without(fake, tmp_path):
    remote = RemoteEmbeddings(
        open_model("sk-test", fake.url, "embed-1", 5.0), VectorFile(tmp_path / "no" / "vectors.sqlite")
    )
    remote.learn_width()
    assert remote.encode(["one", "two"]).shape == (2, 32)
    fake.mode = "error500"
    with pytest.raises(ModelUnavailable):
        remote.encode(["three", "four"])


def test_without_the_setting_nothing_is_sent(open_app, fake):
    app = open_app(openai_api_key="sk-test", openai_base_url=fake.url)
    admin = Caller(app.test_client(), "admin-key")
    admin.post("/api/knowledge", ARTICLE)
    ModelSync(app.extensions["runtime"])()
    admin.get(QUESTION)
    assert sent(fake) == []
