"""Statements that are built once in a process: one with many columns takes longer to build than to run.

They hold no data: the company and all values are parameters. So several apps in one process may share them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy import Select, Text, bindparam
from sqlalchemy.sql.elements import BindParameter

from database.driver_statements import kept
from storage import UnitOfWork

MOST = 300
_statements: OrderedDict[Hashable, Select[Any]] = OrderedDict()
_lock = threading.Lock()


def prepared(uow: UnitOfWork, key: Hashable, build: Callable[[], Select[Any]]) -> Select[Any]:
    """The statement of that key, which `build` makes with `uow.query` the first time.

    It holds no values: the company and everything else are parameters of each run.
    """
    key = (uow.dialect_name, uow.visibility, key)
    with _lock:
        if (statement := _statements.get(key)) is not None:
            _statements.move_to_end(key)
            return statement
    statement = kept(build())
    with _lock:
        _statements[key] = statement
        while len(_statements) > MOST:
            _statements.popitem(last=False)
    return statement


def text(name: str) -> BindParameter[str]:
    """A parameter that is text."""
    return bindparam(name, type_=Text())
