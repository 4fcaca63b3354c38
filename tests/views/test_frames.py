"""A frame's bytes: who gets them, and that nothing in them can run."""

from __future__ import annotations

import msgpack
import pytest

from requests_app.models import FalRequest, Frame
from tests.builders import make_request
from tests.views.request_page import url

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
PIECES = ["frame_raw", "frame_media"]


@pytest.fixture
def row(team, owner) -> FalRequest:
    return make_request(team=team, person=owner, mode="realtime")


def add(row: FalRequest, number: int = 1, **values: object) -> None:
    usual = {"kind": "msgpack", "data": "{}", "offset_ms": 1, "size": 1}
    Frame.objects.create(request=row, number=number, **usual | values)


def test_the_bytes_are_those_of_the_wire(as_owner, row):
    add(row, 1, raw=b"\x00\xff")
    add(row, 2, kind="text", data="né")
    assert as_owner.get(url("frame_raw", row, 1)).content == b"\x00\xff"
    assert as_owner.get(url("frame_raw", row, 2)).content == "né".encode()


def test_the_bytes_are_saved_never_shown(as_owner, row):
    add(row, raw=b"<script>alert(1)</script>")
    reply = as_owner.get(url("frame_raw", row, 1))
    assert reply["Content-Type"] == "application/octet-stream"
    assert reply["Content-Disposition"].startswith("attachment;")
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_picture_in_a_message_is_shown_sandboxed(as_owner, row):
    add(row, raw=msgpack.packb({"images": [{"content": PNG}]}))
    reply = as_owner.get(url("frame_media", row, 1), {"at": "/images/0/content"})
    assert (reply.status_code, reply["Content-Type"], reply.content) == (200, "image/png", PNG)
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        (msgpack.packb({"a": SVG}), "/a"),
        (msgpack.packb({"a": b"<html>"}), "/a"),
        (msgpack.packb({"a": b"%PDF-1.7"}), "/a"),
        (msgpack.packb({"a": PNG}), "/b"),
        (msgpack.packb({"a": PNG}), "/a/0"),
        (b"\xc1", "/a"),
        (b"", ""),
        (None, ""),
    ],
)
def test_what_is_no_known_picture_or_sound_is_not_there(as_owner, row, raw, at):
    add(row, raw=raw)
    assert as_owner.get(url("frame_media", row, 1), {"at": at}).status_code == 404


@pytest.mark.parametrize("piece", PIECES)
def test_a_foreign_frame_is_as_missing_as_one_that_never_was(piece, as_stranger, as_owner, row):
    add(row, kind="binary", raw=PNG)
    assert as_owner.get(url(piece, row, 1)).status_code == 200
    foreign = as_stranger.get(url(piece, row, 1))
    missing = as_stranger.get(url(piece, row, 2))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


@pytest.mark.parametrize("piece", PIECES)
def test_a_viewer_sees_them_and_nobody_changes_them(piece, as_viewer, as_owner, client, row):
    add(row, kind="binary", raw=PNG)
    assert as_viewer.get(url(piece, row, 1)).status_code == 200
    assert as_owner.post(url(piece, row, 1)).status_code == 405
    assert client.get(url(piece, row, 1)).status_code == 302
    assert as_owner.get(url(piece, row, 10**30)).status_code == 404
