"""The files of thumbnails: DATA_DIR/thumbnails/<two digits>/<public id>-<size>.webp.

Those of further pictures have their number behind the id: <public id>.<number>-<size>.webp.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings

from requests_app.thumbnails.picture import SIZES


def write_files(public_id: UUID, pictures: Mapping[int, bytes], number: int | None = None) -> str:
    """Write each size, whole or not at all; return the version. Raises OSError."""
    digest = hashlib.sha256()
    for size, data in sorted(pictures.items()):
        path = _path(public_id, size, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
        digest.update(data)
    return digest.hexdigest()[:16]


def read_file(public_id: UUID, size: int, number: int | None = None) -> bytes | None:
    """Return the picture; None when it is not there."""
    try:
        return _path(public_id, size, number).read_bytes()
    except OSError:
        return None


def remove_files(public_id: UUID, number: int | None = None) -> None:
    """Remove every size; what is not there is fine."""
    for size in SIZES:
        with suppress(OSError):
            _path(public_id, size, number).unlink(missing_ok=True)


def _path(public_id: UUID, size: int, number: int | None) -> Path:
    folder: Path = settings.DATA_DIR / "thumbnails" / public_id.hex[:2]
    name = str(public_id) if number is None else f"{public_id}.{number}"
    return folder / f"{name}-{size}.webp"
