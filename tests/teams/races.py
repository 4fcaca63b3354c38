"""Two who act on one team at once: the second begins in the middle of what the first does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.db import connection

BLOCKED_S = (
    0.3  # the second has met the first one's lock by then, or would have finished without one
)


class Meanwhile:
    """What somebody else does in a thread with a database connection of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._thread = threading.Thread(target=self._run)

    def starts_in(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
        """Begin when the first comes to this function of its module, for the first time."""
        original = getattr(module, name)

        def reached(*args: Any, **kwargs: Any) -> Any:
            if self._thread.ident is None:
                self._thread.start()
                self._thread.join(BLOCKED_S)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, reached)

    def outcome(self) -> Any:
        """What it returned, or the exception it raised."""
        self._thread.join()
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:
            self._result = error
        finally:
            connection.close()
