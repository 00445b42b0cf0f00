"""Importing articles over HTTP: a Markdown file, a ZIP of them, or CSV or JSON, as the body or as a part of a form."""

from functools import partial

from flask import g, request
from marshmallow import Schema, fields

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.gate import current_runtime
from api.http.parsing import load_values, upload
from api.http.resource import Resource
from api.imports import FORM, MAX_FILE, RowError
from api.knowledge import WholeArticle
from core.permissions import Permission
from services.import_export import spreadsheets
from services.import_export.imports import SECONDS
from services.knowledge import import_files, imports
from storage import Row

blp = Resource("knowledge_imports", __name__, description="Bringing in articles from elsewhere.")

_ARTICLE = WholeArticle()
SUFFIXES = {
    "text/markdown": ".md",
    "text/plain": ".md",
    "text/csv": ".csv",
    spreadsheets.MEDIA_TYPE: ".xlsx",
    "application/json": ".json",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
}


class ImportedArticles(Schema):
    """What became of the articles."""

    read = schemas.integer("Articles that were read.")
    created = schemas.integer("Articles that are new.")
    updated = schemas.integer("Articles that were changed.")
    unchanged = schemas.integer("Articles that were here already, the same.")
    rejected = schemas.integer("Articles that cannot be used.")
    errors = fields.List(
        fields.Nested(RowError), required=True, metadata={"description": "Why articles were refused, the first 200."}
    )


def check_article(values: Row) -> Row:
    """The fields of an imported article in the server's own form. Raises AppError 400 naming every wrong field."""
    return load_values(_ARTICLE, values)


def summary(result: imports.Result) -> str:
    """The outcome in one sentence."""
    counts = f"{result.created} new, {result.updated} changed, {result.unchanged} the same, {result.rejected} refused"
    return f"{how_many(result.read, 'article')[:-1]} read: {counts}."


@blp.post(
    "/api/import/knowledge",
    "ImportArticles",
    permission=Permission.KNOWLEDGE_WRITE,
    response=ImportedArticles,
    manages_transactions=True,
    max_body=MAX_FILE,
    media={
        "application/zip": {"type": "string", "format": "binary", "description": "A ZIP of Markdown files."},
        "text/markdown": {"type": "string", "description": "One article."},
        "text/csv": {"type": "string", "description": "A CSV file with the columns question and answer."},
        spreadsheets.MEDIA_TYPE: {"type": "string", "format": "binary", "description": "The same as an Excel file."},
        "application/json": {"type": "object", "description": 'A list of articles, or {"articles": […]}.'},
        "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
    },
)
def import_articles() -> Answer:
    """Import articles.

    Takes Markdown with front matter, a ZIP of such files, or CSV, JSON or Excel. Their fields are question and answer, or title
    and body; tags, category, status and source are optional. An article is found again by its source; a second import
    changes only what changed.
    """
    part = next(iter(request.files.values()), None) if request.mimetype == FORM else None
    name = (part.filename if part else "") or ""
    media, params = (part or request).mimetype, (part or request).mimetype_params
    rows = import_files.read(name, upload(request).read(), SUFFIXES.get(media, ""), charset=params.get("charset", ""))
    result = imports.import_rows(
        partial(current_runtime().storage.unit_of_work, g.actor), rows, check_article, seconds=SECONDS
    )
    return Answer(result.as_data(), summary(result))
