"""The rows of a batch with their outcomes, as CSV, JSON Lines and a zip, piece by piece.

A piece holds at most `AT_ONCE` rows, so a batch of any size takes the memory of one piece.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse

from requests_app.batches.checking import cells, object_of
from requests_app.export.archive import zip_of
from requests_app.export.csv_text import csv_line, fitting
from requests_app.export.outputs import REMOVED, KeptOutput, StoredOutput, one_line
from requests_app.export.streaming import download
from requests_app.models import Batch, BatchItem, FalRequest
from requests_app.presets.template import text_of

AT_ONCE = 50  # rows: an output in the row itself has a megabyte at most
_README = """\
The results of the batch {batch.public_id} ({batch.endpoint_id}), {batch.total} rows.

results.csv, results.jsonl   all rows with their values and outcomes
outputs/                     each row's output as it came
files/                       pictures, recordings and videos that stand in an output itself (data URI), of up to
                             1.5 MB each, named by row and place

Files that an output names by address are not in this zip. Their addresses are in results.csv under media_urls;
fal keeps such files for a time of its own, so fetch what you want to keep.
"""
_TOLD = ("row", "state", "request_id", "error", "media_urls", "output")


@dataclass(frozen=True)
class RowResult:
    """A row with its outcome. `output`: None while it has no request."""

    item: BatchItem
    values: dict[str, str]  # tokens
    request: FalRequest | None
    output: KeptOutput | None


def results(batch: Batch) -> Iterator[RowResult]:
    """Yield all rows in their order."""
    after = 0
    while True:
        items = batch.items.filter(number__gt=after).order_by("number")
        some = list(
            items.select_related("request").defer("request__input_text", "request__search_text")[
                :AT_ONCE
            ]
        )
        for item in some:
            yield _result(batch, item)
        if len(some) < AT_ONCE:
            return
        after = some[-1].number


def _result(batch: Batch, item: BatchItem) -> RowResult:
    item.batch = batch
    request = item.request
    values = cells(batch.columns, item.values) if item.values else {}
    return RowResult(item, values, request, KeptOutput.of(request) if request else None)


def as_csv(batch: Batch) -> Iterator[bytes]:
    """Yield the CSV: the batch's columns, then what became of the row."""
    told = [name if name not in batch.columns else f"{name}_" for name in _TOLD]
    yield csv_line([*batch.columns, *told])
    for result in results(batch):
        yield csv_line([*_cells(batch, result), *_outcome(result)])


def _cells(batch: Batch, result: RowResult) -> list[str]:
    if not result.item.values:
        return [REMOVED] * len(batch.columns)
    tokens = [result.values.get(name, "") for name in batch.columns]
    return [text_of(token) if token else "" for token in tokens]


def _outcome(result: RowResult) -> list[str]:
    request, output = result.request, result.output
    is_removed = output is not None and output.is_removed
    return [
        str(result.item.number),
        result.item.state,
        str(request.public_id) if request else "",
        request.error if request else "",
        " ".join(output.media()) if output else "",
        REMOVED if is_removed else fitting((output and output.json) or ""),
    ]


def as_jsonl(batch: Batch) -> Iterator[bytes]:
    """Yield JSON Lines; values and outputs are written as they were, digit for digit."""
    for result in results(batch):
        yield f"{_record(result)}\n".encode()


def _record(result: RowResult) -> str:
    request = result.request
    values = object_of(result.item.batch.columns, result.item.values)
    told: dict[str, Any] = {
        "row": result.item.number,
        "state": result.item.state,
        "request_id": str(request.public_id) if request else None,
        "status": request.status if request else None,
        "error": request.error if request else "",
        "output_size": request.output_size if request else 0,
        "removed": list(_removed(result)),
    }
    output = one_line(result.output.json if result.output else None)
    return f'{json.dumps(told)[:-1]}, "values": {values}, "output": {output}}}'


def _removed(result: RowResult) -> Iterator[str]:
    if not result.item.values:
        yield "values"
    if result.output is not None and result.output.is_removed:
        yield "output"


def as_zip(batch: Batch) -> Iterator[bytes]:
    """Yield a zip: both tables, and each row's output as a file of its number."""
    tables = {"results.csv": as_csv(batch), "results.jsonl": as_jsonl(batch)}
    width = len(str(batch.total))
    outputs = ((f"{number:0{width}}", output) for number, output in _with_output(batch))
    return zip_of(_README.format(batch=batch), tables, outputs)


def _with_output(batch: Batch) -> Iterator[tuple[int, StoredOutput]]:
    """Yield number and output, a page at a time: between two pieces the connection may close."""
    kept = batch.items.filter(request__output_size__gt=0, request__payload_removed_at=None)
    found = kept.order_by("number")
    columns = found.values_list("number", *(f"request__{name}" for name in StoredOutput.COLUMNS))
    after = 0
    while some := list(columns.filter(number__gt=after)[:AT_ONCE]):
        yield from ((number, StoredOutput.of(*output)) for number, *output in some)
        after = some[-1][0]


FORMATS: dict[str, Callable[[Batch], Iterator[bytes]]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "zip": as_zip,
}


def results_response(batch: Batch, format: str) -> StreamingHttpResponse | None:
    """Stream the results; None for a format that is not known."""
    if format not in FORMATS:
        return None
    return download(FORMATS[format](batch), name=f"batch-{batch.public_id}", format=format)
