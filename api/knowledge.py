"""Knowledge over HTTP: the company's articles, and the passages that answer a question."""

from flask import request
from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Number, Text, Words
from api.http.gate import current_runtime
from api.http.parsing import load_body
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from core import models
from core.models import ARTICLE_FIELDS, LIMITS, event_shape, shape
from core.permissions import Permission
from services.knowledge import articles, citations
from storage import Row, UnitOfWork

PASSAGE_FIELDS = ("article_id", "title", "passage", "heading", "score")
blp = Resource("knowledge", __name__, description="Articles that answer questions, and their search.")
_VERSIONED = Versioned()


class Article(Schema):
    """An article."""

    id = schemas.text("Id of the article.")
    title = schemas.text("What it is about.")
    body = schemas.text("The article, in Markdown.")
    tags = schemas.texts("Words to find and group articles by.")
    category = schemas.word(models.CATEGORIES, "Kind of question it answers.")
    status = schemas.word(models.ARTICLE_STATUSES, "Only published articles are searched and shown to customers.")
    source = schemas.text("Where an import took it from; unique.")
    version = schemas.integer("Goes up with each change.")
    created_at = schemas.moment("When it was added.", required=True)
    updated_at = schemas.moment("When it was last changed.", required=True)
    times_answered = schemas.integer("How many tickets it answered; left out for customers.", required=False)
    times_escalated = schemas.integer(
        "How many of them a person answered too, or still has to; left out for customers.", required=False
    )


class ArticleFields(Schema):
    """Fields of an article that callers write."""

    ALIASES = {"question": "title", "answer": "body", "text": "body"}

    tags = Words(LIMITS["tags"], Text(LIMITS["tag"]), about="Words to find and group articles by, at most 20.")
    category = Choice(models.CATEGORIES, about="Kind of question it answers; general when not given.")
    status = Choice(models.ARTICLE_STATUSES, about="draft or published; published when not given.")
    source = Text(LIMITS["external_id"], about="Where it comes from, such as a path; unique.")


class WholeArticle(ArticleFields):
    """An article with all that it needs."""

    title = Text(LIMITS["title"], required=True, about="What it is about, such as the question it answers.")
    body = Text(LIMITS["article"], lines=True, required=True, about="The article, in Markdown.")


class NewArticle(WholeArticle, Versioned, Repeatable):
    """An article to add."""

    class Meta:
        exclude = ("version",)


class ArticleChanges(ArticleFields, Versioned):
    """Fields of an article to change; what is left out stays."""

    READ_ONLY = frozenset({"id", "created_at", "updated_at", *citations.NAMES})

    title = Text(LIMITS["title"], about="What it is about.")
    body = Text(LIMITS["article"], lines=True, about="The article, in Markdown.")
    clear = Words(2, Choice(tuple(articles.CLEARABLE)), about="Fields to empty.")


class ArticleQuery(PageQuery):
    """Which articles."""

    status = Choice(models.ARTICLE_STATUSES, about="draft or published.")
    category = Choice(models.CATEGORIES, about="Kind of question.")
    tag = Text(LIMITS["tag"], about="Only articles with this tag.")
    source = Text(LIMITS["external_id"], about="Only the article from there.")
    q = Text(LIMITS["q"], about="Words that title or body must hold.")


class Question(Schema):
    """A question to find passages for."""

    q = Text(2_000, lines=True, required=True, about="The question, in the customer's words.")
    k = Number(1, 20, load_default=3, about="How many passages at most, one of each article.")


class FoundPassage(Schema):
    """A passage that may answer the question."""

    article_id = schemas.text("Id of the article.")
    title = schemas.text("Title of the article.")
    passage = schemas.text("The sentences that match.")
    heading = schemas.text("The heading they stand under.")
    score = schemas.decimal("How well they match, from 0 to 1.")


def article_answer(uow: UnitOfWork, article: Row, message: str, *, status: int = 200) -> Answer:
    """One article as the caller sees it, with its version as ETag."""
    (data,) = _shapes(uow, [article])
    return Answer(data, message, status, headers={"ETag": f'"{article["version"]}"'})


def _shapes(uow: UnitOfWork, rows: list[Row]) -> list[Row]:
    """Articles as the caller sees them: staff also see how often each answered."""
    if uow.actor.is_customer:
        return [shape(row, ARTICLE_FIELDS) for row in rows]
    counts = citations.counts(uow, [row["id"] for row in rows])
    return [shape(row, ARTICLE_FIELDS) | counts[row["id"]] for row in rows]


