"""A session with a real ``fal.App``, as a tab of the realtime page holds it: through our socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from requests_app.consumers import realtime
from requests_app.models import FalRequest, Frame, Status
from requests_app.worker.loop import worker_loop
from tests.consumers.conftest import Open, Socket
from tests.consumers.sessions import CONNECT, PATH, frames, opened, send, settled
from tests.fal_app.serving import ENDPOINT_ID, FalApp


@pytest.fixture
async def hung_up(at_fal_app: FalApp) -> AsyncIterator[None]:
    """What hangs up after its tab has gone is waited for."""
    yield
    await asyncio.gather(*realtime._sessions)
    await sync_to_async(worker_loop.stop)(1)


pytestmark = [
    pytest.mark.fal, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hung_up"),
]  # fmt: skip


@pytest.fixture
def proposed(at_fal_app: FalApp, as_owner: Client) -> dict[str, str]:
    """What the page has in its fields before anybody has typed."""
    shown = as_owner.get(reverse("requests:realtime"), {"endpoint": ENDPOINT_ID}).content.decode()
    [endpoint] = re.findall(r'name="endpoint_id"[^>]* value="([^"]+)"', shown)
    [path] = re.findall(r'name="path"[^>]* value="([^"]+)"', shown)
    [auth] = re.findall(r'<option value="(token|key)" selected', shown)
    return {"endpoint": endpoint, "path": path, "auth": auth}


async def connected(page: Open, client: Client, path: str) -> Socket:
    return await opened(page, client, endpoint=ENDPOINT_ID, path=path)


async def page_of(row: FalRequest, client: Client) -> str:
    address = reverse("requests:detail", args=[row.public_id])
    return (await sync_to_async(client.get)(address)).content.decode()


async def recorded(direction: str) -> list[Frame]:
    return [f async for f in Frame.objects.filter(direction=direction).order_by("number")]


async def test_what_the_page_proposes_reaches_the_app_and_its_echo_is_recorded(
    page: Open,
    as_owner: Client,
    proposed: dict[str, str],
    owner: User,
) -> None:
    assert proposed == {"endpoint": ENDPOINT_ID, "path": "/realtime", "auth": "key"}
    socket = await opened(page, as_owner, **proposed)
    await send(socket, {"number": 7}, ref=1)
    out, answer = await frames(socket, 2)
    assert (out["direction"], answer["direction"], answer["pair"]) == ("out", "in", out["number"])
    assert json.loads(answer["data"]) == {"number": 7}
    await socket.send_json_to({"type": "disconnect"})
    end = await socket.message("ended")
    assert (end["kind"], end["status"]) == ("disconnected", "completed")
    row = await settled()
    assert (row.status, row.error, row.person_id) == (Status.COMPLETED, "", owner.pk)
    for direction in ("out", "in"):
        [frame] = await recorded(direction)
        assert (frame.kind, frame.data) == ("msgpack", '{"number":7}')
        assert msgpack.unpackb(bytes(frame.raw or b"")) == {"number": 7}


async def test_server_streaming_ends_with_a_timeout_and_is_completed(
    page: Open,
    as_owner: Client,
) -> None:
    socket = await connected(page, as_owner, "/realtime/count")
    await send(socket, {"number": 20})
    end = await socket.message("ended")
    assert (end["kind"], end["status"], end["code"]) == ("timeout", "completed", 1000)
    row = await settled()
    assert (row.status, row.error_type) == (Status.COMPLETED, "")
    *counted, last = await recorded("in")
    assert sorted(json.loads(frame.data)["number"] for frame in counted) == list(range(20))
    assert (last.kind, "TIMEOUT" in last.data) == ("control", True)
    shown = await page_of(row, as_owner)
    assert 'id="why"' not in shown
    assert "nothing was sent for a while" in shown


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/realtime/raise", {"number": 3}, "cannot count to 3"),
        ("/realtime", {"nummer": 3}, "Field required"),
    ],
)
async def test_an_error_in_the_app_fails_the_session_in_its_words(
    path: str, value: Any, words: str, page: Open, as_owner: Client
) -> None:
    socket = await connected(page, as_owner, path)
    await send(socket, value)
    end = await socket.message("ended")
    assert (end["kind"], end["status"]) == ("error", "failed")
    assert words in end["sentence"]
    row = await settled()
    assert (row.status, row.error_type) == (Status.FAILED, "session_error")
    assert words in row.error
    shown = await page_of(row, as_owner)
    assert 'id="why"' in shown
    assert words in shown
    [sent] = await recorded("out")
    assert json.loads(sent.data) == value


async def test_a_path_without_a_session_is_refused_in_words(
    page: Open,
    as_owner: Client,
) -> None:
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT | {"endpoint": ENDPOINT_ID, "path": "/nowhere"})
    end = await socket.message("ended")
    assert (end["kind"], end["status"], end["http_code"]) == ("refused", "failed", 403)
    assert "no realtime at this path" in end["sentence"]
    row = await settled()
    assert (row.status, row.error_type) == (Status.FAILED, "refused")
    shown = await page_of(row, as_owner)
    assert 'id="why"' in shown
    assert "no realtime at this path" in shown
    assert await Frame.objects.acount() == 0


async def test_a_person_who_disconnects_stops_what_the_app_is_telling(
    page: Open,
    as_owner: Client,
    fal_app: FalApp,
) -> None:
    socket = await connected(page, as_owner, "/realtime/tell")
    await send(socket, {"name": "disconnected", "count": 1000, "delay_s": 0.02})
    await frames(socket, 5)  # the first is what was sent
    await socket.send_json_to({"type": "disconnect"})
    end = await socket.message("ended")
    assert (end["kind"], end["sentence"]) == ("disconnected", "Disconnected by olga.")
    row = await settled()
    assert (row.status, row.error_type) == (Status.COMPLETED, "")
    assert "Disconnected by olga." in await page_of(row, as_owner)
    assert await said_after_a_moment(fal_app, "disconnected") >= 4


async def said_after_a_moment(app: FalApp, name: str) -> int:
    """How much the app has told in all; it no longer does."""

    def said() -> int:
        return app.log.count(f"witness: {name} said ")

    await asyncio.sleep(0.3)
    until_now = said()
    await asyncio.sleep(0.5)  # 25 of its pauses
    assert said() == until_now
    return until_now


async def test_a_tab_that_is_closed_ends_its_session(
    page: Open,
    as_owner: Client,
    fal_app: FalApp,
) -> None:
    socket = await connected(page, as_owner, "/realtime/tell")
    await send(socket, {"name": "closed", "count": 1000, "delay_s": 0.02})
    await frames(socket, 5)  # the first is what was sent
    await socket.disconnect(timeout=30)
    row = await settled()
    assert (row.status, row.error_type) == (Status.COMPLETED, "")
    said = await said_after_a_moment(fal_app, "closed")
    kept = {json.loads(frame.data)["number"] for frame in await recorded("in")}
    assert len(kept) >= 4
    assert kept <= set(range(1, said + 1))
