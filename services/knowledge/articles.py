"""Articles: create, read, list, change and delete them, each change with its history."""

from typing import Any

import orjson
from sqlalchemy import Text, type_coerce
from sqlalchemy.exc import IntegrityError

from core.errors import conflict, not_found, stale
from core.models import ARTICLE_FIELDS, shape
from database.column_types import is_broken
from database.search.statements import containing
from database.tables import articles as table
from services import history
from services.clearing import pop_cleared
from services.history import Change, record
from storage import Row, UnitOfWork

PLAIN_FIELDS = ("title", "body", "tags", "category", "status", "source")
CLEARABLE: Row = {"tags": [], "source": ""}
_EXACT = ("status", "category", "source")


def get(uow: UnitOfWork, article_id: str, *, lock: bool = False, version: int | None = None) -> Row:
    """Returns the article. Raises AppError 404, and 412 if `version` is not the current one."""
    article = uow.get(table, article_id, lock=lock)
    if article is None:
        raise not_found()
    if version is not None and version != article["version"]:
        raise stale(shape(article, ARTICLE_FIELDS))
    return article


def find(uow: UnitOfWork, filters: Row) -> tuple[list[Row], int]:
    """One page of the articles that match all filters, those changed last first, and the total."""
    a = table.c
    matching = uow.query(table).where(*(a[name] == filters[name] for name in _EXACT if name in filters))
    if "tag" in filters:
        matching = matching.where(
            type_coerce(a.tags, Text).icontains(orjson.dumps(filters["tag"]).decode(), autoescape=True)
        )
    if "q" in filters:
        matching = containing(matching, filters["q"], [a.title, a.body])
    page = matching.order_by(a.updated_at.desc(), a.id.desc())
    return uow.find(page.limit(filters["limit"]).offset(filters["offset"])), uow.count(matching)


def create(uow: UnitOfWork, fields: Row, *, said_by: str = "") -> Row:
    """Adds an article. Raises AppError 409 when another one has its source."""
    times = {"created_at": uow.now, "updated_at": uow.now}
    try:
        article = uow.insert(table, {**fields, **times})
    except IntegrityError as error:
        raise _source_taken(error) from None
    record(uow, article["id"], [Change("created", "title", "", article["title"])], subject="article", said_by=said_by)
    return article


def update(uow: UnitOfWork, article: Row, fields: Row, *, said_by: str = "") -> Row:
    """Changes fields of an article that is locked, and empties those in `clear`; nothing happens when none differs.

    Raises AppError 400, 409.
    """
    fields |= pop_cleared(fields, CLEARABLE)
    changes = history.differences("changed", article, {**article, **fields}, PLAIN_FIELDS)
    if not changes:
        return article
    values = {**fields, "version": article["version"] + 1, "updated_at": uow.now}
    try:
        changed = uow.update(table, article["id"], values)
    except IntegrityError as error:
        raise _source_taken(error) from None
    record(uow, article["id"], changes, subject="article", said_by=said_by)
    return changed or article


def remove(uow: UnitOfWork, article: Row, *, said_by: str = "") -> None:
    """Deletes an article that is locked. Its history stays."""
    uow.delete(table, table.c.id == article["id"])
    record(uow, article["id"], [Change("deleted", "title", article["title"], "")], subject="article", said_by=said_by)


def import_one(uow: UnitOfWork, fields: Row) -> str:
    """Adds or updates the article of this `source`; returns created, updated or unchanged."""
    article = uow.first(uow.query(table).where(table.c.source == fields["source"]).with_for_update())
    if article is None:
        create(uow, fields)
        return "created"
    return "unchanged" if update(uow, article, fields)["version"] == article["version"] else "updated"


def _source_taken(error: IntegrityError) -> Exception:
    if is_broken(error, table, "uq_articles_source"):
        return conflict("source_taken", "There is an article with this source already.")
    return error


def article_history(uow: UnitOfWork, article_id: str) -> list[Any]:
    """The events of an article, oldest first. Raises AppError 404."""
    get(uow, article_id)
    return history.of_subject(uow, article_id, subject="article")
