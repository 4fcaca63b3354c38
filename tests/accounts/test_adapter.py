"""The log-in page under attack: who guesses is stopped, whose account it is gets in."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client

from requests_app.models import GuessCounter
from tests.builders import make_person

PASSWORD = "a long pass phrase"
MOST, OF_NETWORK = 20, 30  # guesses
MORE = 5  # than are looked at


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that was compared with the account's."""
    looked_at: list[str] = []
    compare = User.check_password

    def check(self: User, password: str) -> bool:
        looked_at.append(password)
        return compare(self, password)

    monkeypatch.setattr(User, "check_password", check)
    return looked_at


def post(browser: Client, name: str, password: str, network: str = "192.0.2.1") -> Any:
    form = {"login": name, "password": password}
    return browser.post("/accounts/login/", form, REMOTE_ADDR=network)


@pytest.mark.slow
def test_of_guesses_from_everywhere_twenty_are_looked_at(db: None, evaluated: list[str]) -> None:
    make_person("boss")
    spellings = ["boss", "Boss", "BOSS", "ｂｏｓｓ", "bоss"]
    answers = [
        post(Client(), spellings[number % 5], f"guess {number}", f"198.51.{number}.1").status_code
        for number in range(MOST + MORE)
    ]
    assert len(evaluated) == MOST
    assert answers == [200] * MOST + [429] * MORE
    assert post(Client(), "boss", PASSWORD, "203.0.113.9").status_code == 429
    assert len(evaluated) == MOST


@pytest.mark.slow
def test_neither_other_requests_nor_an_emptied_cache_set_the_count_back(
    db: None, evaluated: list[str]
) -> None:
    make_person("boss")
    for number in range(MOST + MORE):
        post(Client(), "boss", f"guess {number}", f"198.51.{number}.1")
        post(Client(), f"nobody {number}", "x", f"203.0.{number}.1")
        Client().get("/accounts/login/", REMOTE_ADDR=f"203.0.{number}.2")
        cache.clear()
    assert len(evaluated) == MOST


@pytest.mark.slow
def test_one_network_is_stopped_whatever_names_it_tries(db: None, evaluated: list[str]) -> None:
    for number in range(OF_NETWORK + MORE):
        make_person(f"p{number}")
    answers = [
        post(Client(), f"p{number}", "guess", f"2001:db8:1:2::{number:x}").status_code
        for number in range(OF_NETWORK + MORE)
    ]
    assert answers.count(200) == len(evaluated) == OF_NETWORK
    assert post(Client(), "p0", PASSWORD, "2001:db8:1:3::1").status_code == 302


@pytest.mark.slow
def test_the_owner_gets_in_where_the_account_is_known_and_with_a_slip_or_two(db: None) -> None:
    make_person("boss")
    home = Client()
    assert post(home, "boss", PASSWORD).status_code == 302
    home.post("/accounts/logout/")
    for number in range(MOST + MORE):
        post(Client(), "boss", f"guess {number}", f"198.51.{number}.1")
    for number in range(OF_NETWORK + MORE):
        post(Client(), f"nobody {number}", "x")  # from the owner's own network
    assert post(home, "boss", "a slip").status_code == 200
    assert post(home, "Boss", PASSWORD).status_code == 302


@pytest.mark.slow
def test_a_stolen_browser_cannot_guess_for_ever_either(db: None, evaluated: list[str]) -> None:
    make_person("boss")
    home = Client()
    post(home, "boss", PASSWORD)
    home.cookies.pop("faldeck")
    evaluated.clear()
    answers = [post(home, "boss", f"guess {number}").status_code for number in range(40)]
    assert len(evaluated) == MOST
    assert answers[-1] == 429


@pytest.mark.slow
def test_logging_in_often_is_no_guessing(db: None) -> None:
    make_person("boss")
    for number in range(2 * MOST):
        assert post(Client(), "boss", PASSWORD, f"198.51.{number % 2}.1").status_code == 302


@pytest.mark.slow
def test_names_that_are_nobodys_are_treated_alike(db: None) -> None:
    make_person("boss")
    answers = {
        name: [post(Client(), name, "x", f"198.51.{n}.1") for n in range(MOST + 2)]
        for name in ("boss", "nobody")
    }
    codes = {name: [one.status_code for one in found] for name, found in answers.items()}
    assert codes["boss"] == codes["nobody"]
    changing = r"\b\w{64}\b|\d{4}-\d\d-\d\dT[\d:.+]+"  # CSRF tokens, the time
    bodies = [
        re.sub(changing, "", found[-1].text.replace(name, "NAME"))
        for name, found in answers.items()
    ]
    assert bodies[0] == bodies[1]


def test_the_refusal_says_how_long_to_wait_and_keeps_the_name(db: None) -> None:
    make_person("boss")
    for number in range(MOST):
        post(Client(), "boss", "x", f"198.51.{number}.1")
    response = post(Client(), "boss", PASSWORD)
    assert response.status_code == 429
    assert 86_000 < int(response["Retry-After"]) <= 86_400
    assert 'role="alert">Too many wrong passwords. Try again in 24 hours.' in response.text
    assert 'value="boss"' in response.text
    assert PASSWORD not in response.text


@pytest.mark.slow
def test_no_header_moves_an_attacker_to_another_network(db: None, settings: Any) -> None:
    settings.BEHIND_PROXY = False
    answers = [
        Client().post(
            "/accounts/login/", {"login": f"p{number}", "password": "x"},
            headers={"X-Forwarded-For": f"198.51.{number}.1", "X-Real-IP": f"198.51.{number}.1"},
        ).status_code
        for number in range(40)
    ]  # fmt: skip
    assert answers[30:] == [429] * 10


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_guesses_at_once_twenty_are_looked_at(evaluated: list[str]) -> None:
    make_person("boss")
    gate = threading.Barrier(8)

    def attack(number: int) -> None:
        gate.wait()
        for turn in range(6):
            post(Client(), "boss", "guess", f"198.51.{number}.{turn}")
        connection.close()

    threads = [threading.Thread(target=attack, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(evaluated) == MOST
    assert GuessCounter.objects.filter(kind="account").count() == 1


def test_a_wrong_present_password_is_counted_when_it_is_changed(
    as_owner: Client, evaluated: list[str]
) -> None:
    new = "another long pass phrase"
    answers = [
        as_owner.post(
            "/accounts/password/change/",
            {"oldpassword": f"guess {number}", "password1": new, "password2": new},
        ).status_code
        for number in range(15)
    ]
    assert len(evaluated) == 10
    assert answers == [200] * 10 + [429] * 5


def test_after_a_change_of_password_this_browser_stays_known(db: None) -> None:
    make_person("boss")
    home, new = Client(), "another long pass phrase"
    post(home, "boss", PASSWORD)
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert home.post("/accounts/password/change/", form).status_code == 302
    for number in range(MOST):
        post(Client(), "boss", "x", f"198.51.{number}.1")
    home.post("/accounts/logout/")
    assert post(home, "boss", new).status_code == 302
