"""The media files of some requests as a zip, written while it is sent; what is missing is named in it.

A file is whole before a byte of it enters the zip: what cannot be fetched is no half file there, but a line with the
reason. The lists come last, so a zip that ends early has none and does not open.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from django.conf import settings
from zipstream import ZipStream

from requests_app.copies.fetching import NotFetched, WantedFile, opened
from requests_app.copies.store import StoreProblem, copy_store
from requests_app.display.kept_media import inline_bytes
from requests_app.display.output_download import plain_type
from requests_app.export.csv_text import csv_line
from requests_app.export.outputs import bytes_of_output
from requests_app.gallery.tiles import Tile
from requests_app.models import CopyState, MediaCopy

MOST_FILES = 500
MOST_OF_A_FILE = 500 * 1000**2  # bytes
MOST_BYTES = 4 * 1000**3 - 1  # of all files: what every program can unpack
DEADLINE_S = 300.0  # for one file
IN_MEMORY = 4 * 1024 * 1024  # bytes of a file on its way
_PIECE = 256 * 1024
_COLUMNS = ("file", "request", "endpoint", "in_output", "address", "problem")


class NotInZip(Exception):
    """A file is left out; the message is a sentence for users."""


def zip_of_media(tiles: Iterable[Tile], *, has_more: bool) -> Iterator[bytes]:
    """Yield the zip. `has_more`: more was asked for than these, which the list of what is missing says."""
    archive = ZipStream()
    table, missing = [csv_line(_COLUMNS)], []
    left = MOST_BYTES
    for number, tile in enumerate(tiles, 1):
        name, problem = _name(number, tile), ""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                if number > MOST_FILES:
                    raise NotInZip(f"A zip has {MOST_FILES} files at most.")
                _write(tile, file, most=min(left, MOST_OF_A_FILE))
            except (NotInZip, NotFetched, StoreProblem) as error:
                problem = str(error)
            except OSError as error:
                problem = f"It could not be written: {error.strerror}."
            if problem:
                missing.append(f"{tile.row.public_id} {tile.medium.path}: {problem}\n")
            else:
                left -= file.tell()
                archive.add(_pieces(file), name)
                yield from archive.all_files()
        table.append(csv_line(_line(tile, "" if problem else name, problem)))
    if has_more:
        missing.append(f"The media of older requests: a zip has those of {MOST_FILES} at most.\n")
    archive.add(b"".join(table), "FILES.csv")
    if missing:
        head = "These files are not in this zip.\n\n"
        archive.add((head + "".join(missing)).encode(), "MISSING.txt")
    yield from archive.all_files()
    yield from archive.finalize()


def _line(tile: Tile, name: str, problem: str) -> list[str]:
    row, medium = tile.row, tile.medium
    address = medium.url if medium.is_remote else ""
    return [name, str(row.public_id), row.endpoint_id, medium.path, address, problem]


def _name(number: int, tile: Tile) -> str:
    """Return a name that every system takes, in the order of the gallery."""
    medium = tile.medium
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", medium.name).strip("-.")[-80:]
    if not medium.is_remote or "." not in plain:
        plain = f"{plain or medium.kind}.{plain_type(medium.content_type)[1]}"
    return f"media/{number:04}-{plain}"


def _write(tile: Tile, file: IO[bytes], *, most: int) -> None:
    """Write the whole file. Raises NotInZip, NotFetched, StoreProblem."""
    if not tile.medium.is_remote:
        pieces = _of_output(tile)
    elif copy := _kept(tile):
        pieces = _of_copy(copy)
    else:
        asyncio.run(_fetch(tile.medium.url, file, most=most))
        return
    for piece in pieces:
        if file.tell() + len(piece) > most:
            raise NotInZip("The zip would be too large with it.")
        file.write(piece)


def _of_output(tile: Tile) -> Iterator[bytes]:
    """Yield what stands in the output, or is it."""
    row = tile.row
    if tile.medium.path == "output":
        yield from bytes_of_output(row.pk)
        return
    found = inline_bytes(row, tile.number, b"".join(bytes_of_output(row.pk)))
    if found is None:
        raise NotInZip("The output was removed.")
    yield found[1]


def _kept(tile: Tile) -> MediaCopy | None:
    """Return our own copy."""
    kept = MediaCopy.objects.filter(
        request=tile.row.pk, url=tile.medium.url, state=CopyState.KEPT, file__isnull=False
    )
    return kept.select_related("file").first()


def _of_copy(copy: MediaCopy) -> Iterator[bytes]:
    if copy.file is None or not copy.file.size:
        return
    source = copy_store().opened_at(copy.file.name, 0, copy.file.size - 1)
    try:
        while piece := source.read(_PIECE):
            yield piece
    finally:
        source.close()


async def _fetch(url: str, file: IO[bytes], *, most: int) -> None:
    wanted = WantedFile(url, settings.FAL_MEDIA_HOSTS, most, DEADLINE_S)
    async with opened(wanted) as incoming:
        async for piece in incoming.pieces:
            file.write(piece)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
