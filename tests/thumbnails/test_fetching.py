"""What a media host, or a machine that is none, can do to the fetch of a picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from requests_app.thumbnails.fetching import fetch_picture
from requests_app.thumbnails.problems import NoThumbnail
from tests.fal.peer import Peer, Step, drip, hang, raw, reply, reset, truncated
from tests.thumbnails.pictures import png


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A media host that answers as the test tells it."""
    peer = Peer()
    await peer.start()
    yield peer
    await peer.stop()


async def refusal(peer: Peer, *, deadline_s: float = 30.0, most: int = 100_000) -> NoThumbnail:
    """Why the picture at the peer is not had."""
    with pytest.raises(NoThumbnail) as refused:
        await fetch_picture(f"{peer.url}/a.png", [peer.url], deadline_s=deadline_s, most=most)
    return refused.value


async def test_a_picture_comes_as_it_is_and_is_asked_for_without_any_secret(peer: Peer) -> None:
    peer.will(reply(200, png(), "image/png"))
    assert await fetch_picture(f"{peer.url}/a.png", [peer.url]) == png()
    [asked] = peer.requests
    assert (asked.method, asked.path) == ("GET", "/a.png")
    assert not {name for name, _ in asked.headers} & {"authorization", "cookie", "referer"}
    assert asked.header("accept-encoding") == "identity"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_not_tried_again(peer: Peer, status: int) -> None:
    peer.will(reply(status, location=f"{peer.url}/b.png"), reply(200, png()))
    refused = await refusal(peer)
    assert refused.is_final
    assert len(peer.requests) == 1


@pytest.mark.parametrize(("status", "words"), [(404, "no longer there"), (403, "no longer there"), (500, "HTTP 500")])  # fmt: skip
async def test_a_refusal_is_told_and_may_be_tried_again(
    peer: Peer, status: int, words: str
) -> None:
    peer.will(reply(status, b"no"))
    refused = await refusal(peer)
    assert words in str(refused)
    assert not refused.is_final


async def test_more_bytes_than_the_limit_are_not_read(peer: Peer) -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"\0" * 1_000_000
    peer.will(reply(200, b"\0" * 200_000), raw(endless))
    for _ in range(2):
        refused = await refusal(peer)
        assert "larger than 100,000 bytes" in str(refused)
        assert refused.is_final


@pytest.mark.slow
@pytest.mark.parametrize("step", [hang, drip(b"\0" * 5000, 0.05)])
async def test_a_slow_host_is_left_at_the_deadline(peer: Peer, step: Step) -> None:
    peer.will(step)
    refused = await refusal(peer, deadline_s=0.5)
    assert str(refused) == "The picture did not arrive within 0.5 s."
    assert not refused.is_final


@pytest.mark.slow
async def test_headers_byte_by_byte_meet_the_same_deadline(peer: Peer) -> None:
    async def slow_head(writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 5000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    peer.will(slow_head)
    assert "did not arrive" in str(await refusal(peer, deadline_s=0.5))


BROKEN = [
    reset,
    truncated(200, b"\0" * 50),
    raw(b"nonsense\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\n" + b"x" * 99_999),
]


@pytest.mark.parametrize("step", BROKEN)
async def test_a_broken_reply_is_told_and_may_be_tried_again(peer: Peer, step: Step) -> None:
    peer.will(step)
    refused = await refusal(peer)
    assert "could not be fetched" in str(refused)
    assert not refused.is_final


async def test_a_packed_reply_is_not_unpacked(peer: Peer) -> None:
    packed = b"\x1f\x8b" + b"\0" * 50
    peer.will(reply(200, packed, "image/png", content_encoding="gzip"))
    assert await fetch_picture(f"{peer.url}/a.png", [peer.url]) == packed


async def test_an_address_of_no_media_host_is_never_asked(peer: Peer) -> None:
    for url in (f"{peer.url}/a.png", "file:///etc/passwd", "https://fal.media@127.0.0.1/"):
        with pytest.raises(NoThumbnail, match="not on one of the media hosts") as refused:
            await fetch_picture(url, ["https://fal.media"])
        assert refused.value.is_final
    assert peer.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_private_address_behind_an_allowed_name_is_never_asked(
    peer: Peer, host: str
) -> None:
    port = peer.url.rpartition(":")[2]
    with pytest.raises(NoThumbnail, match="private address") as refused:
        await fetch_picture(f"http://{host}:{port}/a.png", [f"http://*:{port}"])
    assert refused.value.is_final
    assert peer.connections == 0


async def test_a_private_host_that_the_setting_names_is_asked(peer: Peer) -> None:
    port = peer.url.rpartition(":")[2]
    peer.will(reply(200, png()))
    url = f"http://localhost:{port}/a.png"
    assert await fetch_picture(url, [f"http://localhost:{port}"]) == png()
