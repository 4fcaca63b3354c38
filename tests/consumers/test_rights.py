"""A socket ends with the log-in it was opened with."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from django.utils import timezone

from requests_app.consumers import rights
from requests_app.models import Membership
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
    real = rights.objections

    def counted(consumers: Any) -> list[int | None]:
        looks.extend(real(consumers))
        return looks[-len(consumers) :]

    monkeypatch.setattr(rights, "objections", counted)
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "table": True})
    await socket.message("hello")
    async with asyncio.timeout(20):
        while len(looks) < 3:
            await asyncio.sleep(0.02)
    await socket.send_json_to({"type": "?"})
    assert (await socket.message("error"))["code"] == 400
    assert set(looks) == {None}


async def test_many_sockets_are_judged_in_three_queries_each_by_its_own_user(
    page: Open, as_owner: Client, as_stranger: Client, django_assert_num_queries: Any
) -> None:
    owners = [await page(as_owner) for _ in range(3)]
    stranger = await page(as_stranger)
    for socket in (*owners, stranger):
        await socket.send_json_to({"type": "watch", "table": True})
        await socket.message("hello")
    consumers = list(rights._recheck()._consumers)

    def judged() -> list[int | None]:
        with django_assert_num_queries(3):
            return rights.objections(consumers)

    assert await sync_to_async(judged)() == [None] * 4
    owner_pk = next(one.scope["user"].pk for one in consumers if len(_of(one, consumers)) == 3)
    await Membership.objects.filter(user_id=owner_pk).adelete()
    codes = dict(zip(consumers, await sync_to_async(judged)(), strict=True))
    removed = {one for one, code in codes.items() if code == rights.NO_TEAM}
    assert {one.scope["user"].pk for one in removed} == {owner_pk}
    assert list(codes.values()).count(None) == 1


def _of(one: Any, consumers: Any) -> list[Any]:
    return [other for other in consumers if other.scope["user"].pk == one.scope["user"].pk]
