"""What all dialects share: routes that answer without our envelope, their errors, and their times.

A dialect translates shapes and calls the services that /api calls. Its routes go through the same gate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from marshmallow import Schema

from api.http.envelope import ErrorForm, as_json
from api.http.resource import ERRORS, Resource
from core.errors import AppError

WAIT_SECONDS = 10  # for the answer and urgency of the model, which the response to a new ticket holds
RESOLUTION = "Your request was resolved."  # what customers read: these clients send no resolution
MOST_REASONS = 5  # sentences of a refused request


class Dialect(Resource):
    """A resource in the shapes of another help desk. Below `paths` every error has its `error_form`.

    `added_properties` are the OpenAPI properties that it adds to answers of ours, by the name of our schema.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        description: str,
        paths: Sequence[str],
        error_form: ErrorForm,
        error_schema: dict[str, Any],
        errors: Mapping[int, str] = ERRORS,
        added_properties: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(name, import_name, description=description)
        self.paths, self.error_form, self.error_schema, self.errors = paths, error_form, error_schema, dict(errors)
        self.added_properties = added_properties or {}

    def _answer_schema(self, schema: type[Schema], *, many: bool) -> Any:
        return schema(many=many)


def show(body: Any, status: int = 200, headers: Mapping[str, Any] | None = None) -> Response:
    """The body as it is, without an envelope."""
    return as_json(body, status, headers or {})


def reasons(error: AppError) -> str:
    """Why a request was refused, as text: every invalid field, since there is no list beside it."""
    if error.status == 500:
        return "Internal error. Please try again; if it happens again, report the header X-Request-ID."
    messages = [one.message for one in error.errors[:MOST_REASONS]] or [error.message]
    return " ".join(messages)


def error_text(error: AppError) -> tuple[Any, int]:
    """The form of errors `{"error": "…"}`."""
    return {"error": reasons(error)}, error.status


ERROR_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "What is wrong."}},
    "required": ["error"],
}


def without_zone(moment: str | None) -> str | None:
    """A time of UTC as these clients write it: 2026-06-02T08:00:00. None when it is not set."""
    return moment[:19] if moment else None
