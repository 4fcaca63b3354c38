"""The page of the installation's state, and the self-test of its public address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from django.urls import reverse

from tests.browsers import Browser
from tests.builders import make_person
from tests.jsonserver import JsonHandler

PAGE, TEST = reverse("requests:health_page"), reverse("requests:reach_webhooks")


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_who_manages_sees_it(team, owner, role):
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    assert client.get(PAGE).status_code == client.post(TEST).status_code == 403


def test_it_names_each_part(as_owner, team):
    shown = as_owner.get(PAGE).text
    for words in ("Database", "Worker", "Clock", "Disk", "Last backup", "PUBLIC_URL is not set"):
        assert words in shown
    assert "Test the address" not in shown


class Site(JsonHandler):
    """What answers at the public address."""

    said: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        self.say(self.said)


@pytest.fixture
def site(settings: Any) -> Iterator[type[Site]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.PUBLIC_URL = f"http://127.0.0.1:{server.server_port}"
    yield Site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_the_public_address_is_asked_for_this_very_site(as_owner, site, settings):
    assert "Test the address" in as_owner.get(PAGE).text
    site.said = {"status": "ok", "version": settings.VERSION}
    assert "The public address answers" in as_owner.post(TEST, follow=True).text
    site.said = {"status": "ok", "version": "another"}
    assert "is another site" in as_owner.post(TEST, follow=True).text


def test_an_address_that_does_not_answer_is_said(as_owner, settings):
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings.PUBLIC_URL = f"http://127.0.0.1:{door.getsockname()[1]}"
    assert "does not answer as Faldeck does" in as_owner.post(TEST, follow=True).text
