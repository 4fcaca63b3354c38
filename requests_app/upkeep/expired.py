"""Rows that nothing reads any more: expired sessions, counted guesses, endpoints without a schema,
batches that were never started, bulk actions that a crash cut short, old counts of errors, thumbnails beyond
their limit, the audit trail beyond its days, old notices, jobs of own apps, what a killed worker left of files that were coming."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from requests_app.accounts import throttle
from requests_app.audit import pruning
from requests_app.batches.making import remove_forgotten
from requests_app.bulk.making import remove_cut_short
from requests_app.catalogue.store import FRESH
from requests_app.copies.files import remove_stale_parts
from requests_app.error_groups.counting import forget_old
from requests_app.export import jobs
from requests_app.localqueue.jobs import remove_old as remove_old_jobs
from requests_app.models import Endpoint, Session
from requests_app.notices.outbox import remove_old
from requests_app.thumbnails.states import keep_within


def remove_expired(now: datetime) -> None:
    """Delete them. A session that is used has a later end, so that no log-in is lost."""
    Session.objects.filter(expire_date__lt=now).delete()
    throttle.prune(now=now)
    remove_forgotten(now)
    remove_cut_short(now)
    jobs.remove_old(now)
    forget_old(now)
    if settings.AUDIT_DAYS:
        pruning.remove_before(now - timedelta(days=settings.AUDIT_DAYS), now=now)
    remove_old(now)
    remove_old_jobs(now)
    remove_stale_parts()
    keep_within(settings.THUMBNAIL_LIMIT_BYTES)
    # Half-typed endpoint ids, mostly: they are asked for again when they are named again.
    Endpoint.objects.filter(document=None, checked_at__lt=now - FRESH).delete()
