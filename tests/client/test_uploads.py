from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.client.calling import KINDS, by
from tests.fal.conftest import peer as peer
from tests.fal.peer import Peer, reply, reset, says


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_goes_to_fals_storage_without_our_token_in_parts_when_it_is_large(
    kind: str, peer: Peer, tmp_path: Path
) -> None:
    told = {
        "upload_url": f"{peer.url}/put%2Fa?sign=1%2F",
        "file_url": "https://f.example/a.png",
        "content_type": "image/png",
    }
    peer.will(says(200, {**told, "part_size": 0}), reset, reply(200))
    address = await by(kind, "upload", b"123456", "image/png", "a.png", url=peer.url)
    assert address == "https://f.example/a.png"
    start, lost, put = peer.requests
    assert (start.path, start.header("authorization")) == ("/api/v1/uploads/", "Bearer fdk_t")
    assert json.loads(start.body) == {"name": "a.png", "content_type": "image/png", "size": 6}
    for one in (lost, put):
        assert (one.method, one.target, one.body) == ("PUT", "/put%2Fa?sign=1%2F", b"123456")
        assert (one.header("authorization"), one.header("content-type")) == (None, "image/png")

    (tmp_path / "a.png").write_bytes(b"123456")
    parts = [reply(200, etag=f"e{number}") for number in (1, 2)]
    peer.will(says(200, {**told, "part_size": 4}), *parts, says(200, {}))
    assert await by(kind, "upload_file", tmp_path / "a.png", url=peer.url) == told["file_url"]
    sent = [(one.method, one.target, one.body) for one in peer.requests[4:6]]
    assert sent == [
        ("PUT", "/put%2Fa/1?sign=1%2F", b"1234"),
        ("PUT", "/put%2Fa/2?sign=1%2F", b"56"),
    ]
    assert peer.requests[6].target == "/put%2Fa/complete?sign=1%2F"
    assert json.loads(peer.requests[6].body) == {
        "parts": [{"partNumber": 1, "etag": "e1"}, {"partNumber": 2, "etag": "e2"}]
    }
