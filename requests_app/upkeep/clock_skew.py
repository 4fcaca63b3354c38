"""Is this machine's clock right? fal's replies say what time it is there.

A wrong clock refuses fal's webhooks as stale and makes every time on a page a lie, quietly: ends are
then found by asking, and nothing else looks wrong.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import httpx
from django.utils import timezone

from requests_app.fal.replies import http_date

logger = logging.getLogger(__name__)

TOLERATED = timedelta(seconds=60)  # webhooks are taken up to 300 s away
TIMEOUT_S = 2.0


def ask(url: str) -> str:
    """A sentence when fal's host there has another time; empty when it has ours, or nobody can tell."""
    asked_at = timezone.now()
    try:
        reply = httpx.head(url, timeout=TIMEOUT_S)  # without the key: any answer has a date
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    # Halfway there and back; fal's date has whole seconds, cut off.
    there = asked_at + (timezone.now() - asked_at) / 2
    is_copy = "age" in reply.headers  # a cache's, which keeps its old date
    date = None if is_copy else http_date(reply.headers.get("date", ""))
    return sentence(there - date) if date else ""


def sentence(ahead: timedelta) -> str:
    """What an operator should know of a clock that is ahead by so much (behind: below zero)."""
    if abs(ahead) <= TOLERATED:
        return ""
    seconds = round(abs(ahead.total_seconds()))
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {seconds} seconds {way} fal's."


class Alarm:
    """Tells the log when the clock turns out wrong, and when it is right again; each once."""

    def __init__(self) -> None:
        self._is_wrong = False

    def look(self, why: str) -> None:
        """What is wrong now, as `ask` says it."""
        was_wrong, self._is_wrong = self._is_wrong, bool(why)
        if self._is_wrong and not was_wrong:
            logger.warning("%s Webhooks may be refused as stale, and times shown are wrong.", why)
        elif was_wrong and not self._is_wrong:
            logger.warning("This machine's clock agrees with fal's again.")


alarm = Alarm()
