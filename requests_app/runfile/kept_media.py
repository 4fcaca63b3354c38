"""Media of an imported run's file become copies of the team, where it keeps copies: within its quota, kinds and sizes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import IO
from zipfile import ZipFile

from requests_app.copies.fetching import Cause, NotFetched
from requests_app.copies.files import OverQuota
from requests_app.copies.incoming import Part
from requests_app.copies.noticing import look_at
from requests_app.copies.states import (
    Fetched,
    LeaseLost,
    TakenCopy,
    confirm,
    note_problem,
    reserve,
    room_for,
    take,
)
from requests_app.copies.store import StoreProblem, copy_store
from requests_app.display.output_media import shown_type
from requests_app.models import FalRequest, MediaCopy
from requests_app.runfile.reading import ReadRun

PIECE = 1024 * 1024

logger = logging.getLogger(__name__)


def keep_media(row: FalRequest, run: ReadRun, file: IO[bytes], now: datetime) -> None:
    """Take over what the file has of the output's media; what it has not waits to be fetched from fal.

    A team that keeps no copies gets none. A problem is kept at its medium: the run is imported all the same.
    """
    if not run.media:
        return
    look_at(row.pk, now)
    copies = MediaCopy.objects.filter(request=row, url__in=list(run.media)).order_by("number")
    for copy in copies.only("pk", "team_id", "url", "content_type"):
        taken = take(copy, now)  # a worker may fetch it already
        if taken is not None:
            _keep(taken, run.media[copy.url], file, now)


def _keep(taken: TakenCopy, name: str, file: IO[bytes], now: datetime) -> None:
    try:
        with ZipFile(file) as archive:
            size = archive.getinfo(name).file_size
            if size > taken.most:
                raise NotFetched(f"The file is larger than {taken.most:,} bytes.", Cause.LARGE)
            room_for(taken.team_id, size)
            with archive.open(name) as stream:
                _store(taken, iter(lambda: stream.read(PIECE), b""), now)
    except LeaseLost:
        logger.warning("A copy from a run's file was not kept in time.", extra={"copy": taken.pk})
    except (NotFetched, OverQuota, StoreProblem) as problem:
        note_problem(taken, problem, now)


def _store(taken: TakenCopy, pieces: Iterator[bytes], now: datetime) -> None:
    part = Part()
    try:
        for piece in pieces:
            part.add(piece)
        digest = part.finish()
        shown = shown_type(taken.content_type, part.head)
        fetched = Fetched(part.path, digest, part.size, shown)
        kept = reserve(taken, fetched, now)
        if kept.stored_at is None:
            copy_store().put(kept.name, part.path)
        confirm(taken, kept, fetched, now)
    finally:
        part.discard()
