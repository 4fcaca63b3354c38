from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from requests_app.models import Membership, Team
from requests_app.teams.setup import issue_setup_link

pytestmark = pytest.mark.django_db

GOOD = {"team_name": "Studio", "username": "ann", "password": "four plain words"}


@pytest.fixture
def path(settings: Any) -> str:
    settings.SANDBOX = False
    link = issue_setup_link("http://testserver")
    assert link is not None
    return link.removeprefix("http://testserver")


def test_the_page_asks_and_is_not_cached(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    for name in GOOD:
        assert f'name="{name}"' in response.text


def test_it_makes_the_owner_and_logs_in(client: Client, path: str) -> None:
    response = client.post(path, GOOD)
    assert response.status_code == 302
    assert response["Location"] == "/requests/"
    assert client.session["_auth_user_id"] == str(User.objects.get(username="ann").pk)


def test_afterwards_the_link_is_a_404_with_the_bytes_of_an_unknown_one(path: str) -> None:
    Client().post(path, GOOD)
    dead = [Client().get(path), Client().post(path, GOOD), Client().get("/setup/unknown/")]
    assert {answer.status_code for answer in dead} == {404}
    assert len({answer.content for answer in dead}) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "1234567890"}, "password"),
        ({"password": "ann-the-owner", "username": "ann-the-owner"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"username": "with space"}, "username"),
        ({"username": "аnn"}, "username"),
        ({"username": "n\x00l"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"team_name": ""}, "team_name"),
        ({"team_name": "x" * 81}, "team_name"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_the_rest_is_kept(
    client: Client, path: str, changes: dict[str, str], field: str
) -> None:
    sent = GOOD | changes
    response = client.post(path, sent)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}
    assert f'id="id_{field}_error"' in response.text
    kept = {name for name in ("team_name", "username") if name != field}
    assert all(f'value="{sent[name]}"' in response.text for name in kept)
    assert not User.objects.exists()
    assert client.post(path, GOOD).status_code == 302  # the link still works


def test_a_password_is_never_sent_back(client: Client, path: str) -> None:
    response = client.post(path, GOOD | {"username": "with space"})
    assert GOOD["password"] not in response.text


def test_what_was_typed_is_escaped(client: Client, path: str) -> None:
    hostile = '"><script>alert(1)</script>'
    response = client.post(path, GOOD | {"team_name": hostile, "password": "short"})
    assert "<script>alert" not in response.text


def test_it_wants_a_csrf_token(path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path, GOOD).status_code == 403
    assert not User.objects.exists()


def test_no_log_line_carries_the_token(
    path: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.delete(path)
    client.post(path, GOOD | {"username": ""})
    client.post(path, GOOD)
    client.get(path)
    assert "/setup/***" in caplog.text
    assert path.split("/")[2] not in caplog.text


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_hundred_posts_at_once_make_one_owner(path: str, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    answers: Counter[int] = Counter()
    gate = threading.Barrier(20)

    def work(number: int) -> None:
        gate.wait()
        for turn in range(10):
            name = f"ann{number}x{turn}"
            names = {"username": name, "team_name": name}
            answers[Client().post(path, GOOD | names).status_code] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {302: 1, 404: 199}
    assert User.objects.count() == Team.objects.count() == Membership.objects.count() == 1
