"""Send a message to a webhook: one POST with JSON, to public addresses alone, and no redirect is followed."""

from __future__ import annotations

import json
import re

from django.conf import settings

from requests_app.fal.guarded_post import NotPosted, OutgoingPost, PostFate, post_guarded
from requests_app.notices.answers import NoticeMessage, TryAnswer, TryResult

DEADLINE_S = 15.0
MOST_ANSWER = 2000  # bytes that are read of an answer
_SHOWN = 120  # characters
_HEADERS = {
    "User-Agent": "faldeck", "Accept-Encoding": "identity", "Content-Type": "application/json",
}  # fmt: skip
_RESULTS = {
    PostFate.REFUSED: TryResult.REFUSED,
    PostFate.NOT_SENT: TryResult.NOT_SENT,
    PostFate.UNKNOWN: TryResult.UNKNOWN,
}


async def send_webhook(address: str, message: NoticeMessage) -> TryAnswer:
    """Return what the host answered. 2xx: sent; 429, 5xx: again later; others: refused."""
    post = OutgoingPost(
        address, json.dumps(message.values).encode(), _HEADERS, settings.NOTICE_HOSTS, "NOTICE_HOSTS",
        DEADLINE_S, MOST_ANSWER,
    )  # fmt: skip
    try:
        answer = await post_guarded(post)
    except NotPosted as error:
        return TryAnswer(_RESULTS[error.fate], str(error))
    return _answer(answer.status, answer.body)


def _answer(status: int, body: bytes) -> TryAnswer:
    said = " ".join(re.sub(r"[^\x20-\x7e]+", " ", body.decode(errors="replace")).split())[:_SHOWN]
    words = f"HTTP {status}" + (f": {said}" if said else "")
    if 200 <= status < 300:
        return TryAnswer(TryResult.SENT, words)
    is_later = status in (408, 425, 429) or status >= 500
    return TryAnswer(TryResult.NOT_SENT if is_later else TryResult.REFUSED, words)
