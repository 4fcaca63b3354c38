"""An output's own bytes: shown only under harmless types, sandboxed, and in ranges."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from requests_app.display import output_download
from requests_app.fal.reports import Result
from requests_app.models import FalRequest, Frame, OutputPart
from tests.builders import hear
from tests.views.request_page import page, url

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(92))
MP3 = b"ID3\x04" + bytes(range(200))
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 50
WEBM = b"\x1a\x45\xdf\xa3" + b"\0\xff" * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def end(row: FalRequest, content_type: str, body: bytes, mode: str = "queue") -> None:
    FalRequest.objects.filter(pk=row.pk).update(mode=mode)
    hear(row, Result(200, {}, content_type, body))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
@pytest.mark.parametrize(
    ("content_type", "body", "shown", "element"),
    [
        ("image/png", PNG, "image/png", "<img"), ("IMAGE/JPG; q=1", PNG, "image/jpeg", "<img"),
        ("audio/mpeg", MP3, "audio/mpeg", "<audio"), ("video/mp4", MP4, "video/mp4", "<video"),
        ("audio/mp3", MP3, "audio/mpeg", "<audio"), ("audio/webm", WEBM, "video/webm", "<video"),
        ("", PNG, "image/png", "<img"), ("application/octet-stream", MP4, "video/mp4", "<video"),
    ],
)  # fmt: skip
def test_an_output_in_bytes_shows_by_its_type(
    as_owner, row, mode, content_type, body, shown, element
):
    end(row, content_type, body, mode)
    reply = as_owner.get(url("output_media", row))
    assert (reply.status_code, reply["Content-Type"], reply.getvalue()) == (200, shown, body)
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in reply["Cache-Control"]
    assert reply["Content-Disposition"].startswith("inline;")
    text = page(as_owner, row)
    assert element in text
    assert f'src="{url("output_media", row)}"' in text
    assert "The stream brought no events." not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("image/svg+xml", SVG), ("text/html", b"<script>alert(1)</script>\0"), ("application/pdf", b"%PDF-1\0"),
        ("image/png", b'{"detail": "boom"}'), ("audio/mpeg", b"not found"), ("image/png", SVG),
        ("application/json", PNG), ("image/heic", b"\0\0\0\x18ftypheic" + b"\0" * 20), ("", b"\0\1\2"),
        ("application/xhtml+xml", PNG),
    ],
)  # fmt: skip
def test_anything_else_is_only_saved(as_owner, row, content_type, body):
    end(row, content_type, body, "run")
    assert as_owner.get(url("output_media", row)).status_code == 404
    assert url("output_media", row) not in page(as_owner, row)
    assert as_owner.get(url("output", row)).status_code == 200


def sent(reply) -> bytes:
    async def joined() -> bytes:
        return b"".join([piece async for piece in reply])

    return async_to_sync(joined)()


@pytest.mark.django_db(transaction=True)
def test_a_player_gets_the_range_it_asks_for_across_parts(as_owner, row, monkeypatch):
    monkeypatch.setattr(output_download, "WHOLE", 0)
    end(row, "audio/mpeg", MP3, "run")
    for number in (1, 2):
        OutputPart.objects.create(request=row, number=number, data=bytes([number]) * 10)
    size = len(MP3) + 20
    FalRequest.objects.filter(pk=row.pk).update(output_size=size)
    whole = MP3 + b"\1" * 10 + b"\2" * 10
    assert sent(as_owner.get(url("output", row))) == whole
    for first, last in ((0, 0), (0, size - 1), (200, 205), (210, 218), (size - 1, size - 1)):
        reply = as_owner.get(url("output_media", row), headers={"Range": f"bytes={first}-{last}"})
        assert (reply.status_code, sent(reply)) == (206, whole[first : last + 1])
        assert reply["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert reply["Content-Length"] == str(last - first + 1)
    reply = as_owner.get(url("output_media", row), headers={"Range": f"bytes={size}-"})
    assert (reply.status_code, reply["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize(
    ("said", "shows", "heading"),
    [
        (["output", "error", "nothing"], "error", "The event that reports the error"),
        (["error", "output"], "output", "The last event with an output"),
        (["output", "note"], "output", "The last event with an output"),
        ([None], "output", "The last event with an output"),
        ([], "reply", "fal&#x27;s reply"),
    ],
)
def test_the_heading_over_the_output_of_a_stream_says_what_it_is(
    as_owner, row, said, shows, heading
):
    for number, says in enumerate(said, 1):
        Frame.objects.create(
            request=row, number=number, offset_ms=1, data='{"a": 1}', size=8, says=says
        )
    end(row, "application/json", b'{"a": 1}', "stream")
    text = page(as_owner, row)
    assert f'data-shows="{shows}"' in text
    assert f"<h2>{heading}</h2>".replace("&#x27;", "'") in text
