"""The files of a zip that came from elsewhere: bounded while they are read, each under a name that is expected."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from requests_app.runfile import layout

MOST_FILES = 5000
MOST_UNPACKED = 192 * 1024 * 1024  # bytes of all files
MOST_RATIO = 400  # of what is larger than FREE_RATIO: text packs to a twentieth at best
FREE_RATIO = 16 * 1024 * 1024
PIECE = 256 * 1024

_DIRECTORY_BYTES = 1024 * 1024  # of the list of files
_END = b"PK\x05\x06"
_END_SIZE, _LONGEST_COMMENT = 22, 65535
_NAMES = re.compile(
    r"(?:output\.[a-z0-9]{1,8}|deliveries/[0-9]{4,8}\.body|media/[0-9]{3,8}\.[a-z0-9]{1,8})"
)
_FIXED = frozenset({layout.RUN, layout.VIEWER, layout.INPUT, layout.SCHEMA, *layout.TABLES})
_NOT_KEPT = ("media/", layout.VIEWER)  # only their digests are compared


class NotARunFile(ValueError):
    """The file is not taken; the text is a sentence."""


@dataclass(frozen=True)
class UnpackedFile:
    """One file of the zip. `data` is empty for media and the page, which are not kept."""

    size: int
    sha256: str
    data: bytes


def unpack(file: IO[bytes]) -> dict[str, UnpackedFile]:
    """Return all files by name. Raises NotARunFile."""
    try:
        _ensure_short_directory(file)
        with ZipFile(file) as archive:
            return _unpacked(archive)
    except (
        BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        zlib.error,
        ValueError,
    ) as error:
        if isinstance(error, NotARunFile):
            raise
        raise NotARunFile("The file is not a zip that can be read.") from error


def _ensure_short_directory(file: IO[bytes]) -> None:
    """Look at the end of the zip, which says how long its list of files is, before that is read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        raise NotARunFile("The file is not a zip.")
    count, length = struct.unpack_from("<HI", tail, place + 10)
    if count > MOST_FILES or length > _DIRECTORY_BYTES:
        raise NotARunFile(f"The zip has more files than the {MOST_FILES:,} that are taken.")


def _unpacked(archive: ZipFile) -> dict[str, UnpackedFile]:
    found: dict[str, UnpackedFile] = {}
    left = MOST_UNPACKED
    for info in archive.infolist():
        name = info.filename
        if name not in _FIXED and not _NAMES.fullmatch(name):
            raise NotARunFile(f"No file of a run is called {name[:80]!r}.")
        if name in found:
            raise NotARunFile(f"{name} stands twice in the zip.")
        found[name] = _read(archive, info, left)
        left -= found[name].size
    return found


def _read(archive: ZipFile, info: ZipInfo, left: int) -> UnpackedFile:
    most = min(left, max(FREE_RATIO, MOST_RATIO * info.compress_size))
    digest, size, pieces = hashlib.sha256(), 0, []
    is_kept = not info.filename.startswith(_NOT_KEPT)
    with archive.open(info) as stream:
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > most:
                raise NotARunFile(
                    f"Unpacked, the zip is larger than the {MOST_UNPACKED // 2**20} MB that are taken, or "
                    f"packed more than {MOST_RATIO} times smaller."
                )
            digest.update(piece)
            if is_kept:
                pieces.append(piece)
    return UnpackedFile(size, digest.hexdigest(), b"".join(pieces))
