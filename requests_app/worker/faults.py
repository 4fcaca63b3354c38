"""Describe an unexpected exception in one line: its type and the place in our code.

The exception's text is left out, for it may quote a user's input; the traceback is logged at DEBUG.
"""

from __future__ import annotations

import logging
import traceback

from django.db import InterfaceError, OperationalError

# A database outage is not the fault of the row that is being written.
DATABASE_AWAY = (OperationalError, InterfaceError)
_OURS = "requests_app"


def describe(error: BaseException) -> str:
    """Return ``OverflowError in lifecycle/writing.py:147``: the type and the innermost place of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{_OURS}/" in frame.filename]
    if not ours:
        return type(error).__name__
    path = ours[-1].filename.rpartition(f"/{_OURS}/")[2]
    return f"{type(error).__name__} in {path}:{ours[-1].lineno}"


def tell(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log in one line what failed, how and where."""
    logger.warning("%s: %s.", what, describe(error))
    logger.debug("%s.", what, exc_info=error)
