from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from requests_app.accounts import devices
from requests_app.accounts.devices import cookie_name, known_device, remember
from tests.builders import make_person

pytestmark = pytest.mark.django_db


def browser(cookie: str = "") -> HttpRequest:
    request = RequestFactory().get("/")
    request.COOKIES[cookie_name()] = cookie
    return request


def after_log_in(user: User, cookie: str = "") -> Any:
    response = HttpResponse()
    remember(browser(cookie), response, user)
    return response.cookies[cookie_name()]


def test_a_browser_is_known_for_those_who_have_logged_in_with_it_and_for_nobody_else() -> None:
    ann, bob, eve = (make_person(name) for name in ("ann", "bob", "eve"))
    cookie = after_log_in(bob, after_log_in(ann).value).value
    device = known_device(browser(cookie), ann)
    assert device
    assert known_device(browser(cookie), bob) == device
    assert known_device(browser(cookie), eve) is None
    assert known_device(browser(), ann) is None


def test_another_password_makes_every_browser_unknown() -> None:
    ann = make_person("ann")
    cookie = after_log_in(ann).value
    ann.set_password("another long pass phrase")
    ann.save()
    assert known_device(browser(cookie), ann) is None


@pytest.mark.parametrize("forged", ["x", "x:y:z", "WyJ4Iix7fV0:1:2", "\u2028", "a" * 5000])
def test_a_forged_cookie_is_none(forged: str) -> None:
    assert known_device(browser(forged), make_person("ann")) is None


def test_of_one_signed_for_another_browser_nothing_can_be_used_for_a_third() -> None:
    ann, eve = make_person("ann"), make_person("eve")
    cookie = after_log_in(eve).value
    assert known_device(browser(cookie.replace(str(eve.pk), str(ann.pk))), ann) is None


def test_a_browser_that_many_share_keeps_the_latest() -> None:
    people = [make_person(f"p{number}") for number in range(12)]
    cookie = ""
    for person in people:
        cookie = after_log_in(person, cookie).value
    known = [person for person in people if known_device(browser(cookie), person)]
    assert known == people[-devices.MOST_ACCOUNTS :]
    assert len(cookie) < 3000


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites() -> None:
    cookie = after_log_in(make_person("ann"))
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
