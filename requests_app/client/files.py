"""Small files written into an input as data URIs, as fal's client does."""

from __future__ import annotations

import base64
import mimetypes
import os
from io import BytesIO
from pathlib import Path
from typing import Any


def encode(data: str | bytes, content_type: str) -> str:
    """Return the data URI of a text or bytes."""
    raw = data.encode() if isinstance(data, str) else data
    return f"data:{content_type};base64,{base64.b64encode(raw).decode()}"


def encode_file(path: os.PathLike[str] | str) -> str:
    """Return the data URI of a file; its type is guessed from its name."""
    file = Path(path)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return encode(file.read_bytes(), kind)


def encode_image(image: Any, format: str = "jpeg") -> str:
    """Return the data URI of an image of Pillow's."""
    buffer = BytesIO()
    image.save(buffer, format=format)
    return encode(buffer.getvalue(), f"image/{format}")
