"""The one voice: only this module sends on the channel layer or to the broker.

A message says "row N changed, version S", never what it looks like: delivery is at most once, and
the reader's permissions are checked where the row is read. Nothing is sent before COMMIT. A layer or
broker that is down is logged and forgotten: the sweep and the pages' polling find the change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
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


class RequestChanged(TypedDict):
    """To the team's and the request's group: the row with this public id has a new version."""

    type: Literal["request.changed"]
    id: str
    pk: int
    seq: int


class FramesAdded(TypedDict):
    """To the request's group: frames up to this number can be read."""

    type: Literal["frames.added"]
    pk: int
    last: int


def group_of_team(team_id: int) -> str:
    """Who watches the team's table."""
    return f"team.{team_id}"


def group_of_request(pk: int) -> str:
    """Who watches one request."""
    return f"request.{pk}"


def changed(row: FalRequest, seq: int) -> None:
    """Tell both groups, on commit, that the row moved."""
    message: RequestChanged = {
        "type": "request.changed",
        "id": str(row.public_id),
        "pk": row.pk,
        "seq": seq,
    }
    groups = group_of_team(row.team_id), group_of_request(row.pk)
    for group in groups:
        transaction.on_commit(partial(_send, group, message))


def framed(pk: int, last: int) -> None:
    """Tell the request's group, on commit, that frames were added."""
    message: FramesAdded = {"type": "frames.added", "pk": pk, "last": last}
    transaction.on_commit(lambda: _send(group_of_request(pk), message))


def work(pk: int) -> None:
    """Ask a worker, on commit, to take the request's next step now."""
    transaction.on_commit(lambda: _quietly(lambda: _publish(pk)))


def _publish(pk: int) -> None:
    # One try, by name (no import of the tasks): a broker that is away must not hold up the caller.
    celery_app.send_task(ADVANCE_TASK, args=[pk], retry=False, ignore_result=True)


def _send(group: str, message: RequestChanged | FramesAdded) -> None:
    layer: Any = get_channel_layer()
    _quietly(lambda: layer.fan_out(group, message))  # we are in a thread, which has no loop


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except AWAY as error:  # without its traceback: hints are many, and this may last for hours
        logger.warning("A hint could not be sent; the sweep will find the change: %s", error)
    except Exception:
        logger.exception("A hint could not be made; the sweep will find the change.")
