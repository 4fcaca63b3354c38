"""Who acts and from where: set where a call enters, read where an entry is written."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """The caller of what runs now. Empty: the server acts by itself."""

    actor: str = ""
    token: str = ""  # the name of an API token
    address: str = ""  # network address


_origin: ContextVar[Callable[[], Origin]] = ContextVar("audit_origin", default=Origin)


def origin() -> Origin:
    """Return the caller of what runs now."""
    return _origin.get()()


def acting(caller: Callable[[], Origin]) -> Token[Callable[[], Origin]]:
    """Set who calls from here on; it is asked when an entry is written."""
    return _origin.set(caller)


def acted(token: Token[Callable[[], Origin]]) -> None:
    """Set who called before."""
    _origin.reset(token)
