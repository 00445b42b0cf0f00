"""How long a client may take to send a request or to read an answer."""

SECONDS = 10.0
BYTES_PER_SECOND = 100_000


def deadline(started: float, moved: int, now: float) -> float:
    """When a transfer ends that goes on at the least allowed pace, in the clock of `started` and `now` (seconds).

    Every `BYTES_PER_SECOND` of `moved` bytes earn another second; no pause may be longer than `SECONDS`.
    """
    return min(started + SECONDS + moved / BYTES_PER_SECOND, now + SECONDS)
