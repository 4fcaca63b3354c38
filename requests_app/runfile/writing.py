"""The zip, written while it is sent: it is never held as a whole, and neither are output, frames or logs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from zipstream import ZipStream

from requests_app.display.marks import own_names
from requests_app.display.output_download import plain_type
from requests_app.export.outputs import bytes_of_output
from requests_app.export.streaming import download
from requests_app.models import FalRequest
from requests_app.runfile import layout, tables
from requests_app.runfile.facts import facts_of, time_text
from requests_app.runfile.media import MediaNote, fetched
from requests_app.runfile.schema import schema_of
from requests_app.runfile.stripping import Stripper
from requests_app.runfile.viewer import page_of

REMOVED = "Input and output were removed from Faldeck before this file was made."
CUT = "Recorded events and messages were removed from Faldeck before this file was made."
LIVE = "The run had not ended when this file was made: it says what was known then."
MASKED = "Secrets were replaced by asterisks, in as many places as run.json says under masked."


@dataclass(frozen=True)
class FileNote:
    """A file of the zip, as run.json lists it."""

    name: str
    size: int
    sha256: str


@dataclass
class _RunFile:
    """The zip in the making."""

    row: FalRequest
    stripper: Stripper
    archive: ZipStream = field(default_factory=ZipStream)
    files: list[FileNote] = field(default_factory=list)

    def add(
        self, name: str, pieces: Iterable[bytes], *, is_packed: bool = False
    ) -> Iterator[bytes]:
        """Yield what the zip has of one more file. `is_packed`: its bytes are compressed already."""
        how = ZIP_STORED if is_packed else ZIP_DEFLATED
        level = None if is_packed else 1
        self.archive.add(self._noted(name, pieces), name, compress_type=how, compress_level=level)
        yield from self.archive.all_files()

    def _noted(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        for piece in self.stripper.strip_each(pieces):
            digest.update(piece)
            size += len(piece)
            yield piece
        self.files.append(FileNote(name, size, digest.hexdigest()))


def run_file_response(row: FalRequest) -> StreamingHttpResponse:
    """Stream the file of a request that is loaded with its tags, person and source."""
    return download(pieces_of(row), name=f"faldeck-run-{row.public_id}", format="zip")


def pieces_of(row: FalRequest) -> Iterator[bytes]:
    """Yield the zip."""
    zip = _RunFile(row, Stripper.of_team(row.team_id))
    output = ""
    if row.payload_removed_at is None:
        yield from zip.add(layout.INPUT, [row.input_text.encode()])
        if row.output_size:
            content_type, ending = plain_type(row.output_type)
            output = layout.output_name(ending)
            packed = content_type.startswith(("image/", "video/", "audio/mpeg"))
            yield from zip.add(output, bytes_of_output(row.pk), is_packed=packed)
    for name, lines in tables.TABLES.items():
        yield from zip.add(name, _blocks(lines(row, zip.stripper)))
    for number, key in enumerate(tables.delivery_keys(row), 1):
        yield from zip.add(layout.body_name(number), [tables.body_of(key)])
    schema = schema_of(row)
    if schema:
        yield from zip.add(layout.SCHEMA, [bytes(schema.raw)])
    media: list[MediaNote] = []
    for note, data in fetched(row):
        media.append(note)
        if note.file:
            yield from zip.add(note.file, [data], is_packed=True)
    notes = _notes(row, zip.stripper)
    names = [one.name for one in zip.files]
    page = page_of(row, output_name=output, media=media, files=names, notes=notes)
    yield from zip.add(layout.VIEWER, [page])
    told = _told(zip, media, time_text(schema.first_seen_at) if schema else None)
    yield from zip.add(layout.RUN, [json.dumps(told, indent=1).encode()])
    yield from zip.archive.finalize()


def _told(zip: _RunFile, media: list[MediaNote], seen_at: str | None) -> dict[str, Any]:
    row = zip.row
    what = {"request": facts_of(row), "tags": own_names(row)}
    return {
        "format": layout.FORMAT,
        "version": layout.VERSION,
        "exported_at": time_text(timezone.now()),
        "exported_from": {
            "site": settings.PUBLIC_URL, "team": row.team.name, "faldeck": settings.VERSION,
        },
        **what,
        "schema_first_seen_at": seen_at,
        "media": [note.for_json() for note in media],
        "masked": zip.stripper.count,
        "content": content_digest(what, zip.files),
        "files": [asdict(one) for one in zip.files],
    }  # fmt: skip


def content_digest(what: dict[str, Any], files: Iterable[FileNote]) -> str:
    """Return the same for two files of the same run: media come and go, and the page is made from the rest."""
    told = {one.name: one.sha256 for one in files if not one.name.startswith(("media/", "index."))}
    text = json.dumps({"what": what, "files": told}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines about 64 kB at a time."""
    buffer = bytearray()
    for line in lines:
        buffer += line
        if len(buffer) >= 64 * 1024:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def _notes(row: FalRequest, stripper: Stripper) -> list[str]:
    facts = {
        LIVE: not row.is_ended,
        REMOVED: row.payload_removed_at is not None,
        CUT: row.frames_removed_at is not None,
        MASKED: stripper.count > 0,
    }
    return [sentence for sentence, is_so in facts.items() if is_so]
