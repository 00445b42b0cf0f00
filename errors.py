"""Exceptions that carry the answer the caller gets: status, stable code and a sentence for a person.

They are raised anywhere below the API and turned into a body in one place, api/envelope.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid field: which, and what is accepted."""

    field: str
    message: str


@dataclass
class AppError(Exception):
    """An answer other than success. `code` is stable snake_case, `message` is for people."""

    message: str
    code: str = "internal_error"
    status: int = 500
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    current: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.message


class StoreUnavailable(AppError):
    """503: the store cannot do its part. Where it failed this was logged already."""

    def __init__(self) -> None:
        message = "The data store cannot do this right now. Please try again shortly."
        super().__init__(message, "unavailable", 503, headers={"Retry-After": "5"})


class StorageError(Exception):
    """The store cannot be opened; the text is for the person who starts the desk."""


def invalid(*errors: FieldError) -> AppError:
    """400: every invalid field at once."""
    first = errors[0]
    rest = len(errors) - 1
    message = first.message if not rest else f"{first.message} ({rest} more to correct: see data.errors.)"
    return AppError(message, "invalid_fields", 400, errors)


def invalid_field(name: str, message: str) -> AppError:
    """400 for one field."""
    return invalid(FieldError(name, message))


def read_only(names: Sequence[str]) -> AppError:
    """400: these fields cannot be changed."""
    errors = [FieldError(name, f"{name} is read_only: it cannot be changed.") for name in names]
    return replace(invalid(*errors), code="read_only")


def bad_request(code: str, message: str) -> AppError:
    """400 for a body that cannot be read at all."""
    return AppError(message, code, 400)


def unauthorized() -> AppError:
    """401: no credentials, or bad ones; which of the two is not told."""
    return AppError(
        "Send a valid API key in the X-API-Key header.",
        "unauthorized",
        401,
        headers={"WWW-Authenticate": 'Bearer realm="foyer"'},
    )


def forbidden(message: str = "Your role may not do this.") -> AppError:
    """403: known, but not allowed."""
    return AppError(message, "forbidden", 403)


def nameless_customer() -> AppError:
    """403: the credentials are a customer's and do not say whose."""
    message = (
        "Say which customer this is: send X-On-Behalf-Of with an e-mail address or customer id. "
        "Who signs in as a customer needs a confirmed e-mail address."
    )
    return AppError(message, "customer_not_named", 403)


def not_found() -> AppError:
    """404: no such thing for this caller; the same words whether it exists elsewhere or not."""
    return AppError("There is no such thing here.", "not_found", 404)


def conflict(code: str, message: str, *, retry_after: int | None = None) -> AppError:
    """409: the state of things does not allow this now."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return AppError(message, code, 409, headers=headers)


def stale(current: Mapping[str, Any]) -> AppError:
    """412: the named version is not the current one, which is sent along."""
    message = "Somebody changed this in the meantime. Look at it again and repeat your change."
    return AppError(message, "stale_version", 412, current=current)


def too_large(limit: int) -> AppError:
    """413: the body is longer than `limit` bytes, whole MiB."""
    return AppError(f"The request is too large: at most {limit // 2**20} MiB are accepted.", "too_large", 413)


def form_too_large(parts: int, text: int) -> AppError:
    """413: a form has more than `parts` parts, or more than `text` bytes (whole MiB) outside its files."""
    limits = f"at most {parts:,} parts and {text // 2**20} MiB of text beside its file are accepted"
    return AppError(f"The form is too large: {limits}.", "too_large", 413)


def unavailable(message: str, *, retry_after: int = 5) -> AppError:
    """503: something this request needs is down; `retry_after` is in seconds."""
    return AppError(message, "unavailable", 503, headers={"Retry-After": str(retry_after)})
