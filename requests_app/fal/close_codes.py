"""Explain how a realtime session ended, or failed to begin. Pure.

The close code alone tells little: fal closes with 1000 after a good session, after a time-out and
after an exception of the app. The last control message decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import Refused, Unanswered
from .realtime_control import Control
from .replies import Reply, refusal, unreadable

EndKind = Literal["normal", "timeout", "error", "lost", "refused"]

_NO_TEXT = "'bytes'"  # the error of an app made with fal's own template on a text message
LOST = 1006  # never on the wire: the connection ended without a close frame


@dataclass(frozen=True)
class CloseReason:
    """``code`` and ``reason`` are as on the wire; ``sentence`` is for users."""

    kind: EndKind
    code: int
    reason: str
    sentence: str


# `{peer}` is who was called: fal, or an app of the team's own.
_CODES: Mapping[int, tuple[EndKind, str]] = {
    1000: ("normal", "{peer} closed the session in order."),
    1001: ("lost", "{peer}'s server is going away; connect again."),
    1002: ("error", "{peer}'s server saw a protocol error."),
    1003: ("error", "The app does not take this type of message (text or binary)."),
    1004: ("error", "{peer} closed the session with a reserved code."),
    1005: ("normal", "{peer} closed the session without giving a code."),
    LOST: ("lost", "The connection was lost without a close message; outputs may be missing."),
    1007: ("error", "{peer}'s server could not read the text of a message."),
    1008: ("refused", "{peer} closed the session by its rules: the key, the token or a limit."),
    1009: ("error", "A message was too big for {peer} (16 MiB at most)."),
    1010: ("error", "{peer}'s server misses an extension of the protocol."),
    1011: ("error", "{peer}'s server met an error of its own."),
    1012: ("lost", "{peer}'s server is restarting; connect again."),
    1013: ("refused", "{peer} is overloaded; try again later."),
    1014: ("lost", "A gateway on the way to {peer} got no proper answer."),
    1015: ("lost", "The secure connection could not be kept."),
    3000: ("refused", "{peer} closed the session: not authorised."),
    3003: ("refused", "{peer} closed the session: not permitted."),
    3008: ("timeout", "{peer} closed the session after a time-out."),
}
_OURS: Mapping[int, tuple[EndKind, str]] = {
    1000: ("normal", "The session was closed from this side."),
    1001: ("normal", "The session was closed from this side."),
    1002: ("error", "{peer}'s server broke the WebSocket protocol."),
    1007: ("error", "A text message from {peer} was not valid UTF-8."),
    1009: ("error", "A message from {peer} was larger than the limit set here."),
    # The library pings, and closes with this code; a reader that stalls receives no pong.
    1011: ("lost", "Pings were not answered in time; the connection is taken for dead."),
}
_HANDSHAKE: Mapping[int, str] = {
    401: "the key or the token is not valid",
    403: "the key or the token may not open this endpoint, or it has no realtime at this path",
    404: "there is no realtime endpoint at this address",
    429: "too many sessions or calls; try again later",
}


def describe_close(
    code: int, reason: str = "", *, ours: bool = False, peer: str = "fal"
) -> CloseReason:
    """Explain a close code and its reason; ``ours``: this side closed first; ``peer``: who was called."""
    kind, sentence = (_OURS if ours else _CODES).get(code) or _other(code, ours=ours)
    sentence, said = _named(sentence, peer), _said(reason)
    return CloseReason(kind, code, reason, f"{sentence} Reason: {said}" if said else sentence)


def ending(close: CloseReason, last_word: Control | None, peer: str = "fal") -> CloseReason:
    """Return a session's end from its close frame and the control message that announced it."""
    if last_word is None:
        return close
    said = _said(last_word.reason) or "no reason given"
    if last_word.kind == "timeout":
        sentence = f"{peer} ended the session because nothing was sent for a while ({said})."
        return CloseReason("timeout", close.code, close.reason, sentence)
    if last_word.kind == "unauthorized":
        sentence = f"{peer} no longer takes the token or the key; connect again with a new one."
        return CloseReason("refused", close.code, close.reason, sentence)
    name = _said(last_word.error) or "an error"
    hint = ". It takes msgpack only, no text." if last_word.reason == _NO_TEXT else ""
    return CloseReason(
        "error", close.code, close.reason, f"The app failed with {name}: {said}{hint}"
    )


def refused_handshake(reply: Reply, peer: str = "fal") -> Refused | Unanswered:
    """Return the error for an HTTP reply of ``peer`` in place of a WebSocket.

    Any 4xx is a definite no, whichever server sent it: without a socket no app can have received
    input.
    """
    if not 400 <= reply.status_code < 500:
        return unreadable(reply, retryable=False, missing="a WebSocket")
    bare = refusal(reply)
    why = _HANDSHAKE.get(reply.status_code, "this connection is not wanted")
    said = _said(bare.detail) if isinstance(bare.detail, str) and reply.members else ""
    return Refused(
        f"{peer} refused the connection ({reply.status_code}): {why}."
        + (f" {said}" if said else ""),
        status_code=reply.status_code,
        detail=bare.detail,
        error_type=bare.error_type,
        retry_after_s=bare.retry_after_s,
        body=reply.body,
    )


def _other(code: int, *, ours: bool) -> tuple[EndKind, str]:
    if ours:
        return "normal", f"The session was closed from this side with code {code}."
    if 4000 <= code <= 4999:
        return "error", f"The app closed the session with a code of its own ({code})."
    return "error", f"{{peer}} closed the session with the code {code}."


def _named(sentence: str, peer: str) -> str:
    """Put the name in, with a small letter in the middle of a sentence."""
    first, _, rest = sentence.partition("{peer}")
    inside = peer[:1].lower() + peer[1:]
    return (first + (inside if first else peer) + rest) if rest else sentence


def _said(text: str) -> str:
    """Make fal's text safe to quote in a sentence: one line, bounded."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:500]
