"""Which sessions of a user are open, and what ends them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.accounts import sessions
from requests_app.accounts.sessions import EVERY_ONE, open_sessions
from requests_app.models import Session, Team
from tests.builders import make_person

PAGE = "/requests/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def as_of_an_earlier_version() -> None:
    Session.objects.update(user=None, began_at=None, used_at=None)


def test_a_session_tells_from_where_and_with_what_it_was_used_last(owner: User, team: Team) -> None:
    client = logged_in(owner)
    began = timezone.now() - timedelta(days=2)
    Session.objects.update(began_at=began, used_at=began)
    client.get(PAGE, headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.7")
    [one] = open_sessions(owner)
    assert (one.agent, one.address, one.began_at, one.is_this) == (
        FIREFOX, "192.0.2.7", began, False,
    )  # fmt: skip
    assert one.used_at and one.used_at > began
    client.get(PAGE, headers={"User-Agent": "other"}, REMOTE_ADDR="192.0.2.8")
    assert open_sessions(owner) == [one]  # once a minute is enough


def test_a_log_in_is_known_from_its_first_answer(owner: User, team: Team) -> None:
    owner.set_password("a long pass phrase")
    owner.save()
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/accounts/login/", {"login": "olga", "password": "a long pass phrase"})
    [one] = open_sessions(owner, client.session.session_key)
    assert (one.agent, one.address, one.is_this) == (FIREFOX, "127.0.0.1", True)


def test_the_time_of_the_log_in_stays_when_the_key_changes(owner: User, team: Team) -> None:
    client = logged_in(owner)
    began = timezone.now() - timedelta(days=2)
    Session.objects.update(began_at=began)
    session = client.session
    session.cycle_key()
    assert [one.began_at for one in open_sessions(owner)] == [began]
    session.flush()
    session["team"] = 1
    session.save()
    assert not Session.objects.filter(began_at=began).exists()


def test_what_logs_in_no_more_is_not_listed(owner: User, team: Team) -> None:
    logged_in(owner)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert open_sessions(owner) == []
    client = logged_in(owner)
    assert len(open_sessions(owner)) == 1
    owner.set_password("another long phrase")
    owner.save()
    assert open_sessions(owner) == []
    assert client.get(PAGE).status_code == 302


def test_sessions_of_an_earlier_version_are_found_and_ended(owner: User, team: Team) -> None:
    client, stranger = logged_in(owner), logged_in(make_person("sue", team=team))
    as_of_an_earlier_version()
    assert len(open_sessions(owner)) == 1
    as_of_an_earlier_version()
    assert sessions.end(owner, EVERY_ONE, by=owner) == 1
    assert client.get(PAGE).status_code == 302
    as_of_an_earlier_version()
    assert stranger.get(PAGE).status_code == 200
    assert Session.objects.get().user == stranger.get(PAGE).wsgi_request.user


def test_nothing_but_the_users_own_sessions_is_ended(owner: User, teammate: User) -> None:
    logged_in(owner), logged_in(teammate)
    [theirs] = open_sessions(teammate)
    assert sessions.end(owner, theirs.id, by=owner) == 0
    assert sessions.end(owner, "", by=owner) == 0
    assert sessions.end(owner, EVERY_ONE, by=owner) == 1
    assert open_sessions(teammate) == [theirs]


def test_a_session_without_a_log_in_is_no_ones(client: Client, db: None) -> None:
    session = client.session
    session["team"] = 1
    session.save()
    assert Session.objects.get().user is None
