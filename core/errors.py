"""Exceptions that carry an error response: HTTP status, stable code and a message for people.

Any level below the API raises them; api/http/envelope.py renders them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid field and what it accepts."""

    field: str
    message: str


@dataclass
class AppError(Exception):
    """An error response. `code` is stable snake_case, `message` is for people."""

    message: str
    code: str = "internal_error"
    status: int = 500
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    current: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)  # further fields of data

    def __str__(self) -> str:
        return self.message


class StoreUnavailable(AppError):
    """503: the store failed. The place of the failure has logged it."""

    def __init__(self) -> None:
        message = "The data store is not available. Please try again shortly."
        super().__init__(message, "unavailable", 503, headers={"Retry-After": "5"})


class StorageError(Exception):
    """The store cannot be opened; the text is for the operator."""


def invalid(*errors: FieldError) -> AppError:
    """400: all invalid fields at once."""
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
    """400 for a request that cannot be read."""
    return AppError(message, code, 400)


def unauthorized(message: str = "Send a valid API key in the X-API-Key header.") -> AppError:
    """401: credentials are missing or invalid; the response does not tell which. `message` says what to send."""
    return AppError(
        message,
        "unauthorized",
        401,
        headers={"WWW-Authenticate": 'Bearer realm="foyer"'},
    )


def forbidden(message: str = "Your role may not do this.") -> AppError:
    """403: authenticated, but not allowed."""
    return AppError(message, "forbidden", 403)


def nameless_customer() -> AppError:
    """403: customer credentials that name no customer."""
    message = (
        "Say which customer this is: send X-On-Behalf-Of with an e-mail address or customer id. "
        "Who signs in as a customer needs a confirmed e-mail address."
    )
    return AppError(message, "customer_not_named", 403)


def second_factor_missing() -> AppError:
    """403: a person whose company requires a second factor has none."""
    message = "Your company requires a second factor. Set it up before you go on."
    return AppError(message, "second_factor_setup_required", 403)


def not_found() -> AppError:
    """404: the same message for a record of another company and for none."""
    return AppError("Not found.", "not_found", 404)


def conflict(code: str, message: str, *, retry_after: int | None = None) -> AppError:
    """409: not possible in the current state; `retry_after` is in seconds."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return AppError(message, code, 409, headers=headers)


def stale(current: Mapping[str, Any]) -> AppError:
    """412: the version sent is not the current one; the current record is in the response."""
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
    """503: a required service is down; `retry_after` is in seconds."""
    return AppError(message, "unavailable", 503, headers={"Retry-After": str(retry_after)})
