"""Owners and admins say which media are kept; everybody sees how much is used."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from requests_app.models import CopyRules, CopyState, FalRequest, MediaCopy, Team
from tests.copies.media import make_noticed, make_old, switch_on

pytestmark = pytest.mark.django_db
PAGE = "/settings/"
ON = {"is_on": "on", "images": "on", "quota_gb": "20", "largest_mb": "300"}


def save(client: Client, **changes: Any) -> Any:
    return client.post(reverse("requests:set_copies"), {**ON, **changes})


def test_copies_are_off_until_they_are_switched_on_and_older_media_follow(
    team: Team, owner: Any, as_owner: Client
) -> None:
    make_old(team, owner, "https://fal.media/cat.png")
    assert "GB" in as_owner.get(PAGE).text
    assert not CopyRules.objects.exists()
    assert save(as_owner).status_code == 302
    rules = CopyRules.objects.get(team=team)
    assert (rules.is_on, rules.images, rules.videos) == (True, True, False)
    assert (rules.quota_bytes, rules.largest_bytes) == (20 * 10**9, 300 * 10**6)
    assert rules.history_below == FalRequest.objects.get().pk + 1
    assert 'value="20"' in as_owner.get(PAGE).text
    save(as_owner, is_on="")
    rules.refresh_from_db()
    assert (rules.is_on, rules.history_below) == (False, None)


@pytest.mark.parametrize(
    "changes",
    [{"quota_gb": "0"}, {"quota_gb": "1.5"}, {"largest_mb": ""}, {"largest_mb": "9" * 30}],
)
def test_what_is_no_size_changes_nothing_and_stays_typed(
    as_owner: Client, changes: dict[str, str]
) -> None:
    reply = save(as_owner, **changes)
    assert reply.status_code == 422
    assert f'value="{next(iter(changes.values()))}"' in reply.text
    assert not CopyRules.objects.exists()


def test_the_settings_show_what_is_used_and_that_it_is_too_little(
    team: Team, owner: Any, as_viewer: Client
) -> None:
    switch_on(team, quota_bytes=10**9, used_bytes=5 * 10**8)
    make_noticed(team, owner, "https://fal.media/cat.png", "https://fal.media/dog.png")
    MediaCopy.objects.filter(number=1).update(state=CopyState.OVER_QUOTA)
    text = as_viewer.get(PAGE).text
    assert 'value="50"' in text
    assert "1 waiting" in text
    assert "1 over quota" in text
    assert "The quota is used up" in text
    assert save(as_viewer).status_code == 403
