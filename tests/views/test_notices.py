"""The page of notices."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client


def test_every_member_sees_the_choice_of_the_browser(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    reply = client.get("/settings/notices/")
    assert reply.status_code == 200
    assert "All of mine" in reply.text
