"""Pictures: painted, or made from given ones. Sizes in pixels, width first."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageEnhance, ImageOps, UnidentifiedImageError

from requests_app.sandbox.models import landscape

Size = tuple[int, int]
MAX_SIDE = 2048
PAINTED = 1024  # a picture of that side takes half a second
MAX_GIVEN = 40_000_000  # pixels of a picture that is still opened


class NotAPicture(ValueError):
    """The bytes cannot be opened as a picture."""


def fitted(size: Size, longest: int = MAX_SIDE) -> Size:
    """The size with its longest side bounded and its shape kept."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def paint(prompt: str, size: Size, seed: int) -> Image.Image:
    """A landscape that follows from prompt, size and seed. What is larger than PAINTED is painted smaller and enlarged."""
    made = Image.open(io.BytesIO(landscape.png(prompt, fitted(size, PAINTED), seed)))
    return made.convert("RGB").resize(size)


def read(data: bytes) -> Image.Image:
    """Raises NotAPicture."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_GIVEN:
                raise NotAPicture("too many pixels")
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as exc:
        raise NotAPicture(str(exc)) from None
    except Image.DecompressionBombError as exc:
        raise NotAPicture(str(exc)) from None


def encode(picture: Image.Image, kind: str) -> bytes:
    """`kind`: png, jpeg or webp."""
    data = io.BytesIO()
    if kind == "png":
        picture.save(data, "PNG", compress_level=4)
    elif kind == "webp":
        picture.save(data, "WEBP", quality=80, method=1)
    else:
        picture.save(data, "JPEG", quality=88)
    return data.getvalue()


def edited(picture: Image.Image, prompt: str, seed: int, strength: float = 0.5) -> Image.Image:
    """The picture in the colours that the prompt has in its landscape."""
    mood = landscape.mood_of(prompt)
    toned = ImageOps.colorize(
        ImageOps.grayscale(picture), black=mood.near, mid=mood.horizon, white=mood.light
    )
    mixed = Image.blend(picture, toned, min(max(strength, 0.15), 0.9))
    return ImageOps.mirror(mixed) if seed % 5 == 0 else mixed


def inpainted(picture: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
    """A landscape where the mask is white, the picture where it is black."""
    painted = paint(prompt, picture.size, seed)
    return Image.composite(painted, picture, mask.convert("L").resize(picture.size))


def enlarged(picture: Image.Image, factor: float) -> Image.Image:
    """Sharper and larger; no side longer than MAX_SIDE."""
    size = fitted((round(picture.width * factor), round(picture.height * factor)))
    return ImageEnhance.Sharpness(picture.resize(size, Image.Resampling.LANCZOS)).enhance(1.4)


def developed(
    picture: Image.Image, *, brightness: float, contrast: float, colour: float
) -> Image.Image:
    """Each figure is 1 for no change."""
    brighter = ImageEnhance.Brightness(picture).enhance(brightness)
    return ImageEnhance.Color(ImageEnhance.Contrast(brighter).enhance(contrast)).enhance(colour)


def marked(
    picture: Image.Image, points: Iterable[tuple[int, int, bool]], boxes: Iterable[tuple[int, ...]]
) -> Image.Image:
    """A veil over what is chosen: around points (x, y, belongs to it) and inside boxes."""
    veil = Image.new("L", picture.size, 0)
    draw, reach = ImageDraw.Draw(veil), max(min(picture.size) // 5, 2)
    for left, top, right, bottom in boxes:
        corners = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
        draw.rectangle(corners, fill=150)
    for x, y, belongs in points:
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=150 if belongs else 0)
    return Image.composite(Image.new("RGB", picture.size, (64, 120, 255)), picture, veil)


def mask(size: Size) -> Image.Image:
    """White in the middle: what is to be changed."""
    made = Image.new("RGB", size)
    width, height = size
    ImageDraw.Draw(made).ellipse(
        (width // 4, height // 4, width * 3 // 4, height * 3 // 4), "white"
    )
    return made


def svg(prompt: str, size: Size, colours: list[str], background: str) -> bytes:
    """Circles and bars in the given colours (`#rrggbb`)."""
    digest = hashlib.sha256(prompt.encode()).digest()
    width, height = size
    shapes = [f'<rect width="{width}" height="{height}" fill="{background}"/>']
    for number in range(12):
        x, y, r = digest[number] / 255, digest[number + 12] / 255, digest[31 - number] / 255
        shapes.append(
            f'<circle cx="{x * width:.0f}" cy="{y * height:.0f}" r="{10 + r * width / 6:.0f}"'
            f' fill="{colours[number % len(colours)]}" fill-opacity="0.8"/>'
        )
    body = "".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">{body}</svg>'
    ).encode()
