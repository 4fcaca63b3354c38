"""Starting an upload from a page: who may, and what the browser is told."""

from __future__ import annotations

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from requests_app.uploads import starting
from requests_app.uploads.rate import Rate

UPLOADS = reverse("requests:uploads")
FILE = {"name": "a.txt", "content_type": "text/plain", "size": "5"}


@pytest.fixture(autouse=True)
def _fresh_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "rate", Rate())


def test_the_browser_is_told_where_to_send_and_never_the_key(as_owner, at_sandbox):
    reply = as_owner.post(UPLOADS, FILE)
    assert reply.status_code == 200
    told = reply.json()
    assert told["part_size"] == 0
    assert told["content_type"] == "text/plain"
    assert "sandbox:sandbox" not in reply.text
    assert "no-store" in reply["Cache-Control"]
    sent = httpx.put(told["upload_url"], content=b"bytes", headers={"Content-Type": "text/plain"})
    assert sent.status_code == 200
    assert httpx.get(told["file_url"]).content == b"bytes"


def test_a_viewer_a_stranger_to_the_team_and_a_guest_may_not(as_viewer, as_owner, at_sandbox):
    assert as_viewer.post(UPLOADS, FILE).status_code == 403
    elsewhere = as_owner.post(UPLOADS, FILE, headers={"X-Made-For": "999999"})
    assert elsewhere.status_code == 409
    # A script that is not logged in is told so; a navigation gets the log-in page.
    assert Client().post(UPLOADS, FILE).status_code in (302, 401)


def test_a_post_without_a_csrf_token_or_a_team_is_refused(owner, at_sandbox):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(UPLOADS, FILE).status_code == 403
    loose = Client()
    loose.force_login(owner)
    assert loose.post(UPLOADS, FILE).status_code == 409


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [({"name": ""}, 422, "no name"), ({"size": "0"}, 422, "empty"),
     ({"size": str(2**40)}, 413, "at most"), ({"size": "1e3"}, 422, "no number")],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_fal_is_asked(as_owner, settings, given, status, words):
    settings.FAL_REST_URL = "http://127.0.0.1:9"
    reply = as_owner.post(UPLOADS, FILE | given)
    assert (reply.status_code, words in reply.json()["detail"]) == (status, True)


def test_a_fal_that_is_away_is_a_503_and_too_many_starts_a_429(as_owner, settings, monkeypatch):
    settings.FAL_REST_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(starting, "rate", Rate(most=1))
    assert as_owner.post(UPLOADS, FILE).status_code == 503
    again = as_owner.post(UPLOADS, FILE)
    assert (again.status_code, int(again["Retry-After"]) > 0) == (429, True)


def test_a_get_is_405(as_owner):
    assert as_owner.get(UPLOADS).status_code == 405


def test_the_policy_lets_a_page_send_to_the_configured_hosts_alone(as_owner):
    policy = as_owner.get(reverse("requests:new"))["Content-Security-Policy"]
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    hosts = {*settings.FAL_UPLOAD_HOSTS, *settings.FAL_MEDIA_HOSTS}
    assert set(parts["connect-src"]) == {"'self'", *hosts}
    assert "blob:" not in parts["img-src"]
