"""Uploads by either client's route, and what the file server will not do."""

from __future__ import annotations

import httpx
import pytest


@pytest.fixture
def cdn(http, sandbox):
    """A client with a CDN token, based where the token's reply says."""
    granted = http.post("/rest/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    headers = {"Authorization": f"{granted['token_type']} {granted['token']}"}
    assert granted["base_url"] == f"{sandbox.url}/cdn"
    with httpx.Client(base_url=granted["base_url"], headers=headers) as client:
        yield client


def test_a_direct_upload_comes_back_with_its_type_and_cannot_act_as_a_page(http, cdn):
    headers = {"Content-Type": "text/html", "X-Fal-File-Name": "evil.html"}
    url = cdn.post("/files/upload", content=b"<script>1</script>", headers=headers).json()
    reply = http.get(url["access_url"])
    assert reply.content == b"<script>1</script>"
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("sandbox")


def test_parts_are_joined_by_number_whatever_their_order(http, cdn):
    headers = {"Content-Type": "video/mp4", "X-Fal-File-Name": "film.mp4"}
    begun = cdn.post("/files/upload/multipart", headers=headers).json()
    root = f"{begun['access_url']}/multipart/{begun['uploadId']}"
    etags = {n: cdn.put(f"{root}/{n}", content=part).headers["etag"]
             for n, part in ((2, b"second"), (1, b"first "))}  # fmt: skip
    assert http.get(begun["access_url"]).status_code == 404
    parts = [{"partNumber": n, "etag": tag} for n, tag in etags.items()]
    assert cdn.post(f"{root}/complete", json={"parts": parts}).status_code == 200
    film = http.get(begun["access_url"])
    assert (film.content, film.headers["content-type"]) == (b"first second", "video/mp4")
    assert begun["access_url"].endswith(".mp4")


@pytest.mark.parametrize("storage_type", ["fal-cdn-v3", "gcs"])
def test_an_initiated_upload_needs_no_key_and_fills_the_promised_url(http, storage_type):
    body = {"content_type": "image/png", "file_name": "a.png"}
    url = f"/rest/storage/upload/initiate?storage_type={storage_type}"
    urls = http.post(url, json=body).json()
    put = httpx.put(urls["upload_url"], content=b"png", headers={"Content-Type": "image/png"})
    assert put.status_code == 200
    reply = http.get(urls["file_url"])
    assert (reply.content, reply.headers["content-type"]) == (b"png", "image/png")


def test_nobody_uploads_without_a_permit_or_with_that_of_another_file(http, cdn):
    one, two = (
        http.post("/rest/storage/upload/initiate", json={"file_name": "a.txt"}).json()
        for _ in range(2)
    )
    bare, permit = one["upload_url"].split("?")
    other = two["upload_url"].split("?")[1]
    assert httpx.put(bare, content=b"x").status_code == 403
    assert httpx.put(f"{bare}?{other}", content=b"x").status_code == 403
    key = {"Authorization": "Key sandbox:sandbox"}
    assert cdn.post("/files/upload", content=b"x", headers=key).status_code == 401
    token = permit.removeprefix("permit=")
    bearer = {"Authorization": f"Bearer {token}"}
    assert cdn.post("/files/upload", content=b"x", headers=bearer).status_code == 401


def test_a_file_token_is_no_key(http, sandbox):
    token = http.post("/rest/storage/auth/token", json={}).json()["token"]
    reply = httpx.post(f"{sandbox.url}/run/sandbox/echo?fal_jwt_token={token}", json={})
    assert reply.status_code == 401


def test_pages_of_any_origin_may_upload_and_show_files_and_nothing_else(http):
    asks = {"Origin": "http://page.example", "Access-Control-Request-Method": "PUT"}
    opened = http.options("/cdn/upload/a.txt", headers=asks)
    assert (opened.status_code, opened.headers["access-control-allow-origin"]) == (200, "*")
    for path in ("/control/ledger", "/run/sandbox/echo", "/queue/sandbox/echo"):
        reply = http.get(path, headers=asks)
        assert "access-control-allow-origin" not in reply.headers


def test_an_unknown_file_and_an_unknown_upload_are_404(http, cdn):
    assert http.get("/cdn/files/none.png").status_code == 404
    assert cdn.post("/files/none.png/multipart/x/complete", json={}).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "content_range", "size"),
    [
        ("bytes=0-", 206, "bytes 0-{last}/{all}", None),
        ("bytes=4-7", 206, "bytes 4-7/{all}", 4),
        ("bytes=4-99999999", 206, "bytes 4-{last}/{all}", None),
        ("bytes=99999999-", 416, "bytes */{all}", 0),
        ("bytes=-5", 200, None, None),
        ("nonsense", 200, None, None),
    ],
)
def test_a_part_of_a_file_is_given_as_players_ask_for_it(http, wanted, status, content_range, size):
    whole = http.get("/cdn/samples/good-morning.wav").content
    reply = http.get("/cdn/samples/good-morning.wav", headers={"Range": wanted})
    expected = content_range and content_range.format(all=len(whole), last=len(whole) - 1)
    assert (reply.status_code, reply.headers.get("content-range")) == (status, expected)
    assert size is None or len(reply.content) == size
    assert status == 416 or reply.content in whole
