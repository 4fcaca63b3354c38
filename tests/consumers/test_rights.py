"""A socket ends with the log-in it was opened with."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.accounts.sessions import open_sessions
from requests_app.consumers import rights
from requests_app.models import Membership, Role, Session
from requests_app.teams.second_factor import require
from tests.browsers import Browser
from tests.builders import make_person
from tests.consumers.conftest import Open
from tests.factors import turned_on

pytestmark = pytest.mark.django_db(transaction=True)


def table() -> Any:
    return import_module(django_settings.SESSION_ENGINE).SessionStore.get_model_class().objects


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


def end_from_another_browser(owner: User) -> None:
    other = Browser()
    other.force_login(owner)
    [one] = [one for one in open_sessions(owner, other.session.session_key) if not one.is_this]
    assert other.post(f"/settings/sessions/{one.id}/end/").status_code == 302


def log_out_everywhere(owner: User) -> None:
    other = Browser()
    other.force_login(owner)
    other.post("/settings/sessions/all/end/")


def end_by_another_owner(owner: User) -> None:
    membership = Membership.objects.get(user=owner)
    boss = Browser()
    boss.force_login(make_person("bea", team=membership.team, role=Role.OWNER))
    boss.post(f"/settings/members/{membership.pk}/sessions/all/end/")


def change_the_password(owner: User) -> None:
    owner.set_password("a long pass phrase")
    owner.save()


@pytest.mark.parametrize(
    "end",
    [end_from_another_browser, log_out_everywhere, end_by_another_owner, change_the_password],
)
async def test_what_ends_a_session_closes_its_sockets_and_no_others(
    end: Any,
    page: Open,
    as_owner: Client,
    as_stranger: Client,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.05)
    socket, other = await page(as_owner), await page(as_stranger)
    await sync_to_async(end)(owner)
    assert await socket.close_code() == rights.LOGGED_OUT
    assert (await sync_to_async(as_owner.get)("/requests/")).status_code == 302
    await other.send_json_to({"type": "watch", "table": True})
    await other.message("hello")


async def test_requiring_two_factors_closes_the_sockets_of_members_without_and_no_others(
    page: Open, as_owner: Client, as_viewer: Client, owner: User, settings: Any, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []
    monkeypatch.setattr(rights, "RECHECK_S", 0.05)
    await sync_to_async(turned_on)(as_owner)
    boss, one = await page(as_owner), await page(as_viewer)
    for socket in (boss, one):
        await socket.send_json_to({"type": "watch", "table": True})
        await socket.message("hello")
    mine = await Membership.objects.select_related("user").aget(user=owner)
    await sync_to_async(require)(is_on=True, by=mine)
    assert await one.close_code() == rights.NO_FACTOR
    late = await page(as_viewer)
    await late.send_json_to({"type": "watch", "table": True, "made_for": str(mine.team_id)})
    assert await late.close_code() == rights.NO_TEAM
    await boss.send_json_to({"type": "since", "seq": 0})
    await boss.message("since")


async def test_an_open_socket_is_a_use_of_its_session(
    page: Open, as_owner: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.05)
    await page(as_owner)
    old = timezone.now() - timedelta(hours=1)
    await Session.objects.aupdate(used_at=old)
    async with asyncio.timeout(30):
        while (await Session.objects.aget(user=owner)).used_at == old:
            await asyncio.sleep(0.02)


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


async def test_a_user_has_so_many_sockets_and_others_are_not_touched(
    page: Open, as_owner: Client, as_viewer: Client, settings: Any
) -> None:
    settings.SOCKETS_PER_USER = 2
    first, _ = [await page(as_owner) for _ in range(2)]
    one_more = await page(as_owner)
    assert await one_more.close_code() == rights.TOO_MANY
    await (await page(as_viewer)).send_json_to({"type": "since"})
    await first.disconnect(timeout=30)
    await page(as_owner)  # in its place
    assert sorted(rights._recheck()._of_user.values()) == [1, 2]
