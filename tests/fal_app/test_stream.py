"""Stream mode against a real ``fal.App``: recorded, judged, hung up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status
from tests.fal_app.serving import FalApp
from tests.worker.conftest import ended

pytestmark = [pytest.mark.fal, pytest.mark.django_db(transaction=True)]
Ask = Callable[..., FalRequest]
Until = Callable[..., FalRequest]


def told(row: FalRequest) -> list[int]:
    """The numbers in the recorded events."""
    return [json.loads(frame.data)["number"] for frame in row.frames.order_by("number")]


def test_a_stream_is_recorded_event_by_event(ask: Ask, until: Until, fal_app: FalApp) -> None:
    row = until(ask("stream", name="whole", count=300, delay_s=0.001, is_marked=True), ended)
    assert row.status == Status.COMPLETED, row.error
    assert told(row) == list(range(1, 301))
    last = row.frames.get(number=300)
    assert (last.event, last.event_id) == ("word", "300")
    assert json.loads(bytes(row.output or b"")) == {"number": 300, "partial": False}
    assert fal_app.witnessed("whole") == "finished"


def test_its_page_hands_the_events_out(ask: Ask, until: Until, as_owner: Client) -> None:
    row = until(ask("stream", count=4), ended)
    shown = as_owner.get(reverse("requests:frames", args=[row.public_id]), {"after": 1}).json()
    assert [frame["event_id"] for frame in shown["frames"]] == ["2", "3", "4"]
    assert (shown["last"], shown["ended"]) == (4, True)


def test_a_stream_that_fails_in_the_middle_keeps_what_came_and_is_failed(
    ask: Ask, until: Until, fal_app: FalApp
) -> None:
    row = until(ask("stream", name="torn", count=9, fail_at=4, is_marked=True), ended)
    assert fal_app.witnessed("torn") == "failed"
    assert (row.status, row.error_type) == (Status.FAILED, "partial_stream")
    assert told(row) == [1, 2, 3]


def test_a_failure_before_the_first_event_is_failed(
    ask: Ask, until: Until, fal_app: FalApp
) -> None:
    row = until(ask("stream", name="mute", count=9, fail_at=1), ended)
    assert fal_app.witnessed("mute") == "failed"
    assert row.status == Status.FAILED
    assert row.frames.count() == 0


def test_a_failure_between_events_that_say_nothing_of_the_end_looks_like_one(
    ask: Ask, until: Until, fal_app: FalApp
) -> None:
    """fal's server ends the reply in order either way: the record is all there is to judge by."""
    row = until(ask("stream", name="unmarked", count=9, fail_at=4), ended)
    assert fal_app.witnessed("unmarked") == "failed"
    assert (row.status, told(row)) == (Status.COMPLETED, [1, 2, 3])


def test_a_wrong_input_is_refused_with_its_fields(ask: Ask, until: Until) -> None:
    row = until(ask("stream", count=0), ended)
    assert (row.status, row.error_code, row.frames.count()) == (Status.FAILED, 422, 0)
    assert json.loads(bytes(row.output or b""))["detail"][0]["loc"] == ["body", "count"]


def test_stopping_a_stream_stops_the_apps_generator(
    ask: Ask, until: Until, fal_app: FalApp, owner: User
) -> None:
    row = ask("stream", name="stopped", count=1000, delay_s=0.05)
    row = until(row, lambda row: row.frames.exists())
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    row = until(row, ended)
    assert row.status == Status.CANCELLED
    assert fal_app.witnessed("stopped") == "hung up"
    assert told(row) == list(range(1, row.frames.count() + 1))
    assert row.frames.count() < 500
