"""A failed call of a model: its reason, read from the HTTP response or the error, and whether a second try makes sense."""

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ai.circuit_breaker import Health
from ai.model_answer import error_sentence

if TYPE_CHECKING:
    import httpx2

RETRY_PAUSE_SECONDS = 0.2
RETRIED_STATUSES = (408, 429)
MAX_ERROR_BYTES = 4096
ERROR_SECONDS = 0.5  # the longest the body of an error is read
# A provider that answers is up, however bad its answer: a customer's own words can provoke that. What is not named says
# nothing, unless the failure itself does.
HEALTH: dict[str, Health] = {
    "timeout": "failing",
    "rate_limited": "failing",
    "refused": "answered",
    "bad_answer": "answered",
    "too_large": "answered",
}
REASONS = {
    401: "wrong_key",
    403: "wrong_key",
    404: "unknown_model",
    408: "timeout",
    413: "too_large",
    429: "rate_limited",
}


class Failure(Exception):
    """One failed try: its reason, a detail for the log, after how many seconds a second try makes sense, and what it says of
    the provider's health (None: nothing)."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        retry_after: float | None = None,
        health: Health | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.health = health or HEALTH.get(reason)


def inspect(response: "httpx2.Response") -> None:
    """Refuse by the head alone: the body of an error, and of a compressed answer, is of any size."""
    status = response.status_code
    if status < 300:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Failure("bad_answer", "compressed")
        return
    retried = status in RETRIED_STATUSES or status >= 500
    reason = REASONS.get(status, "error" if retried or status < 400 else "rejected")
    pause = _pause(response.headers) if retried else None
    detail = f"status {status} {_provider_sentence(response)}".strip()
    raise Failure(reason, detail, retry_after=pause, health="failing" if retried else "answered", status=status)


def _provider_sentence(response: "httpx2.Response") -> str:
    """The provider's own words about a failure, from the first bytes of the body; "" when they cannot be read."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return ""
    body, ends = bytearray(), time.monotonic() + ERROR_SECONDS
    response.request.extensions["timeout"] = {"read": ERROR_SECONDS}
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= MAX_ERROR_BYTES or time.monotonic() >= ends:
                break
    except Exception:
        return ""  # the status is what counts
    return error_sentence(bytes(body[:MAX_ERROR_BYTES]))


def health_of(error: Exception) -> Health:
    """What an error says: before the connection stands, nothing of the request was sent."""
    import httpx2

    kinds = (httpx2.ConnectError, httpx2.ConnectTimeout)
    return "unreachable" if isinstance(error, kinds) or isinstance(error.__cause__, kinds) else "failing"


def _pause(headers: "httpx2.Headers") -> float:
    """Seconds until the next try: Retry-After in seconds or as a date (RFC 9110 §10.2.3), at least RETRY_PAUSE_SECONDS."""
    text = headers.get("retry-after", "").strip()
    try:
        if re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,9})?", text):
            seconds = float(text)
        else:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return RETRY_PAUSE_SECONDS
    return max(RETRY_PAUSE_SECONDS, seconds)
