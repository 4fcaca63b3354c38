"""What is compressed on its way to a browser, and what must not be."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator

import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import reverse

from dashboard.compression import MOST_BYTES, CompressedPages
from tests.builders import hear, make_queued, make_result

TEXT = "a sunset over mountains " * 100
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def sent(response, **headers):
    """The response as it leaves, to a browser that takes gzip."""
    request = RequestFactory(headers={**GZIP, **headers}).get("/")
    return CompressedPages(lambda _: response)(request)


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/json"])
def test_a_page_and_its_json_are_compressed(content_type):
    reply = sent(HttpResponse(TEXT, content_type=content_type))
    assert reply["Content-Encoding"] == "gzip"
    assert gzip.decompress(reply.content) == TEXT.encode()
    assert int(reply["Content-Length"]) == len(reply.content) < 300
    assert "Accept-Encoding" in reply["Vary"]


def test_a_browser_that_takes_no_gzip_gets_the_page_as_it_is():
    reply = sent(HttpResponse(TEXT), **{"Accept-Encoding": "identity"})
    assert reply.content == TEXT.encode()
    assert "Accept-Encoding" in reply["Vary"]


async def events() -> AsyncIterator[bytes]:
    yield b"data: 1\n\n"


@pytest.mark.parametrize(
    "response",
    [
        lambda: StreamingHttpResponse(iter([b"x"]), content_type="text/html"),
        lambda: StreamingHttpResponse(events(), content_type="text/event-stream"),
        lambda: StreamingHttpResponse(iter([b"x"]), content_type="application/json"),
        lambda: StreamingHttpResponse(iter([b"x"]), content_type="application/zip"),
        lambda: HttpResponse(TEXT, headers={"Content-Disposition": "attachment"}),
        lambda: HttpResponse(TEXT, content_type="image/png"),
        lambda: HttpResponse(TEXT, content_type="video/mp4", status=206),
        lambda: HttpResponse(TEXT, status=206),
        lambda: HttpResponse("short"),
        lambda: HttpResponse(b"x" * (MOST_BYTES + 1)),
    ],
    ids=[
        "stream of a page", "events", "stream of JSON", "zip", "download", "picture", "part of a video",
        "part", "short", "too large",
    ],
)  # fmt: skip
def test_this_is_sent_as_it_is(response):
    given = response()
    before = given.streaming and given.streaming_content
    reply = sent(given)
    assert "Content-Encoding" not in reply
    assert not given.streaming or type(reply.streaming_content) is type(before)


def test_equal_pages_have_lengths_that_differ_so_that_a_secret_cannot_be_guessed_by_them():
    assert len({len(sent(HttpResponse(TEXT)).content) for _ in range(40)}) > 5


def test_a_strong_etag_becomes_weak():
    assert sent(HttpResponse(TEXT, headers={"ETag": '"1"'}))["ETag"] == 'W/"1"'


# --- the site ---


def test_a_page_is_compressed_and_still_not_kept(as_owner):
    reply = as_owner.get(reverse("requests:list"), headers=GZIP)
    assert reply["Content-Encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(reply.content)
    assert reply["Cache-Control"] == "private, no-store"
    assert "Content-Security-Policy" in reply


def test_json_for_the_page_is_compressed_and_an_output_is_not(as_owner, owner, team):
    row = make_queued(team=team, person=owner)
    hear(row, make_result(output={"text": TEXT}))
    changes = as_owner.get(reverse("requests:changes"), {"since": 0}, headers=GZIP)
    assert json.loads(
        changes.content if len(changes.content) < 200 else gzip.decompress(changes.content)
    )
    output = as_owner.get(reverse("requests:output", args=[row.public_id]), headers=GZIP)
    assert "Content-Encoding" not in output
    assert json.loads(output.content) == {"text": TEXT}


def test_an_answer_in_json_that_is_long_is_compressed():
    reply = sent(JsonResponse({"text": TEXT}))
    assert json.loads(gzip.decompress(reply.content)) == {"text": TEXT}
