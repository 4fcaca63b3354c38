"""One request against a server that speaks fal's protocol, step by step, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from tests.builders import make_request
from tests.watch.conftest import ended

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]


def submits(sandbox: Any, row: FalRequest) -> int:
    """How many submits fal accepted for this row's endpoint and input."""
    import hashlib

    body = hashlib.sha256(row.input_text.encode()).hexdigest()
    return sum(entry.body_sha256 == body for entry in sandbox.ledger)


def test_a_queued_request_reaches_its_result_by_polling_alone(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/slow",
        input={"steps": 3, "seconds_per_step": 0.2},
    )  # fmt: skip
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    assert json.loads(bytes(row.output or b""))
    assert row.metrics["inference_time"] > 0
    assert row.log_lines.count() >= 3
    assert submits(at_sandbox, row) >= 1


def test_a_models_own_validation_error_ends_as_failed_with_its_fields(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/strict", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert json.loads(bytes(row.output or b""))["detail"][0]["loc"][0] == "body"


def test_a_crash_ends_as_failed(at_sandbox: Any, team: Team, owner: User, until: Until) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/crash", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 500)


def test_cancelled_is_said_only_after_fal_said_so(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/patient", input={"seconds": 20}
    )
    row = until(row, lambda row: row.status == Status.IN_PROGRESS)
    assert lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now()) == "asked"
    row = until(row, ended)
    assert row.status == Status.CANCELLED
    assert row.cancel_answer == "requested"


def test_an_endpoint_fal_does_not_know_is_refused(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="nobody/nothing", input={"a": 1})
    row = until(row, ended)
    assert row.status == Status.FAILED
    assert row.error_code == 404


def test_a_reply_lost_after_fal_accepted_is_uncertain_and_never_sent_again(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="drop_reply_after_accepting", times=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 71}
    )
    row = until(row, lambda row: row.status == Status.UNCERTAIN)
    for _ in range(5):
        until(row, lambda row: row.status == Status.UNCERTAIN)
    assert submits(at_sandbox, row) == 1


def test_fal_asking_to_wait_is_obeyed_and_sent_once(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="429", times=1, retry_after=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 72}
    )
    row = until(row, ended)
    assert row.status == Status.COMPLETED, row.error
    assert submits(at_sandbox, row) == 1


@pytest.mark.parametrize("fault", ["502_html", "503", "truncate_json", "500_json"])
def test_bad_answers_to_a_poll_change_nothing(
    fault: str, at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="status", do=fault, times=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 73}
    )
    assert until(row, ended).status == Status.COMPLETED


def test_a_server_that_cannot_be_reached_leaves_the_row_pending(
    settings: Any, team: Team, owner: User, until: Until
) -> None:
    settings.FAL_QUEUE_URL = "http://127.0.0.1:1/queue"
    row = make_request(team=team, person=owner, endpoint_id="sandbox/image")
    row = until(row, lambda row: row.tries > 0)
    assert row.status == Status.PENDING
    assert "Could not reach fal" in row.observations.last().note  # type: ignore[union-attr]


def test_a_run_is_recorded_with_its_result(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team,
        person=owner,
        mode="run",
        endpoint_id="sandbox/image",
        input={"prompt": "a lake", "seed": 5},
    )
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    assert row.thumbnail_url.startswith(at_sandbox.url)


def test_a_stream_is_recorded_event_by_event(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, mode="stream", endpoint_id="sandbox/text",
        input={"prompt": "a story", "words": 12, "delay_s": 0.01},
    )  # fmt: skip
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    numbers = list(row.frames.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 10
    assert bytes(row.output or b"").decode() == row.frames.last().data  # type: ignore[union-attr]


def test_stopping_a_stream_hangs_up_and_says_so(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, mode="stream", endpoint_id="sandbox/text",
        input={"prompt": "a story", "words": 500, "delay_s": 0.1},
    )  # fmt: skip
    row = until(row, lambda row: row.frames.exists())
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    row = until(row, ended)
    assert row.status == Status.CANCELLED
    assert row.frames.count() < 100
