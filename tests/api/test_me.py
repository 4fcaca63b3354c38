"""A token says who it acts as."""

from __future__ import annotations

from django.test import Client

from tests.api.conftest import Caller


def test_a_token_names_its_user_team_and_role(owner: Caller, teammate: Caller) -> None:
    mine, theirs = (
        Client().get("/api/v1/me/", headers=who.headers).json() for who in (owner, teammate)
    )
    assert mine.pop("token_created_at")
    assert mine.pop("token_expires_at") is None
    assert mine == {
        "person": "olive",
        "team": "Lighthouse",
        "role": "owner",
        "may_submit": True,
        "sees_payloads": True,
        "token_name": "",
        "token_scope": "manage",
    }
    assert (theirs["person"], theirs["role"], theirs["may_submit"]) == ("tim", "viewer", False)
