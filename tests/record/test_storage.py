"""The record of a stream or session."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError

from requests_app import announce
from requests_app.models import Direction, FalRequest, Team
from requests_app.record.frame import NewFrame
from requests_app.record.storage import append
from tests.builders import make_request


def new(number: int, data: str = "x", **fields: Any) -> NewFrame:
    return NewFrame(number, number * 1.5, data, len(data), **fields)


def test_a_batch_is_stored_in_order_with_all_it_carries(row: FalRequest) -> None:
    sent = new(2, "b", direction=Direction.OUT, kind="msgpack", raw=b"\x81")
    append(row.pk, [new(1, "a", event="delta", event_id="e1"), sent])
    first, second = row.frames.all()
    assert (first.number, first.offset_ms, first.data) == (1, 1.5, "a")
    assert (first.event, first.event_id, first.direction) == ("delta", "e1", Direction.IN)
    assert (second.direction, second.kind, bytes(second.raw or b"")) == ("out", "msgpack", b"\x81")


def test_a_batch_that_is_written_twice_is_stored_once(row: FalRequest) -> None:
    batch = [new(n) for n in range(1, 6)]
    append(row.pk, batch)
    append(row.pk, batch)
    append(row.pk, [*batch, new(6)])
    assert list(row.frames.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_the_first_version_of_a_frame_stays(row: FalRequest) -> None:
    append(row.pk, [new(1, "first")])
    append(row.pk, [new(1, "second")])
    assert row.frames.get().data == "first"


def test_two_requests_number_their_frames_apart(row: FalRequest, team: Team, owner: User) -> None:
    other = make_request(team=team, person=owner, mode="stream")
    append(row.pk, [new(1)])
    append(other.pk, [new(1)])
    assert row.frames.count() == other.frames.count() == 1


def test_watchers_are_told_the_last_number_after_the_commit(
    row: FalRequest, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(announce, "_send", told.extend)
    with django_capture_on_commit_callbacks() as callbacks:
        append(row.pk, [new(1), new(2)])
    assert told == []
    for callback in callbacks:
        callback()
    [(group, message)] = told
    assert (group, message["last"]) == (announce.group_of_request(row.pk), 2)


def test_nothing_is_told_of_a_batch_that_could_not_be_stored(
    row: FalRequest, django_capture_on_commit_callbacks: Any
) -> None:
    unstorable = NewFrame(1, 0.0, "x", 2**70)
    unstored = pytest.raises((OverflowError, DataError))
    with django_capture_on_commit_callbacks() as callbacks, unstored:
        append(row.pk, [unstorable])
    assert callbacks == []
