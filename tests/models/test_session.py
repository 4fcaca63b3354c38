"""What the database holds of a session opens none."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as PlainSession
from django.db import connection
from django.test import Client

from requests_app.models.session import Session, SessionStore


def everything_stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM requests_app_session")
        return str(cursor.fetchall())


def test_the_database_holds_no_key_that_opens_the_session(as_owner: Client, owner: User) -> None:
    key = as_owner.cookies[settings.SESSION_COOKIE_NAME].value
    assert key not in everything_stored()
    [stored] = Session.objects.values_list("session_key", flat=True)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = str(stored)
    assert thief.get("/requests/").status_code == 302
    assert as_owner.get("/requests/").status_code == 200
    assert not PlainSession.objects.exists()


def test_a_session_is_read_changed_renewed_and_ended_by_its_key(db: None) -> None:
    store = SessionStore()
    store["team"] = 7
    store.save()
    first = store.session_key or ""
    again = SessionStore(first)
    assert again["team"] == 7
    again["team"] = 8
    again.save()
    assert SessionStore(first)["team"] == 8
    again.cycle_key()
    second = again.session_key or ""
    assert (store.exists(first), store.exists(second)) == (False, True)
    SessionStore(second).flush()
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_the_same_holds_without_a_thread() -> None:
    store = SessionStore()
    await store.aset("team", 7)
    await store.asave()
    key = store.session_key or ""
    assert await store.aexists(key)
    assert await SessionStore(key).aget("team") == 7
    await store.adelete(key)
    assert not await Session.objects.aexists()


def test_a_stored_session_can_be_deleted_as_a_row(db: None) -> None:
    store = SessionStore()
    store.create()
    Session.objects.get().delete()
    assert not store.exists(store.session_key or "")
