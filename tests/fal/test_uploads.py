from __future__ import annotations

import json

import pytest

from requests_app.fal import FalClient, NotSent, Refused, Unanswered, start_upload
from requests_app.fal.replies import Reply
from requests_app.fal.uploads import read_upload

from .conftest import KEY, QUICK, hosts_at
from .peer import Peer, hang, html, reset, says

URLS = {
    "upload_url": "https://v3.fal.media/files/x?sig=s3cr3t%2F",
    "file_url": "https://v3.fal.media/files/x.png",
}


@pytest.mark.parametrize(("in_parts", "verb"), [(False, "initiate"), (True, "initiate-multipart")])
async def test_an_upload_is_started_as_fals_own_client_does(
    peer: Peer, fal: FalClient, in_parts: bool, verb: str
) -> None:
    peer.will(says(200, URLS))
    upload = await start_upload(fal, name="a “b”.png", content_type="image/png", in_parts=in_parts)
    assert (upload.upload_url, upload.file_url) == (URLS["upload_url"], URLS["file_url"])
    [request] = peer.requests
    assert (request.method, request.path) == ("POST", f"/rest/storage/upload/{verb}")
    assert request.query == {"storage_type": "fal-cdn-v3"}
    assert json.loads(request.body) == {"content_type": "image/png", "file_name": "a “b”.png"}
    assert request.header("authorization") == f"Key {KEY}"
    assert "s3cr3t" not in repr(upload)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"not json", b"{}",
        *(
            json.dumps(URLS | {name: value}).encode()
            for name in URLS
            for value in (None, 5, "", "/files/x", "ftp://fal.media/x", "https://me:pw@fal.media/x",
                          "https://fal.media/a b", "https://fal.media/\r\nx", "javascript:x")
        ),
    ],
)  # fmt: skip
def test_a_reply_without_two_addresses_is_unanswered_and_not_kept(body: bytes) -> None:
    with pytest.raises(Unanswered, match="usable addresses") as caught:
        read_upload(Reply(200, {}, body))
    assert (caught.value.body, caught.value.retryable) == (b"", True)


@pytest.mark.parametrize("status", [401, 403, 413, 422, 429])
async def test_a_refusal_names_its_status(peer: Peer, fal: FalClient, status: int) -> None:
    peer.will(says(status, {"detail": "no"}))
    with pytest.raises(Refused) as caught:
        await start_upload(fal, name="a", content_type="a/b")
    assert caught.value.status_code == status


@pytest.mark.parametrize("step", [html(502), reset, hang, says(302, {}, location="/x")])
async def test_no_readable_answer_is_unanswered(peer: Peer, fal: FalClient, step: object) -> None:
    peer.will(step)  # type: ignore[arg-type]
    with pytest.raises(Unanswered):
        await start_upload(fal, name="a", content_type="a/b")
    assert len(peer.requests) == 1


async def test_a_fal_that_is_not_there_was_sent_nothing() -> None:
    async with FalClient(hosts_at("http://127.0.0.1:9"), KEY, timeouts=QUICK) as fal:
        with pytest.raises(NotSent):
            await start_upload(fal, name="a", content_type="a/b")
