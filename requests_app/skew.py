"""Is this machine's clock right? fal's replies say what time it is there.

A wrong clock refuses fal's webhooks as stale and makes every time on a page a lie, quietly: ends are
then found by asking, and nothing else looks wrong.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from django.conf import settings
from django.utils import timezone

logger = logging.getLogger(__name__)

TOLERATED = timedelta(seconds=60)  # webhooks are taken up to 300 s away
TIMEOUT_S = 2.0


def ask() -> str:
    """A sentence when the clock is wrong; empty when it is right, or when nobody can tell."""
    url = settings.FAL_QUEUE_URL if settings.FAL_KEY else settings.FAL_RUN_URL
    asked_at = timezone.now()
    try:
        reply = httpx.head(url, timeout=TIMEOUT_S)  # without the key: any answer has a date
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    # Halfway there and back; fal's date has whole seconds, cut off.
    there = asked_at + (timezone.now() - asked_at) / 2
    date = None if "age" in reply.headers else _date_of(reply)  # a cache's copy keeps its old date
    return sentence(there - date) if date else ""


def _date_of(reply: httpx.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else None


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

    def look(self) -> None:
        """Asks fal."""
        why, was_wrong = ask(), self._is_wrong
        self._is_wrong = bool(why)
        if self._is_wrong and not was_wrong:
            logger.warning("%s Webhooks may be refused as stale, and times shown are wrong.", why)
        elif was_wrong and not self._is_wrong:
            logger.warning("This machine's clock agrees with fal's again.")


alarm = Alarm()
