"""The name of a new account looks like no other's."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.models import Account
from requests_app.sso.people import new_account
from tests.builders import make_person

CYRILLIC_BOSS = "b\u043ess"  # with a Cyrillic o
FREE = {
    "its own": ({"preferred_username": "nora"}, "nora"),
    "without the domain": ({"preferred_username": "nora@corp.example"}, "nora"),
    "the address's": ({"email": "tom.b@corp.example"}, "tom.b"),
    "the full name's": ({"name": "Tom Baker"}, "Tom.Baker"),
    "taken": ({"preferred_username": "boss"}, "boss-2"),
    "taken in capitals": ({"preferred_username": "BOSS"}, "BOSS-2"),
    "taken, and another": ({"preferred_username": "boss", "email": "b@x.example"}, "b"),
    "no text": ({"preferred_username": 7, "email": "tom@x.example"}, "tom"),
}


@pytest.mark.parametrize(("claims", "name"), FREE.values(), ids=FREE)
def test_a_new_account_gets_a_free_name(claims: dict[str, Any], name: str, db: None) -> None:
    make_person("boss")
    account = new_account(claims)
    account.save()
    assert account.username == name


@pytest.mark.parametrize(
    "said", [CYRILLIC_BOSS, "\u0432\u043e\u0455\u0455", "bo\u200bss", "", "  ", "!!!", "x" * 400]
)
def test_a_name_that_looks_like_anothers_is_not_given(said: str, db: None) -> None:
    make_person("boss")
    account = new_account({"preferred_username": said})
    account.save()
    assert account.username.isascii() and account.username != "boss"
    assert Account.objects.find("boss").username == "boss"  # type: ignore[union-attr]
