"""What a row keeps of the media in its output, and gives back to pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.display.kept_media import MOST_BYTES, media_of, seed_told
from requests_app.display.media import MAX_MEDIA
from requests_app.display.summary import of_output
from requests_app.models import FalRequest

CAT = "https://fal.media/files/cat.png"


def kept(value: Any) -> FalRequest:
    columns = of_output({"output": json.dumps(value).encode()})
    return FalRequest(**columns)


def test_each_medium_comes_back_as_it_was_found() -> None:
    row = kept(
        {
            "images": [{"url": CAT, "width": 640, "height": 480, "file_size": 99}],
            "audio": {"url": "https://fal.media/files/a.mp3", "file_name": "speech.mp3"},
            "model_mesh": {"url": "https://fal.media/files/m.glb"},
            "seed": 12345678901234567890,
        }
    )
    assert row.media_kinds == "image audio file"
    picture, sound, mesh = media_of(row)
    assert (picture.url, picture.path, picture.width, picture.size) == (CAT, "images[0]", 640, 99)
    assert (sound.kind, sound.name) == ("audio", "speech.mp3")
    assert mesh.is_3d
    assert seed_told(row) == "12345678901234567890"


@pytest.mark.parametrize("value", [{"text": "no"}, {"seed": 1}, [], {"url": "https://evil/a.png"}])
def test_an_output_without_media_keeps_none(value: Any) -> None:
    row = kept(value)
    assert (row.media_kinds, row.media) == (None, None)
    assert media_of(row) == []


def test_the_bytes_of_a_medium_stay_in_the_output() -> None:
    row = kept({"image": f"data:image/png;base64,{'A' * 4000}"})
    assert len(json.dumps(row.media)) < 200
    assert media_of(row)[0].url == f"/requests/{row.public_id}/media/0/"


def test_an_output_that_is_a_recording_is_one_medium() -> None:
    columns = of_output({"output": b"ID3\4\0\0\0\0", "output_type": "audio/mpeg"})
    row = FalRequest(**columns)
    assert row.media_kinds == "audio"
    assert media_of(row)[0].url == f"/requests/{row.public_id}/output/media/"


def test_what_is_kept_is_bounded() -> None:
    many = kept({"images": [{"url": f"{CAT}?n={n}"} for n in range(500)]})
    assert len(media_of(many)) == MAX_MEDIA
    long = kept({"images": [{"url": f"{CAT}?n={n}&{'a' * 1900}"} for n in range(90)]})
    assert 0 < len(json.dumps(long.media)) < MOST_BYTES + 2000
    assert json.loads(json.dumps(kept({"image": {"url": CAT, "file_name": "a\0b\ud800"}}).media))
