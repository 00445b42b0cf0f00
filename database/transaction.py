"""What one transaction holds for everybody who acts in it. storage.py opens it and asks it; nothing is decided here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from database.read_cache import ReadCache
from database.search.words import Index
from database.statement_runner import StatementRunner

# (queue, kind) -> what is called with the company and the job, after the commit; such jobs are not stored.
DirectJobs = dict[tuple[str, str], Callable[[str, Any], None]]
WriteOrder = Callable[[str], str]  # locks a company for writing and returns the order stamp of the write


@dataclass(slots=True, kw_only=True)
class Transaction:
    """A transaction: its connection, the real clock at its begin, and what belongs to its commit."""

    connection: Connection
    index: Index
    real_now: str
    read_cache: ReadCache | None = None  # None in write transactions and snapshots: the cache holds the last commit
    begin_write: WriteOrder | None = None  # None in read transactions
    touched: set[str] = field(default_factory=set)  # names of the tables written to
    direct_jobs: DirectJobs = field(default_factory=dict)
    after_commit: list[Callable[[], None]] = field(default_factory=list)  # called once the changes are durable
    runner: StatementRunner = field(init=False)
    members: list[Any] = field(default_factory=list)  # its units of work with an order stamp of their own

    def __post_init__(self) -> None:
        self.runner = StatementRunner(self.connection)
