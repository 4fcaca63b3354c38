"""Log lines and replies carry the same id, through sync and async views and the worker loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from dashboard import logcontext
from requests_app.models import Team
from requests_app.worker.steps import advance
from tests.builders import make_request
from tests.fal.peer import html
from tests.worker.conftest import PeerThread, loop, peer  # noqa: F401

logger = logging.getLogger("requests_app.tests")


class Kept(logging.Handler):
    """What lines were about when they were written."""

    def __init__(self) -> None:
        super().__init__()
        self.about: list[tuple[str, str, int | None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        about = logcontext.http_request.get(), logcontext.row.get()
        self.about.append((record.getMessage(), *about))


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    logging.getLogger().addHandler(kept)
    yield kept
    logging.getLogger().removeHandler(kept)


def plain(request: HttpRequest) -> HttpResponse:
    logger.warning("here")
    return HttpResponse("ok")


async def later(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.01)
    await sync_to_async(logger.warning)("here")
    return HttpResponse("ok")


urlpatterns = [path("plain", plain), path("later", later)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("where", ["/plain", "/later"])
async def test_each_request_has_an_id_of_its_own_in_its_lines_and_its_reply(
    where: str, kept: Kept
) -> None:
    asked = [asyncio.create_task(AsyncClient().get(where)) for _ in range(3)]
    ids = {(await reply).headers["X-Request-Id"] for reply in asked}
    assert len(ids) == 3
    assert {about[1] for about in kept.about if about[0] == "here"} == ids


@pytest.mark.urls(__name__)
def test_an_id_that_a_caller_sends_is_not_believed() -> None:
    reply = Client().get("/plain", headers={"X-Request-Id": "forged\nline"})
    assert len(reply.headers["X-Request-Id"]) == 16


@pytest.mark.django_db
def test_djangos_own_line_about_a_refusal_has_it_too(kept: Kept) -> None:
    reply = Client().get("/nowhere")
    (line,) = [about for about in kept.about if "Not Found" in about[0]]
    assert line[1] == reply.headers["X-Request-Id"]


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_step_say_which_row_it_was(
    kept: Kept,
    loop: Any,  # noqa: F811
    peer: PeerThread,  # noqa: F811
    team: Team,
    owner: User,
) -> None:
    rows = [make_request(team=team, person=owner) for _ in range(5)]
    peer.will(*[html(503)] * 5)
    for row in rows:
        loop.run(advance(row.pk))
    (line,) = [about for about in kept.about if "queue is down" in about[0]]
    assert line[2] == rows[-1].pk


def test_a_name_that_is_not_this_sites_is_one_line_of_the_log(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = logging.StreamHandler()  # to what is standard error now
    logging.getLogger().addHandler(stream)
    try:
        assert Client().get("/accounts/login/", headers={"host": "evil.example"}).status_code == 400
    finally:
        logging.getLogger().removeHandler(stream)
    told = capsys.readouterr().err
    assert "evil.example" in told and "Traceback" not in told
