"""The use of a session is noted, and costs no page its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from requests_app.models import Session, Team


def test_a_page_without_a_log_in_has_no_session(client: Client, db: None) -> None:
    client.get("/accounts/login/")
    client.get("/healthz")
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_use_is_stored_once_a_minute_and_never_fails_a_page(owner: User, team: Team) -> None:
    client = Client()
    client.force_login(owner)
    old = timezone.now() - timedelta(hours=1)
    writes: list[str] = []

    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE") and "requests_app_session" in sql:
            writes.append(sql)
            raise DatabaseError("locked")
        return execute(sql, *args)

    client.get("/requests/")  # chooses the team, which the session keeps
    with connection.execute_wrapper(refuse):
        assert client.get("/requests/").status_code == 200
    assert not writes
    Session.objects.update(used_at=old)
    with connection.execute_wrapper(refuse):
        assert client.get("/requests/").status_code == 200
    assert len(writes) == 1
    client.get("/requests/")
    assert Session.objects.get().used_at > old  # type: ignore[operator]


def test_a_session_in_use_is_not_written_over_by_a_page_that_changes_it(
    owner: User, team: Team
) -> None:
    client = Client()
    client.force_login(owner)
    client.get("/requests/", REMOTE_ADDR="192.0.2.7")
    began = Session.objects.get().began_at
    client.post("/team/", {"team": team.pk}, REMOTE_ADDR="192.0.2.9")
    one = Session.objects.get()
    assert (one.began_at, one.address, one.user) == (began, "192.0.2.9", owner)
    session = client.session
    session["x"] = 1
    session.save()  # a shell, which has no address
    assert Session.objects.get().address == "192.0.2.9"
