"""A clock that a test sets, for `open_app(clock=…)`."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)  # a Sunday


class Clock:
    """A clock that the test sets."""

    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, **time):
        """Lets this time pass, like minutes=5; a negative one sets the clock back."""
        self.now += timedelta(**time)
