"""What became of an export: counts of what was taken, and each reason of what was not, with its first examples."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.help_desks.records import LeftOut
from services.help_desks.writing import KINDS

EXAMPLES = 3  # of each reason
MOST_REASONS = 500  # different reasons; a file may hold any words
MOST_FAILURES = 200  # lines that are named; all are counted


@dataclass(slots=True)
class Reason:
    """How often something was left out, and the first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """The outcome of an import. `failed` counts records that cannot be used, `failures` says why, with their places."""

    product: str
    dry_run: bool = False
    taken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    skipped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    replies: int = 0
    left_out: dict[str, Reason] = field(default_factory=dict)
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    def leave_out(self, reasons: Iterable[LeftOut]) -> None:
        """Counts what was left out."""
        for what, example in reasons:
            if what in self.left_out or len(self.left_out) < MOST_REASONS:
                reason = self.left_out.setdefault(what, Reason())
                reason.count += 1
                if len(reason.examples) < EXAMPLES and example:
                    reason.examples.append(example)

    def fail(self, place: str, message: str) -> None:
        """Counts a record that cannot be used."""
        self.failed += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(f"{place}: {message}")

    def lines(self) -> Iterator[str]:
        """The report as lines for a terminal."""
        yield f"Dry run, nothing was changed. From {self.product}:" if self.dry_run else f"From {self.product}:"
        for kind in KINDS:
            extra = f" with {self.replies:,} messages and notes" if kind == "tickets" and self.replies else ""
            here = f" ({self.skipped[kind]:,} here already, left as they are)" if self.skipped[kind] else ""
            yield f"  {self.taken[kind]:,} {kind}{extra}{here}"
        if self.left_out:
            yield "Not taken:"
        for what, reason in sorted(self.left_out.items(), key=lambda pair: -pair[1].count):
            examples = f" ({'; '.join(map(_printable, reason.examples))})" if reason.examples else ""
            yield f"  {reason.count:,} {_printable(what)}{examples}"
        if self.failed:
            yield f"Cannot be used: {self.failed:,}"
        yield from (f"  {_printable(failure)}" for failure in self.failures)
        if self.failed > len(self.failures):
            yield "  … and so on."


def _printable(text: str) -> str:
    """Text of a file as it may stand on a terminal: on one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)
