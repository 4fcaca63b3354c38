"""One attempt to send a message: a signed POST to a public address, without redirects."""

from __future__ import annotations

import re
import time

from django.conf import settings

from requests_app.fal.guarded_post import NotPosted, OutgoingPost, post_guarded
from requests_app.forwarding.outbox import LONGEST_PAUSE_S, ForwardAnswer, TakenForward
from requests_app.forwarding.signing import signed_headers

DEADLINE_S = 15.0
MOST_ANSWER = 1024  # bytes
# What is ours beside the three headers of the signature.
EVENT_HEADER = "faldeck-event"


async def send(taken: TakenForward) -> ForwardAnswer:
    """Return what came of it."""
    began = time.monotonic()
    try:
        answer = await post_guarded(_post(taken))
    except NotPosted as error:
        return ForwardAnswer(_since(began), words=str(error))
    return ForwardAnswer(
        _since(began), status=answer.status, answer=_readable(answer.body),
        retry_after_s=_seconds(answer.retry_after),
    )  # fmt: skip


def _post(taken: TakenForward) -> OutgoingPost:
    headers = {
        **taken.headers,
        **signed_headers(taken.secrets, taken.message_id, int(time.time()), taken.body),
        EVENT_HEADER: taken.event.value,
        "user-agent": "faldeck",
        "accept-encoding": "identity",
    }
    return OutgoingPost(
        taken.url, taken.body, headers, settings.FORWARD_HOSTS, "FORWARD_HOSTS", DEADLINE_S, MOST_ANSWER
    )  # fmt: skip


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _readable(body: bytes) -> str:
    """Return text that every database and page takes."""
    return re.sub(
        r"[^\t\n\x20-\x7e\xa0-\ud7ff]", "\ufffd", body[:MOST_ANSWER].decode(errors="replace")
    )


def _seconds(retry_after: str) -> float:
    is_number = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10
    return min(float(retry_after), LONGEST_PAUSE_S) if is_number else 0.0
