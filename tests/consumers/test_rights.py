"""A socket ends with the log-in it was opened with."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from django.utils import timezone

from requests_app.consumers import rights
from tests.consumers.conftest import Open

pytestmark = pytest.mark.django_db(transaction=True)


def table() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects


def run_out() -> None:
    table().update(expire_date=timezone.now() - timedelta(seconds=1))


def remove() -> None:
    table().all().delete()


def empty() -> None:
    for session in table().all():
        table().filter(pk=session.pk).update(session_data="")


@pytest.mark.parametrize("end", [run_out, remove, empty])
async def test_a_session_that_is_over_in_any_way_ends_the_socket(
    end: Any, page: Open, as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.05)
    socket = await page(as_owner)
    await sync_to_async(end)()
    assert await socket.close_code() == rights.LOGGED_OUT


async def test_a_session_that_goes_on_keeps_it(
    page: Open, as_owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.02)
    looks: list[int | None] = []
    real = rights.MemberConsumer._objection

    def counted(consumer: Any) -> int | None:
        looks.append(real(consumer))
        return looks[-1]

    monkeypatch.setattr(rights.MemberConsumer, "_objection", counted)
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "table": True})
    await socket.message("hello")
    await socket.send_json_to({"type": "?"})
    assert (await socket.message("error"))["code"] == 400
    assert set(looks) <= {None}
