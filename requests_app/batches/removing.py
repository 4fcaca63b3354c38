"""Retention: remove the input and the values of a batch that has ended, under its lock."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from requests_app.models import Batch, BatchItem

AT_ONCE = 1000  # rows emptied in one transaction: others wait for it on SQLite


def remove_values(pk: int, *, before: datetime) -> bool:
    """Empty the values of all rows, then the input; False when it goes on again or was emptied before.

    The input goes last: after an interruption the next call continues.
    """
    emptied = 0
    while True:
        with transaction.atomic():
            due = Batch.objects.select_for_update().ended_with_values(before)
            batch = due.filter(pk=pk).only("total").first()
            if batch is None:
                return False
            if emptied >= batch.total:
                Batch.objects.filter(pk=pk).update(text="")
                return True
            rows = BatchItem.objects.filter(batch=pk, number__gt=emptied)
            rows.filter(number__lte=emptied + AT_ONCE).update(values="", readings="")
        emptied += AT_ONCE
