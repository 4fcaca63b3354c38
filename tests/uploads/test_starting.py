"""What the page and the API are told when fal is asked for an address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from requests_app.uploads import starting
from requests_app.uploads.rate import Rate
from requests_app.uploads.starting import PARTS_ABOVE, NotStarted
from tests.jsonserver import JsonHandler

pytestmark = pytest.mark.django_db


class Storage:
    """fal's storage as told: `status` and `answer` for every start; it keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.answer = 200, {}
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        storage = self

        class Handler(JsonHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                storage.asked.append((self.path, body, self.headers["Authorization"]))
                self.say(storage.answer, storage.status)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.answer = {"upload_url": f"{self.url}/put?sig=1", "file_url": f"{self.url}/a.png"}
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def storage(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """The settings point at it, and the bound of starts is fresh."""
    monkeypatch.setattr(starting, "rate", Rate())
    storage = Storage()
    settings.FAL_KEY = "key:secret"
    settings.FAL_REST_URL = storage.url
    settings.FAL_UPLOAD_HOSTS = [storage.url]
    yield storage
    storage.close()


def start(**given: Any) -> starting.Started:
    usual = {"team_id": 1, "user_id": 1, "name": "a.png", "content_type": "image/png", "size": 10}
    return starting.start(**usual | given)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "part_size", "verb"),
    [(1, 0, "initiate"), (PARTS_ABOVE, 0, "initiate"),
     (PARTS_ABOVE + 1, 10 * 1024 * 1024, "initiate-multipart")],
)  # fmt: skip
def test_a_large_file_goes_in_parts(storage, size, part_size, verb):
    started = start(size=size)
    assert started.part_size == part_size
    [(path, body, key)] = storage.asked
    assert path == f"/storage/upload/{verb}?storage_type=fal-cdn-v3"
    assert body == {"content_type": "image/png", "file_name": "a.png"}
    assert key == "Key key:secret"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fals", "status", "words"),
    [(401, 502, "key"), (403, 502, "permission"), (413, 413, "too large"), (429, 429, "a while"),
     (422, 502, "refused"), (500, 502, "try again"), (302, 502, "redirect")],
)  # fmt: skip
def test_each_refusal_of_fal_is_a_sentence(storage, fals, status, words):
    storage.status, storage.answer = fals, {"detail": "no"}
    with pytest.raises(NotStarted, match=words) as caught:
        start()
    assert caught.value.status == status


@pytest.mark.slow
def test_a_fal_that_is_not_there_is_said(storage, settings):
    settings.FAL_REST_URL = "http://127.0.0.1:9"
    with pytest.raises(NotStarted, match=r"could not be reached.*not sent") as caught:
        start()
    assert caught.value.status == 503


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, -1, 4097])
def test_a_file_that_does_not_fit_is_refused_before_fal_is_asked(storage, settings, size):
    settings.UPLOAD_LIMIT_BYTES = 4096
    with pytest.raises(NotStarted) as caught:
        start(size=size)
    assert caught.value.status == (413 if size > 0 else 422)
    assert storage.asked == []


@pytest.mark.parametrize(
    "host", ["https://evil.example", "https://fal.media.evil.example", "http://127.0.0.1:1"]
)
def test_an_address_elsewhere_is_refused_with_the_name_of_the_setting(storage, host):
    storage.answer = {"upload_url": f"{host}/x", "file_url": f"{host}/x"}
    with pytest.raises(NotStarted, match="FAL_UPLOAD_HOSTS"):
        start()


@pytest.mark.slow
def test_a_loop_of_starts_is_stopped_before_fal_is_asked(storage, monkeypatch):
    monkeypatch.setattr(starting, "rate", Rate(most=2))
    start()
    start()
    with pytest.raises(NotStarted, match="most") as caught:
        start()
    assert (caught.value.status, len(storage.asked)) == (429, 2)
    assert (caught.value.retry_after_s or 0) > 0
    start(user_id=2)
