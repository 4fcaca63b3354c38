"""Make a picture small. It comes from a model: its pixels are bounded before they are unpacked."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping

from PIL import Image, ImageOps

from requests_app.thumbnails.problems import NoThumbnail

CELL = 96  # a square of the middle, for rows of a list
CARD = 320  # the whole picture, as large as fits
SIZES = (CELL, CARD)
# Unpacked they take 160 MB for a moment, and two seconds. One picture is unpacked at a time.
MOST_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_QUALITY = 78
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, IndexError)


def make_small(data: bytes, *, most_pixels: int = MOST_PIXELS) -> Mapping[int, bytes]:
    """Return the picture as WebP in each of `SIZES`. Raises NoThumbnail.

    Of an animation the first frame; turned as its EXIF says; what is transparent stays so.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=_FORMATS) as opened,
        ):
            if opened.width * opened.height > most_pixels:
                sentence = f"The picture is too large: {opened.width} by {opened.height} pixels."
                raise NoThumbnail(sentence, is_final=True)
            card = _card(opened)
    except Image.DecompressionBombError:
        raise NoThumbnail("The picture has too many pixels.", is_final=True) from None
    except (*_BROKEN, MemoryError) as error:
        raise NoThumbnail("What came is not a picture that can be read.", is_final=True) from error
    cell = ImageOps.fit(card, (CELL, CELL), Image.Resampling.LANCZOS)
    small = card.copy()
    small.thumbnail((CARD, CARD), Image.Resampling.LANCZOS)
    return {CELL: _webp(cell), CARD: _webp(small)}


def _card(opened: Image.Image) -> Image.Image:
    """Twice as large as needed at most: turning and cutting cost little then."""
    # A JPEG is unpacked at a half, a quarter or an eighth of its size.
    opened.draft("RGB", (2 * CARD, 2 * CARD))
    opened.load()
    has_alpha = opened.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in opened.info
    plain = opened.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((2 * CARD, 2 * CARD), Image.Resampling.BOX, reducing_gap=None)
    return ImageOps.exif_transpose(plain)


def _webp(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()
