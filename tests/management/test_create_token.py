from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from requests_app.models import ApiToken, Membership, Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def olive() -> Any:
    user = get_user_model().objects.create_user("olive")
    Membership.objects.create(user=user, team=Team.objects.create(name="Lighthouse"))
    return user


def test_it_prints_the_token_alone_and_keeps_only_a_hash(olive: Any) -> None:
    out = StringIO()
    call_command("create_token", "--user", "olive", "--team", "Lighthouse", stdout=out)
    text = out.getvalue().removesuffix("\n")
    assert text.startswith("fdk_") and text.isprintable() and " " not in text
    token = ApiToken.find(text, now=timezone.now())
    assert token and (token.user, token.team.name) == (olive, "Lighthouse")
    assert text not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize(
    ("user", "team"), [("olive", "Elsewhere"), ("nobody", "Lighthouse"), ("olive", "Nowhere")]
)
def test_only_a_member_gets_a_token_of_a_team(olive: Any, user: str, team: str) -> None:
    Team.objects.create(name="Elsewhere")
    with pytest.raises(CommandError, match="no member"):
        call_command("create_token", "--user", user, "--team", team)
    assert not ApiToken.objects.exists()


def test_somebody_who_is_not_active_gets_none(olive: Any) -> None:
    olive.is_active = False
    olive.save()
    with pytest.raises(CommandError, match="not active"):
        call_command("create_token", "--user", "olive", "--team", "Lighthouse")
    assert not ApiToken.objects.exists()
