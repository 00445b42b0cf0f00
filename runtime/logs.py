"""How the process writes its log: one line format, every line masked, what errors quote included. Decides nothing else."""

import logging

from core.redaction import mask

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("alembic", "werkzeug", "httpx", "httpx2")


class Masked(logging.Formatter):
    """Takes card numbers, IBANs, passwords and keys out of the finished line, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = super().format(record)
        return line if getattr(record, "is_masked", False) else mask(line)


def to_stderr(level: str) -> None:
    """Sends the log to stderr; whoever has set up logging before keeps their own handlers."""
    handler = logging.StreamHandler()
    handler.setFormatter(Masked(FORM))
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def mask_handlers(name: str = "") -> None:
    """Masks what the handlers of a logger write that a host made: those of gunicorn, or the root's of AWS Lambda."""
    for handler in logging.getLogger(name).handlers:
        handler.setFormatter(Masked(FORM))
