"""Statements that are built once in a process: one with many columns takes longer to build than to run.

They hold no data: the company and all values are parameters. So several apps in one process may share them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import CompoundSelect, Select, Text, bindparam
from sqlalchemy.sql.elements import BindParameter

from database.driver_statements import kept
from storage import UnitOfWork

MOST = 300
Statement = TypeVar("Statement", Select[Any], CompoundSelect[Any])
_statements: OrderedDict[Hashable, Any] = OrderedDict()
_lock = threading.Lock()


def prepared(uow: UnitOfWork, key: Hashable, build: Callable[[], Statement]) -> Statement:
    """The statement of that key, which `build` makes with `uow.query` the first time.

    It holds no values: the company and everything else are parameters of each run.
    """
    key = (uow.dialect_name, uow.visibility, key)
    with _lock:
        if (known := _statements.get(key)) is not None:
            _statements.move_to_end(key)
            return known  # type: ignore[no-any-return]
    statement = kept(build())
    with _lock:
        _statements[key] = statement
        while len(_statements) > MOST:
            _statements.popitem(last=False)
    return statement


def text(name: str) -> BindParameter[str]:
    """A parameter that is text."""
    return bindparam(name, type_=Text())
