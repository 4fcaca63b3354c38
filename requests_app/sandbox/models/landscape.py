"""Paints a landscape: sky, a sun or moon, clouds or stars, ranges of hills, water.

Pure: the same prompt, size and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Mood:
    """Sky from top to horizon, the light, the farthest and the nearest hills."""

    zenith: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    stars: bool = False
    water: bool = False


MOODS = {
    "sunset": Mood((58, 44, 102), (255, 158, 94), (255, 228, 170), (196, 104, 118), (44, 26, 58)),
    "dawn": Mood((118, 148, 206), (255, 214, 196), (255, 244, 220), (180, 160, 196), (58, 62, 104)),
    "night": Mood((8, 12, 36), (40, 62, 108), (236, 240, 255), (38, 54, 96), (6, 10, 26), stars=True),
    "sea": Mood((52, 122, 178), (206, 236, 238), (255, 250, 226), (92, 150, 176), (14, 66, 92),
                water=True),
    "desert": Mood((92, 150, 196), (250, 222, 170), (255, 246, 214), (226, 168, 110), (146, 74, 48)),
    "forest": Mood((128, 178, 178), (232, 240, 212), (255, 252, 226), (120, 164, 138), (22, 58, 46)),
    "snow": Mood((108, 148, 190), (226, 234, 246), (255, 255, 255), (188, 206, 228), (96, 122, 160)),
    "dusk": Mood((36, 32, 84), (232, 122, 150), (255, 214, 200), (132, 82, 140), (26, 20, 54)),
}  # fmt: skip
WORDS = {
    "ocean": "sea", "beach": "sea", "lake": "sea", "boat": "sea", "harbour": "sea", "water": "sea",
    "moon": "night", "star": "night", "dark": "night", "space": "night", "sand": "desert",
    "canyon": "desert", "tree": "forest", "jungle": "forest", "green": "forest", "winter": "snow",
    "ice": "snow", "mountain": "snow", "morning": "dawn", "spring": "dawn", "orange": "sunset",
    "fire": "sunset", "evening": "dusk", "pink": "dusk",
}  # fmt: skip


def png(prompt: str, size: tuple[int, int], seed: int) -> bytes:
    chance = random.Random(hashlib.sha256(f"{seed}\n{prompt}".encode()).digest())  # noqa: S311
    picture = _paint(mood_of(prompt), size, chance)
    data = io.BytesIO()
    picture.save(data, "PNG", compress_level=4)
    return data.getvalue()


def mood_of(prompt: str) -> Mood:
    """The first word that names a mood decides; without one, the prompt as a whole."""
    for word in prompt.lower().replace(",", " ").split():
        for name in (word, word.removesuffix("s")):
            if (mood := MOODS.get(WORDS.get(name, name))) is not None:
                return mood
    names = sorted(MOODS)
    return MOODS[names[hashlib.sha256(prompt.encode()).digest()[0] % len(names)]]


def _paint(mood: Mood, size: tuple[int, int], chance: random.Random) -> Image.Image:
    width, height = size
    horizon = height * chance.uniform(0.58, 0.7)
    light = (width * chance.uniform(0.2, 0.8), horizon * chance.uniform(0.35, 0.85))
    picture = _sky(mood, size, horizon)
    if mood.stars:
        _stars(picture, horizon, chance)
    picture = _glow(picture, mood, light, min(size) * chance.uniform(0.06, 0.1))
    picture = _clouds(picture, mood, horizon, chance)
    _hills(picture, mood, horizon, chance)
    if mood.water:
        _water(picture, mood, horizon, light[0], chance)
    return picture


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(mood: Mood, size: tuple[int, int], horizon: float) -> Image.Image:
    column = Image.new("RGB", (1, size[1]))
    for y in range(size[1]):
        column.putpixel((0, y), _mix(mood.zenith, mood.horizon, min(y / horizon, 1) ** 1.3))
    return column.resize(size)


def _stars(picture: Image.Image, horizon: float, chance: random.Random) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(picture.width * picture.height // 4000):
        x, y = chance.uniform(0, picture.width), horizon * chance.random() ** 1.5
        shade = chance.randint(120, 255)
        radius = chance.choice((0.5, 0.5, 0.5, 1.2))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), (shade, shade, shade))


def _glow(picture: Image.Image, mood: Mood, at: Point, radius: float) -> Image.Image:
    """The disc and its halo; the halo is blurred at a quarter of the size, which is not visible."""
    small = (max(picture.width // 4, 1), max(picture.height // 4, 1))
    halo = Image.new("L", small)
    draw = ImageDraw.Draw(halo)
    draw.ellipse(_box((at[0] / 4, at[1] / 4), radius * 0.75), 150)
    halo = halo.filter(ImageFilter.GaussianBlur(radius / 3)).resize(picture.size)
    ImageDraw.Draw(halo).ellipse(_box(at, radius), 245)
    halo = halo.filter(ImageFilter.GaussianBlur(1.2))
    return Image.composite(Image.new("RGB", picture.size, mood.light), picture, halo)


def _box(at: Point, radius: float) -> tuple[float, float, float, float]:
    return at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius


def _clouds(picture: Image.Image, mood: Mood, horizon: float, chance: random.Random) -> Image.Image:
    small = (max(picture.width // 4, 1), max(picture.height // 4, 1))
    veil = Image.new("L", small)
    draw = ImageDraw.Draw(veil)
    for _ in range(chance.randint(3, 7)):
        x, y = chance.uniform(0, small[0]), chance.uniform(0.1, 0.8) * horizon / 4
        for _ in range(9):
            wide, high = (
                small[0] * chance.uniform(0.03, 0.13),
                small[1] * chance.uniform(0.005, 0.016),
            )
            dx = chance.gauss(0, small[0] * 0.06)
            draw.ellipse((x + dx - wide, y - high, x + dx + wide, y + high), 70)
    veil = veil.filter(ImageFilter.GaussianBlur(small[1] / 110)).resize(picture.size)
    tint = Image.new("RGB", picture.size, _mix(mood.light, mood.horizon, 0.35))
    return Image.composite(tint, picture, veil)


def _hills(picture: Image.Image, mood: Mood, horizon: float, chance: random.Random) -> None:
    """Ranges from far to near: each darker, lower in the picture and rougher than the last."""
    ranges = 2 if mood.water else chance.randint(4, 6)
    for number in range(ranges):
        depth = number / max(ranges - 1, 1)
        share = depth * (0.35 if mood.water else 1)
        rise = picture.height * (0.05 + 0.05 * depth)
        level = horizon + (0 if mood.water else (picture.height * 0.95 - horizon) * depth**1.2)
        _range(picture, level - rise * 0.4, rise, _mix(mood.far, mood.near, share), chance)


def _range(
    picture: Image.Image, level: float, rise: float, colour: Colour, chance: random.Random
) -> None:
    """One silhouette: sines of falling strength. Drawn twice as large, so that edges are smooth."""
    waves = [(chance.uniform(0.7, 1.6) * 2**n, chance.uniform(0, 7), 0.55**n) for n in range(6)]
    width, height = picture.size

    def y(x: float) -> float:
        around = 2 * math.pi * x / width
        return level - rise * sum(s * math.sin(f * around + phase) for f, phase, s in waves)

    ridge = [(2 * x, 2 * y(x)) for x in range(0, width + 4, 2)]
    mask = Image.new("L", (2 * width, 2 * height))
    ImageDraw.Draw(mask).polygon([*ridge, (2 * width + 8, 2 * height), (0, 2 * height)], fill=255)
    picture.paste(colour, (0, 0), mask.resize(picture.size, Image.Resampling.BOX))


def _water(
    picture: Image.Image, mood: Mood, horizon: float, light_x: float, chance: random.Random
) -> None:
    draw = ImageDraw.Draw(picture)
    depth = picture.height - horizon
    for y in range(round(horizon), picture.height):
        share = max(y - horizon, 0) / depth
        draw.line((0, y, picture.width, y), _mix(mood.horizon, mood.near, 0.25 + 0.75 * share**0.7))
    for _ in range(round(depth * 1.1)):
        share = chance.random() ** 1.4
        x = light_x + chance.gauss(0, picture.width * (0.02 + 0.07 * share))
        y, half = horizon + depth * share, chance.uniform(2, 6 + 16 * share)
        sheen = _mix(mood.light, mood.near, 0.15 + 0.55 * share)
        draw.line((x - half, y, x + half, y), sheen, 1 if share < 0.5 else 2)
