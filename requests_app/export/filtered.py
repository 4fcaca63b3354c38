"""The requests that match a search, newest first, as CSV, JSON Lines and a zip.

A piece holds at most `AT_ONCE` requests, so that any number of them takes the memory of one piece. What is
recorded after the download began is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from requests_app.display.marks import own_names, with_tags
from requests_app.export.archive import zip_of
from requests_app.export.csv_text import csv_line, fitting
from requests_app.export.outputs import REMOVED, KeptOutput, StoredOutput, one_line
from requests_app.export.streaming import download
from requests_app.models import FalRequest
from requests_app.models.request import FalRequestQuerySet

AT_ONCE = 50  # requests: an output in the row itself has a megabyte at most
_TIMES = ("created_at", "sent_at", "started_at", "finished_at", "ended_at")
COLUMNS = (
    "id", "fal_request_id", "endpoint_id", "mode", "status", "by", *_TIMES, "error_type", "error_code", "error",
    "billable_units", "cost", "cost_currency", "again_of", "own_tags", "input", "media_urls", "output",
)  # fmt: skip
_README = """\
Requests of Faldeck.

requests.csv, requests.jsonl   all requests with input and output; newest first
outputs/                       each output as it came, named by the request's id
files/                         pictures, recordings and videos that stand in an output itself (data URI), of up to
                               1.5 MB each, named by request and place

Files that an output names by address are not in this zip. Their addresses are in requests.csv under media_urls;
fal keeps such files for a time of its own, so fetch what you want to keep.
"""


Counted = Callable[[int], None]  # is told of so many more requests, once in each pass
PASSES = {"csv": 1, "jsonl": 1, "zip": 3}  # how often a format goes through all requests


def _uncounted(count: int) -> None:
    pass


def _pages(rows: FalRequestQuerySet, counted: Counted) -> Iterator[list[FalRequest]]:
    """Yield the rows a page at a time: between two pieces the connection may close."""
    before: int | None = None
    whole = (
        with_tags(rows)
        .select_related("person", "again_of")
        .defer("search_text", "again_of__input_text", "again_of__output", "again_of__search_text")
    )
    while some := list(
        (whole if before is None else whole.filter(pk__lt=before)).order_by("-pk")[:AT_ONCE]
    ):
        yield some
        counted(len(some))
        before = some[-1].pk


def as_csv(rows: FalRequestQuerySet, counted: Counted = _uncounted) -> Iterator[bytes]:
    """Yield the CSV. What no spreadsheet's cell holds is left out there; JSON Lines has it."""
    yield csv_line(COLUMNS)
    for page in _pages(rows, counted):
        for row in page:
            facts, output = _facts(row), KeptOutput.of(row)
            yield csv_line(
                [
                    *(_cell(facts[name]) for name in COLUMNS[:-3]),
                    fitting(_input(row)),
                    " ".join(output.media()),
                    REMOVED if output.is_removed else fitting(output.json or ""),
                ]
            )


def as_jsonl(rows: FalRequestQuerySet, counted: Counted = _uncounted) -> Iterator[bytes]:
    """Yield JSON Lines; inputs and outputs are written as they were, digit for digit."""
    for page in _pages(rows, counted):
        for row in page:
            yield f"{_record(row)}\n".encode()


def as_zip(rows: FalRequestQuerySet, counted: Counted = _uncounted) -> Iterator[bytes]:
    """Yield a zip: both tables, and each output as a file named by its request."""
    tables = {"requests.csv": as_csv(rows, counted), "requests.jsonl": as_jsonl(rows, counted)}
    return zip_of(_README, tables, _with_output(rows, counted))


def _with_output(rows: FalRequestQuerySet, counted: Counted) -> Iterator[tuple[str, StoredOutput]]:
    kept = rows.filter(output_size__gt=0, payload_removed_at=None).order_by("-pk")
    columns = kept.values_list("public_id", *StoredOutput.COLUMNS)
    before: int | None = None
    while some := list((columns if before is None else columns.filter(pk__lt=before))[:AT_ONCE]):
        yield from ((str(public_id), StoredOutput.of(*output)) for public_id, *output in some)
        counted(len(some))
        before = some[-1][1]


def _facts(row: FalRequest) -> dict[str, Any]:
    """Return what is known of a request besides its input and output."""
    return {
        "id": str(row.public_id),
        "fal_request_id": row.fal_request_id,
        "endpoint_id": row.endpoint_id,
        "mode": row.mode,
        "status": row.status,
        "by": row.person.get_username(),
        **{name: _time(getattr(row, name)) for name in _TIMES},
        "error_type": row.error_type,
        "error_code": row.error_code,
        "error": row.error,
        "billable_units": row.billable_units,
        "cost": None if row.cost is None else f"{row.cost.normalize():f}",
        "cost_currency": row.cost_currency,
        "again_of": str(row.again_of.public_id) if row.again_of else None,
        "own_tags": own_names(row),
    }


def _cell(fact: Any) -> str:
    if isinstance(fact, list):
        return " ".join(fact)
    return "" if fact is None else str(fact)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _input(row: FalRequest) -> str:
    return REMOVED if row.payload_removed_at else row.input_text


def _record(row: FalRequest) -> str:
    output = KeptOutput.of(row)
    told = _facts(row) | {
        "options": row.options,
        "metrics": row.metrics,
        "output_size": row.output_size,
        "media_urls": output.media(),
        "removed": row.payload_removed_at is not None,
    }
    input_text = None if row.payload_removed_at else row.input_text
    return (
        f'{json.dumps(told)[:-1]}, "input": {one_line(input_text)}, '
        f'"output": {one_line(output.json)}}}'
    )


FORMATS: dict[str, Callable[[FalRequestQuerySet, Counted], Iterator[bytes]]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "zip": as_zip,
}
# What is of use without inputs and outputs: tables of rows that are loaded without them.
WITHOUT_PAYLOADS = frozenset({"csv", "jsonl"})


def export_response(rows: FalRequestQuerySet, format: str) -> StreamingHttpResponse:
    """Stream the requests in one of `FORMATS`, as a file of today's name."""
    return download(
        FORMATS[format](rows, _uncounted), name=f"requests-{timezone.now():%Y-%m-%d}", format=format
    )
