"""Publish changes: the only module that sends on the channel layer or to the broker.

A message says "row N changed, version S" and carries no content: delivery is at most once, and the
reader's permissions are checked where the row is read. Nothing is sent before COMMIT. When the channel
layer or the broker is down, the failure is logged and the message is dropped: the sweep and the polling
of the pages find the change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypedDict

from channels.layers import get_channel_layer
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from dashboard.celery import app as celery_app
from requests_app.models import FalRequest

logger = logging.getLogger(__name__)

AWAY = (OSError, RedisError, KombuError)
ADVANCE_TASK = "requests_app.advance"
THUMBNAILS_TASK = "requests_app.make_thumbnails"
RESET_TASK = "requests_app.send_reset_link"
SIGN_UP_TASK = "requests_app.send_sign_up_link"
LOCAL_JOBS_TASK = "requests_app.run_local_jobs"


class RequestChanged(TypedDict):
    """Sent to the team's and the request's group: the row with this public id has a new version."""

    type: Literal["request.changed"]
    id: str
    pk: int
    seq: int


class FramesAdded(TypedDict):
    """Sent to the request's group: frames up to number `last` are stored."""

    type: Literal["frames.added"]
    pk: int
    last: int


def group_of_team(team_id: int) -> str:
    """Name the group of the sockets that show the team's list."""
    return f"team.{team_id}"


def group_of_request(pk: int) -> str:
    """Name the group of the sockets that follow one request."""
    return f"request.{pk}"


def changed(*rows: FalRequest) -> None:
    """Send the rows' new versions, each to its two groups, on commit."""
    messages: list[tuple[str, RequestChanged | FramesAdded]] = []
    for row in rows:
        message: RequestChanged = {
            "type": "request.changed",
            "id": str(row.public_id),
            "pk": row.pk,
            "seq": row.seq,
        }
        messages += (group_of_team(row.team_id), message), (group_of_request(row.pk), message)
    if messages:
        transaction.on_commit(partial(_send, messages))


def framed(pk: int, last: int) -> None:
    """Send the number of the newest frame to the request's group, on commit."""
    message: FramesAdded = {"type": "frames.added", "pk": pk, "last": last}
    transaction.on_commit(lambda: _send([(group_of_request(pk), message)]))


def work(pk: int) -> None:
    """Ask a worker, on commit, to take the request's next step now."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(ADVANCE_TASK, pk)))


def thumbnails_wanted() -> None:
    """Ask a worker, on commit, to make the thumbnails that are due; the page asks again by itself."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(THUMBNAILS_TASK)))


def reset_asked(address: str, origin: str) -> None:
    """Ask a worker, on commit, to mail a reset link if the address is known; the user may ask again."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(RESET_TASK, address, origin)))


def sign_up_asked(address: str, origin: str) -> None:
    """Ask a worker, on commit, to mail a sign-up link; the user may ask again."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(SIGN_UP_TASK, address, origin)))


def local_job_waits() -> None:
    """Ask a worker, on commit, to give a waiting job to its own app; the sweep would a second later."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(LOCAL_JOBS_TASK)))


def _publish(task: str, *args: int | str) -> None:
    # By name, so that the tasks need no import. No retry: a broker that is down must not block the caller.
    celery_app.send_task(task, args=list(args), retry=False, ignore_result=True)


def _send(messages: Sequence[tuple[str, RequestChanged | FramesAdded]]) -> None:
    layer: Any = get_channel_layer()
    _quietly(lambda: layer.fan_out(messages))  # called in a thread, which has no event loop


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except AWAY as error:  # no traceback: messages are many, and an outage may last for hours
        logger.warning("A change could not be published; the sweep will find it: %s", error)
    except Exception:
        logger.exception("A change could not be published; the sweep will find it.")
