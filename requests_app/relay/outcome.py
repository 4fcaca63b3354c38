"""How a session ended: one value for the row and for the tab. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from requests_app.fal import CloseReason, FalError, Refused, Unanswered
from requests_app.models import ErrorType, Status
from requests_app.rules.transitions import CallEnded


@dataclass(frozen=True)
class SessionOutcome:
    """`kind`: normal, timeout, error, lost, refused or disconnected.

    `code` and `reason` are the close frame's; `http_code` is the answer to a refused handshake.
    """

    kind: str
    sentence: str
    status: str
    code: int | None = None
    reason: str = ""
    http_code: int | None = None

    @property
    def news(self) -> CallEnded:
        """Return the report for the row."""
        close: dict[str, Any] = {} if self.code is None else {"close_code": self.code}
        if self.reason:
            close["reason"] = self.reason[:500]
        kind = _ERROR_TYPES.get(self.kind, "")
        return CallEnded(self.status, kind, self.sentence, self.http_code, close)

    def message(self) -> dict[str, Any]:
        """Return the message for the tab."""
        return {
            "type": "ended", "kind": self.kind, "code": self.code, "reason": self.reason,
            "http_code": self.http_code, "sentence": self.sentence, "status": self.status,
        }  # fmt: skip


_ERROR_TYPES = {
    "lost": ErrorType.INTERRUPTED,
    "refused": ErrorType.REFUSED,
    "error": ErrorType.SESSION_ERROR,
}
LOST = "This session is no longer ours: it was taken for dead and ended elsewhere."


def of_ending(ending: CloseReason) -> SessionOutcome:
    """fal closed the connection, in order or not."""
    is_good = ending.kind in ("normal", "timeout")
    status = Status.COMPLETED if is_good else Status.FAILED
    return SessionOutcome(ending.kind, ending.sentence, status, ending.code, ending.reason)


def of_error(error: FalError) -> SessionOutcome:
    """The connection could not be opened, or a message could not be sent."""
    kind = "refused" if isinstance(error, Refused) else "lost"
    code = error.status_code if isinstance(error, Refused | Unanswered) else None
    return SessionOutcome(kind, str(error), Status.FAILED, http_code=code)


def disconnected(sentence: str) -> SessionOutcome:
    """A user of the team left the session."""
    return SessionOutcome("disconnected", sentence, Status.COMPLETED, 1000)


def before_it_stood(end: SessionOutcome) -> SessionOutcome:
    """The user left before fal had opened the session."""
    return replace(end, status=Status.CANCELLED)


def stopped() -> SessionOutcome:
    """A user cancelled the session from the request's page."""
    return SessionOutcome("disconnected", "We hung up as asked.", Status.CANCELLED, 1000)


def not_ours() -> SessionOutcome:
    """Another process ended the row while this session ran."""
    return SessionOutcome("lost", LOST, Status.FAILED)


def broken() -> SessionOutcome:
    """A bug of ours ended the session; the traceback is in the log."""
    sentence = "The session broke off by a fault on our side. Work done until then may be billed."
    return SessionOutcome("lost", sentence, Status.FAILED)


def rejected(sentence: str) -> SessionOutcome:
    """The session was not begun: there is no row."""
    return SessionOutcome("refused", sentence, "")
