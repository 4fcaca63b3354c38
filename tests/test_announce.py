"""The one voice: after COMMIT, to the right groups, and never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.contrib.auth.models import User
from django.db import transaction

from dashboard.celery import app
from requests_app import announce, lifecycle
from requests_app.models import FalRequest, Team
from tests.builders import make_draft, make_request

pytestmark = pytest.mark.django_db(transaction=True)


class Away:
    """A channel layer that cannot be reached."""

    def fan_out(self, messages: Any) -> None:
        raise ConnectionError("no route")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(app, "send_task", lambda *args, **options: sent.append((args, options)))
    return sent


def version(row: FalRequest, seq: int) -> FalRequest:
    """The row as it is after its change number `seq`."""
    row.seq = seq
    return row


async def heard(group: str, act: Any) -> list[dict[str, Any]]:
    """What a member of the group hears while `act` runs."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    try:
        await sync_to_async(act)()
        messages: list[dict[str, Any]] = []
        while True:
            try:
                messages.append(await asyncio.wait_for(layer.receive(channel), 0.2))
            except TimeoutError:
                return messages
    finally:
        await layer.group_discard(group, channel)


@pytest.mark.parametrize("group", ["team", "request"])
async def test_a_change_is_told_to_the_team_and_to_who_watches_the_request(
    group: str, row: FalRequest
) -> None:
    names = {"team": f"team.{row.team_id}", "request": f"request.{row.pk}"}
    messages = await heard(names[group], lambda: announce.changed(version(row, 7)))
    told = {"type": "request.changed", "id": str(row.public_id), "pk": row.pk, "seq": 7}
    assert messages == [told]


async def test_frames_are_told_to_who_watches_the_request_alone(row: FalRequest) -> None:
    messages = await heard(announce.group_of_request(row.pk), lambda: announce.framed(row.pk, 12))
    assert messages == [{"type": "frames.added", "pk": row.pk, "last": 12}]
    assert (
        await heard(announce.group_of_team(row.team_id), lambda: announce.framed(row.pk, 12)) == []
    )


async def test_what_is_rolled_back_is_never_told(row: FalRequest, published: list[Any]) -> None:
    def rolled_back() -> None:
        with transaction.atomic():
            announce.changed(version(row, 7))
            announce.framed(row.pk, 1)
            announce.work(row.pk)
            transaction.set_rollback(True)

    assert await heard(announce.group_of_request(row.pk), rolled_back) == []
    assert published == []


async def test_nothing_is_told_before_the_commit(row: FalRequest, published: list[Any]) -> None:
    early: list[int] = []

    def in_two_steps() -> None:
        with transaction.atomic():
            announce.work(row.pk)
            early.append(len(published))

    await sync_to_async(in_two_steps)()
    assert (early, len(published)) == ([0], 1)


def test_work_is_asked_for_once_and_without_waiting_for_a_broker(
    row: FalRequest, published: list[Any]
) -> None:
    announce.work(row.pk)
    [(args, options)] = published
    assert args == (announce.ADVANCE_TASK,)
    assert options == {"args": [row.pk], "retry": False, "ignore_result": True}


def test_a_layer_and_a_broker_that_are_away_do_not_undo_the_change(
    team: Team,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_broker(*args: Any, **options: Any) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr(app, "send_task", no_broker)
    before = channel_layers.set("default", Away())
    try:
        with caplog.at_level(logging.WARNING):
            row = make_request(team=team, person=owner)
    finally:
        channel_layers.set("default", before)
    assert FalRequest.objects.filter(pk=row.pk).exists()
    assert caplog.text.count("A change could not be published") == 2  # pages, worker


def test_a_created_row_asks_a_worker_for_its_first_step(
    team: Team, owner: User, published: list[Any]
) -> None:
    with transaction.atomic():
        row = lifecycle.create(make_draft(), team=team, person=owner, now=_now())
        assert published == []
    assert [options["args"] for _, options in published] == [[row.pk]]


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()