@blp.get(
    "/api/knowledge",
    "ListArticles",
    permission=Permission.KNOWLEDGE_READ,
    query=ArticleQuery,
    response=Article,
    many=True,
)
def list_articles(uow: UnitOfWork, query: Row) -> Answer:
    """List articles.

    Those changed last first. Customers see published ones.
    """
    rows, total = articles.find(uow, query)
    return Answer(_shapes(uow, rows), how_many(total, "article"), page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/knowledge",
    "CreateArticle",
    permission=Permission.KNOWLEDGE_WRITE,
    body=NewArticle,
    response=Article,
    status=201,
)
def create_article(uow: UnitOfWork, body: Row) -> Answer:
    """Add an article.

    A published article is found by the next search.
    """
    who = pop_actor_and_version(body)["said_by"]
    return article_answer(uow, articles.create(uow, body, said_by=who), "The article is added.", status=201)


@blp.get(
    "/api/knowledge/<article_id>",
    "GetArticle",
    permission=Permission.KNOWLEDGE_READ,
    response=Article,
    guests="60 per minute",  # who read an answer may read what it rests on
)
def get_article(uow: UnitOfWork, article_id: str) -> Answer:
    """Get an article.

    One article by its id.
    """
    article = articles.get(uow, article_id)
    return article_answer(uow, article, "One article.")


def _change(uow: UnitOfWork, article_id: str, body: Row) -> Answer:
    who = pop_actor_and_version(body)
    article = articles.get(uow, article_id, lock=True, version=who["version"])
    return article_answer(uow, articles.update(uow, article, body, said_by=who["said_by"]), "The article is saved.")


@blp.put(
    "/api/knowledge/<article_id>",
    "UpdateArticle",
    permission=Permission.KNOWLEDGE_WRITE,
    body=ArticleChanges,
    response=Article,
)
def update_article(uow: UnitOfWork, article_id: str, body: Row) -> Answer:
    """Update an article.

    Changes the fields that are given and leaves the others; name the version you saw to be sure nothing is overwritten.
    """
    return _change(uow, article_id, body)


@blp.patch(
    "/api/knowledge/<article_id>",
    "PatchArticle",
    permission=Permission.KNOWLEDGE_WRITE,
    body=ArticleChanges,
    response=Article,
)
def patch_article(uow: UnitOfWork, article_id: str, body: Row) -> Answer:
    """Change parts of an article.

    The same as updating it.
    """
    return _change(uow, article_id, body)


@blp.delete(
    "/api/knowledge/<article_id>", "DeleteArticle", permission=Permission.KNOWLEDGE_WRITE, response=schemas.Deleted
)
def delete_article(uow: UnitOfWork, article_id: str) -> Answer:
    """Delete an article.

    No search finds it any more. Its history stays in the audit.
    """
    body = load_body(_VERSIONED, request)
    who = pop_actor_and_version(body)
    article = articles.get(uow, article_id, lock=True, version=who["version"])
    articles.remove(uow, article, said_by=who["said_by"])
    return Answer({"deleted": True}, "The article is deleted.")


@blp.get(
    "/api/knowledge/<article_id>/history",
    "ListArticleHistory",
    permission=Permission.HISTORY_READ,
    response=schemas.Event,
    many=True,
)
def list_article_history(uow: UnitOfWork, article_id: str) -> Answer:
    """List an article's history.

    Each change with the values before and after, oldest first.
    """
    events = [event_shape(row) for row in articles.article_history(uow, article_id)]
    return Answer(events, how_many(len(events), "event"), page=(len(events), len(events), 0))


@blp.get(
    "/api/search/knowledge",
    "SearchKnowledge",
    permission=Permission.KNOWLEDGE_READ,
    query=Question,
    response=FoundPassage,
    many=True,
    guests="30 per minute",  # the portal answers before anybody signs in
)
def search_knowledge(uow: UnitOfWork, query: Row) -> Answer:
    """Find passages that answer a question.

    Searches published articles by words and by meaning; the best first, one passage of each article.
    """
    hits = current_runtime().knowledge.search(uow, query["q"], query["k"])
    data = [{name: getattr(hit, name) for name in PASSAGE_FIELDS} for hit in hits]
    return Answer(data, how_many(len(data), "passage"), page=(len(data), len(data), 0))
