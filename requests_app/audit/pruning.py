"""Remove old entries, whole blocks at a time; their seals stay, so that the chain goes on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from requests_app.models import AuditEntry, AuditSeal

AT_ONCE = 20  # seals in one call


def remove_before(when: datetime, *, now: datetime) -> int:
    """Remove the entries of seals whose newest entry is older than `when`; return how many entries."""
    removed = 0
    old = AuditSeal.objects.filter(last_at__lt=when, pruned_at=None).order_by("pk")
    for made in old[:AT_ONCE]:
        with transaction.atomic():
            removed += AuditEntry.objects.filter(seal=made).delete()[0]
            AuditSeal.objects.filter(pk=made.pk).update(pruned_at=now)
    return removed
