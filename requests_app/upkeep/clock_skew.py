"""Compare this machine's clock with the date in fal's replies.

With a wrong clock fal's webhooks are refused as stale and all times on pages are wrong, and nothing else
shows it: polling still finds the ends.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import httpx
from django.utils import timezone

from requests_app.fal.replies import http_date

logger = logging.getLogger(__name__)

TOLERATED = timedelta(seconds=60)  # webhooks are accepted up to 300 s off
TIMEOUT_S = 2.0


def ask(url: str) -> str:
    """Return a sentence when fal's clock differs from ours; empty when it agrees or is unknown."""
    asked_at = timezone.now()
    try:
        reply = httpx.head(url, timeout=TIMEOUT_S)  # sent without the key: every reply has a date
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    # The middle of the round trip; fal's date is truncated to whole seconds.
    there = asked_at + (timezone.now() - asked_at) / 2
    is_copy = "age" in reply.headers  # from a cache, with an old date
    date = None if is_copy else http_date(reply.headers.get("date", ""))
    return sentence(there - date) if date else ""


def sentence(ahead: timedelta) -> str:
    """Return a warning about a clock that is `ahead` by so much (negative: behind), or an empty text."""
    if abs(ahead) <= TOLERATED:
        return ""
    seconds = round(abs(ahead.total_seconds()))
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return f"This machine's clock is {seconds} seconds {way} fal's."


class Alarm:
    """Logs once when the clock turns out wrong, and once when it is right again."""

    def __init__(self) -> None:
        self._is_wrong = False

    def look(self, why: str) -> None:
        """Log a change of `why`, the sentence that `ask` returned."""
        was_wrong, self._is_wrong = self._is_wrong, bool(why)
        if self._is_wrong and not was_wrong:
            logger.warning("%s Webhooks may be refused as stale, and times shown are wrong.", why)
        elif was_wrong and not self._is_wrong:
            logger.warning("This machine's clock agrees with fal's again.")


alarm = Alarm()
