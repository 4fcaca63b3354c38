"""A method that an address does not take: a page for people, JSON for programs, and what is taken."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from requests_app.models import Team
from tests.browsers import Browser

pytestmark = pytest.mark.django_db

PAGES = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("switch_team", []),
        ("invite", []),
        ("make_token", []),
        ("delete_message", [1]),
        ("cancel", ["8b31a086-4ded-4628-bf22-50e5796c0601"]),
    ],
)
def test_a_form_s_address_opened_in_a_browser_is_a_page(
    team: Team, owner: User, name: str, arguments: list[str]
) -> None:
    browser = Browser()
    browser.force_login(owner)
    reply = browser.get(reverse(f"requests:{name}", args=arguments), headers=PAGES)
    assert (reply.status_code, reply["Allow"]) == (405, "POST")
    assert "Nothing was done." in reply.content.decode()
    assert "Go to requests" in reply.content.decode()


def test_a_program_gets_json(team: Team, owner: User) -> None:
    browser = Browser()
    browser.force_login(owner)
    reply = browser.get(reverse("requests:switch_team"), headers={"accept": "application/json"})
    assert (reply.status_code, reply["Allow"]) == (405, "POST")
    assert "Nothing was done." in reply.json()["detail"]
