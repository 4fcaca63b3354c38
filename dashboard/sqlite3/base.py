"""Make the writers of one process take turns by a Python lock instead of SQLite's polling.

SQLite has one writer at a time. A connection that finds the file locked sleeps, in the end for 100
ms at a time, while others take the lock: a webhook waited for a third of a second, a submit for
two, for a lock that was free half of the time. A Python lock wakes the next waiter at once. Other
processes, and single statements outside a transaction (over in a moment), still meet at SQLite's
own lock.

The lock is not fair: the next in line would have to be scheduled first, and under load all others
would wait for that each time.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

DEFAULT_TIMEOUT_S = 5.0  # of Python's sqlite3

turn = threading.Lock()  # a process has one database


class Cursor(base.SQLiteCursorWrapper):
    """Django's cursor, with a cache of the converted statements.

    A statement that inserts hundreds of rows has thousands of placeholders to replace.
    """

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """Return the query with SQLite's placeholders."""
        if param_names is None:
            return _with_question_marks(query)
        return str(super().convert_query(query, param_names=param_names))


@lru_cache(maxsize=512)
def _with_question_marks(query: str) -> str:
    return str(base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%"))


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection. Its transactions are IMMEDIATE: each may write."""

    _has_turn = False

    def create_cursor(self, name: str | None = None) -> Cursor:
        return self.connection.cursor(factory=Cursor)  # type: ignore[no-any-return]

    def _start_transaction_under_autocommit(self) -> None:
        timeout_s = self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT_S)
        if not turn.acquire(timeout=timeout_s):
            raise OperationalError("database is locked")
        self._has_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            turn.release()
