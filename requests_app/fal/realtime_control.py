"""Control messages of a realtime session: text frames in which fal reports on the session. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

MAX_TIMING_S = 1e9  # also keeps integers of any length away from float()

ControlKind = Literal["error", "timeout", "unauthorized", "message"]


@dataclass(frozen=True)
class Control:
    """``timeout`` (nothing was sent for a while) is how a good session usually ends.

    ``action`` and ``timing_s`` (seconds of work for the last input) belong to "message".
    """

    kind: ControlKind
    error: str = ""
    reason: str = ""
    action: str = ""
    timing_s: float | None = None

    @property
    def ends_session(self) -> bool:
        return self.kind != "message"


def read_control(value: object) -> Control | None:
    """Parse a text frame's JSON as a control message; None when it is an output of the app."""
    if not isinstance(value, Mapping):
        return None
    if value.get("type") == "x-fal-error":
        error = _text(value.get("error"))
        kind: ControlKind = "timeout" if error == "TIMEOUT" else "error"
        return Control(kind, error, _text(value.get("reason")))
    if value.get("type") == "x-fal-message":
        return Control(
            "message", action=_text(value.get("action")), timing_s=_seconds(value.get("timing"))
        )
    if value.get("status") == "error" and value.get("error") == "Unauthorized":
        return Control("unauthorized", "Unauthorized", _text(value.get("reason")))
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < MAX_TIMING_S else None
