"""Stored frames of a stream or session: in order, numbered from 1, appended in batches."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Max

from requests_app import announce
from requests_app.models import Frame
from requests_app.record import bulk_insert
from requests_app.record.frame import NewFrame

PAGE = 1000  # frames per read
PAGE_BYTES = 256 * 1024  # on the wire, per read
COLUMNS = NewFrame.__struct_fields__  # of the table, in the order of NewFrame


def append(pk: int, batch: Sequence[NewFrame]) -> None:
    """Store the batch and announce it. A batch written twice is stored once."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            bulk_insert.insert(cursor, pk, batch)
        announce.framed(pk, batch[-1].number)


def read(pk: int, after: int) -> list[NewFrame]:
    """Return a page of the frames that follow this number, at least one if there is one."""
    following = Frame.objects.filter(request_id=pk, number__gt=after).order_by("number")
    last = total = 0
    for number, size in following.values_list("number", "size")[:PAGE]:
        if total and total + size > PAGE_BYTES:
            break
        last, total = number, total + size
    rows = following.filter(number__lte=last).values_list(*COLUMNS) if last else ()
    return [NewFrame(*row) for row in rows]


def last_number(pk: int) -> int:
    """Return the number of the newest stored frame; 0 for none."""
    return Frame.objects.filter(request_id=pk).aggregate(last=Max("number"))["last"] or 0
