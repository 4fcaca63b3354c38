"""The rows of a batch with their outcomes, as CSV, JSON Lines and a zip, piece by piece.

A piece holds at most `AT_ONCE` rows, so a batch of any size takes the memory of one piece.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from channels.db import DatabaseSyncToAsync
from django.conf import settings
from django.http import StreamingHttpResponse
from zipstream import ZipStream

from requests_app.batches.checking import cells, object_of
from requests_app.batches.inline_files import inline_files
from requests_app.batches.removing import REMOVED
from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import iter_media
from requests_app.display.media_hosts import is_inline
from requests_app.display.output_download import plain_type
from requests_app.models import Batch, BatchItem, FalRequest, OutputPart
from requests_app.presets.template import text_of
from requests_app.request_input import InvalidInput, parse_input

AT_ONCE = 50  # rows: an output in the row itself has a megabyte at most
CELL = 32_000  # characters of a CSV cell: spreadsheets cut longer ones
FORMULA = re.compile(r"[=+\-@\t\r]")  # a spreadsheet would run what begins so
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
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
    """A row with its outcome; `output` is whole, or None when it is large, absent or removed."""

    item: BatchItem
    values: dict[str, str]  # tokens
    request: FalRequest | None
    output: bytes | None

    @property
    def is_output_removed(self) -> bool:
        row = self.request
        return row is not None and row.output_size > 0 and row.payload_removed_at is not None

    @property
    def json(self) -> str | None:
        """The output's text, if it is JSON."""
        try:
            text = (self.output or b"").decode()
            return text.strip() if text and parse_input(text) is not None else None
        except (UnicodeDecodeError, InvalidInput):
            return None

    def media(self) -> list[str]:
        """The addresses of the output's files."""
        if (text := self.json) is None:
            return []
        found = iter_media(json.loads(text), settings.FAL_MEDIA_HOSTS)
        return [medium.url for medium in found if not is_inline(medium.url)]


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
    body = None if request is None or request.output is None else bytes(request.output)
    is_whole = request is not None and body is not None and len(body) == request.output_size
    return RowResult(item, values, request, body if is_whole else None)


def as_csv(batch: Batch) -> Iterator[bytes]:
    """Yield the CSV: the batch's columns, then what became of the row."""
    told = [name if name not in batch.columns else f"{name}_" for name in _TOLD]
    yield _csv_line([*batch.columns, *told])
    for result in results(batch):
        yield _csv_line([*_cells(batch, result), *_outcome(result)])


def _cells(batch: Batch, result: RowResult) -> list[str]:
    if not result.item.values:
        return [REMOVED] * len(batch.columns)
    tokens = [result.values.get(name, "") for name in batch.columns]
    return [text_of(token) if token else "" for token in tokens]


def _outcome(result: RowResult) -> list[str]:
    request = result.request
    output = REMOVED if result.is_output_removed else result.json or ""
    return [
        str(result.item.number),
        result.item.state,
        str(request.public_id) if request else "",
        request.error if request else "",
        " ".join(result.media()),
        output if len(output) <= CELL else "",
    ]


def _csv_line(values: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_harmless(value) for value in values])
    return buffer.getvalue().encode("utf-8", "replace")


def _harmless(value: str) -> str:
    """Keep a spreadsheet from running a text: a model may write one that begins with an equals sign."""
    return f"'{value}" if FORMULA.match(value) and not NUMBER.fullmatch(value) else value


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
        "removed_by_retention": list(_removed(result)),
    }
    # Line ends stand between tokens alone; U+2028 and its like may stand raw inside a text.
    output = (result.json or "null").replace("\r", " ").replace("\n", " ")
    return f'{json.dumps(told)[:-1]}, "values": {values}, "output": {output}}}'


def _removed(result: RowResult) -> Iterator[str]:
    if not result.item.values:
        yield "values"
    if result.is_output_removed:
        yield "output"


def as_zip(batch: Batch) -> Iterator[bytes]:
    """Yield a zip: both tables, each row's output as a file of its own, also the large ones, and inline files."""
    archive = ZipStream()
    archive.add(_README.format(batch=batch).encode(), "README.txt")
    archive.add(as_csv(batch), "results.csv")
    archive.add(as_jsonl(batch), "results.jsonl")
    yield from archive.all_files()
    width = len(str(batch.total))
    for number, key, kind in _with_output(batch):
        ending = plain_type(kind)[1]
        archive.add(_bytes_of(key), f"outputs/{number:0{width}}.{ending}")
        yield from archive.all_files()
        files = inline_files(_beginning(key)) if ending == "json" else ()
        for place, (file_ending, content) in enumerate(files, 1):
            archive.add(content, f"files/{number:0{width}}-{place}.{file_ending}")
            yield from archive.all_files()
    yield from archive.finalize()


def _beginning(key: int) -> bytes:
    """Return the output, of a larger one than is parsed a little more than that."""
    body = bytearray()
    for piece in _bytes_of(key):
        body += piece
        if len(body) > PARSE_LIMIT:
            break
    return bytes(body)


def _with_output(batch: Batch) -> Iterator[tuple[int, int, str]]:
    """Yield number, request and type of output, a page at a time: between two pieces the connection may close."""
    kept = batch.items.filter(request__output_size__gt=0, request__payload_removed_at=None)
    found = kept.order_by("number")
    columns = found.values_list("number", "request_id", "request__output_type")
    after = 0
    while some := list(columns.filter(number__gt=after)[:AT_ONCE]):
        yield from some
        after = some[-1][0]


def _bytes_of(key: int) -> Iterator[bytes]:
    found = FalRequest.objects.filter(pk=key).values_list("output", flat=True).first()
    yield bytes(found or b"")
    for number in (
        OutputPart.objects.filter(request=key).order_by("number").values_list("number", flat=True)
    ):
        part = OutputPart.objects.filter(request=key, number=number).values_list("data", flat=True)
        yield bytes(part.first() or b"")


FORMATS: dict[str, tuple[Callable[[Batch], Iterator[bytes]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_jsonl, "application/jsonl; charset=utf-8"),
    "zip": (as_zip, "application/zip"),
}


def results_response(batch: Batch, format: str) -> StreamingHttpResponse | None:
    """Stream the results; None for a format that is not known."""
    if format not in FORMATS:
        return None
    make_pieces, content_type = FORMATS[format]
    return StreamingHttpResponse(
        streamed(make_pieces(batch)),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="batch-{batch.public_id}.{format}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def streamed(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield what a blocking iterator yields, about 64 kB at a time, each read in a thread."""
    read = DatabaseSyncToAsync(_some, thread_sensitive=False)
    while piece := await read(pieces):
        yield piece


def _some(pieces: Iterator[bytes]) -> bytes:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= 64 * 1024:
            break
    return bytes(buffer)
