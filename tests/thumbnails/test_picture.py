"""Any picture becomes small, the right way up; what is none, or too large, is refused in words."""

from __future__ import annotations

import pytest
from PIL import Image

from requests_app.thumbnails.picture import CARD, CELL, make_small
from requests_app.thumbnails.problems import NoThumbnail
from tests.thumbnails.pictures import bomb, encoded, opened, png

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>Not found</title>"


def test_both_sizes_are_webp_and_small() -> None:
    made = make_small(png((1600, 900)))
    cell, card = opened(made[CELL]), opened(made[CARD])
    assert (cell.format, cell.size) == ("WEBP", (96, 96))
    assert (card.format, card.size) == ("WEBP", (320, 180))
    assert max(map(len, made.values())) < 40_000


def test_a_picture_smaller_than_a_thumbnail_is_not_blown_up() -> None:
    assert opened(make_small(png((40, 20)))[CARD]).size == (40, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_every_kind_that_pages_show_is_read(kind: str) -> None:
    data = encoded(Image.new("RGB", (200, 100), (10, 200, 10)), kind)
    red, green, blue = opened(make_small(data)[CARD]).convert("RGB").getpixel((50, 50))
    assert green > 150 > max(red, blue)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "YCbCr"])
def test_every_mode_of_colours_is_read(mode: str) -> None:
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert make_small(encoded(Image.new(mode, (64, 64)), kind))[CELL]


def test_a_photograph_is_turned_as_its_exif_says() -> None:
    picture = Image.new("RGB", (800, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    assert opened(make_small(encoded(picture, "JPEG", exif=exif))[CARD]).size == (160, 320)


def test_what_is_transparent_stays_so() -> None:
    card = opened(make_small(png(colour=(0, 0, 255, 0)))[CARD])
    assert card.mode == "RGBA"
    assert card.getpixel((10, 10))[3] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    red, *others = [Image.new("RGB", (64, 64), c) for c in ("red", "blue", "green")]
    data = encoded(red, kind, save_all=True, append_images=others)
    made = opened(make_small(data)[CELL])
    assert getattr(made, "n_frames", 1) == 1
    assert made.convert("RGB").getpixel((5, 5))[0] > 200


@pytest.mark.parametrize(
    "data", [b"", SVG, HTML, png()[:60], png()[:-30], b"\x89PNG\r\n\x1a\n" + HTML, b"GIF89a"]
)
def test_what_is_no_picture_is_refused_for_good(data: bytes) -> None:
    with pytest.raises(NoThumbnail, match="not a picture") as refused:
        make_small(data)
    assert refused.value.is_final


def test_a_picture_of_too_many_pixels_is_never_unpacked() -> None:
    with pytest.raises(NoThumbnail, match="too large: 9000 by 9000") as refused:
        make_small(bomb(9000, 9000))
    assert refused.value.is_final


def test_a_lie_about_its_size_that_no_machine_could_hold_is_refused() -> None:
    data = bytearray(bomb(10, 10))
    data[16:24] = (2**31 - 1).to_bytes(4) * 2
    with pytest.raises(NoThumbnail) as refused:
        make_small(bytes(data))
    assert refused.value.is_final
