"""Rows that nothing reads any more: expired log-in sessions and counted guesses."""

from __future__ import annotations

from datetime import datetime

from requests_app.accounts import throttle
from requests_app.models import Session


def remove_expired(now: datetime) -> None:
    """Delete them. A session that is used has a later end, so that no log-in is lost."""
    Session.objects.filter(expire_date__lt=now).delete()
    throttle.prune(now=now)
