from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from requests_app.models import Membership, Role, Team

pytestmark = pytest.mark.django_db


def test_it_makes_a_team_with_its_owner() -> None:
    get_user_model().objects.create_user("olive")
    out = StringIO()
    call_command("create_team", " Lighthouse ", "--owner", "olive", stdout=out)
    membership = Membership.objects.get()
    assert (membership.team.name, membership.role) == ("Lighthouse", Role.OWNER)
    assert "Lighthouse" in out.getvalue()


@pytest.mark.parametrize(
    ("name", "owner", "sentence"),
    [
        ("Taken", "olive", "already"),
        ("taken", "olive", "already"),
        ("ＴＡＫＥＮ", "olive", "already"),
        ("Ta\u200bken", "olive", "already"),
        ("T\u0430ken", "olive", "already"),
        ("N\u0435w", "olive", "mixes"),
        ("New", "nobody", "createsuperuser"),
        ("", "olive", "cannot be used"),
        ("   ", "olive", "cannot be used"),
        ("x" * 81, "olive", "cannot be used"),
    ],
)
def test_it_refuses_in_a_sentence_and_changes_nothing(name: str, owner: str, sentence: str) -> None:
    get_user_model().objects.create_user("olive")
    Team.objects.create(name="Taken")
    with pytest.raises(CommandError, match=sentence):
        call_command("create_team", name, "--owner", owner)
    assert Team.objects.count() == 1
    assert not Membership.objects.exists()


def test_a_team_without_its_owner_is_never_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**values: object) -> None:
        raise IntegrityError

    get_user_model().objects.create_user("olive")
    monkeypatch.setattr(Membership.objects, "get_or_create", fail)
    with pytest.raises(CommandError):
        call_command("create_team", "Lighthouse", "--owner", "olive")
    assert not Team.objects.exists()
