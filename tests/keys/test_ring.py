"""Which key a call is made with."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.fal import NotSent
from requests_app.keys import environment_key, keeping, key_for, key_of, ring
from requests_app.models import FalKey, Team

pytestmark = pytest.mark.django_db


def give(team: Team, by: User, name: str, pattern: str = "") -> FalKey:
    made = {"name": name, "secret": f"{name}:secret", "pattern": pattern}
    return keeping.add(team, **made, by=by, now=timezone.now())


@pytest.mark.parametrize(
    ("endpoint_id", "name"),
    [
        ("fal-ai/flux/dev", "exact"),
        ("fal-ai/flux/dev/image-to-image", "exact"),
        ("fal-ai/flux/schnell", "flux"),
        ("fal-ai/fluxes", "owner"),
        ("fal-ai/sdxl", "owner"),
        ("acme/one", "default"),
        ("", "default"),
    ],
)
def test_the_closest_pattern_wins(team: Team, owner: User, endpoint_id: str, name: str) -> None:
    patterns = {"owner": "fal-ai/*", "default": "", "exact": "fal-ai/flux/dev", "flux": "fal-ai/flux"}  # fmt: skip
    for one, pattern in patterns.items():
        give(team, owner, one, pattern)
    assert key_for(team.pk, endpoint_id).secret == f"{name}:secret"


def test_a_team_without_a_fitting_key_takes_the_installations(
    team: Team, owner: User, stranger: User, settings
) -> None:
    settings.FAL_KEY = "id:of-the-installation"
    give(team, owner, "one", "acme/*")
    foreign = stranger.memberships.get().team_id
    for team_id, endpoint in ((team.pk, "fal-ai/flux"), (foreign, "acme/one"), (0, "")):
        assert key_for(team_id, endpoint) == environment_key()
    assert key_of(None).secret == "id:of-the-installation"


def test_a_removed_key_is_known_by_its_name_and_sends_nothing(team: Team, owner: User) -> None:
    row = give(team, owner, "one")
    keeping.remove(team, row.pk, now=timezone.now())
    gone = key_of(row.pk)
    assert not gone.secret and "“one”" in gone.problem and "was removed" in gone.problem
    with pytest.raises(NotSent, match="was removed"):
        gone.ensure_usable()
    assert not FalKey.objects.get().encrypted
    assert key_for(team.pk) == environment_key()


def test_asking_again_within_seconds_costs_no_query(
    team: Team, owner: User, django_assert_num_queries
) -> None:
    row = give(team, owner, "one")
    ring.forget()
    with django_assert_num_queries(1):
        key_of(row.pk)
    with django_assert_num_queries(0):
        assert ring.is_fresh()
        for _ in range(100):
            key_of(row.pk)
            key_for(team.pk, "acme/one")


def test_a_key_of_another_process_is_found_at_once(team: Team, owner: User) -> None:
    key_for(team.pk)
    row = give(team, owner, "one")
    assert key_of(row.pk).secret == "one:secret"


def test_a_row_moved_to_another_team_in_the_database_does_not_open_there(
    team: Team, owner: User, stranger: User
) -> None:
    row = give(team, owner, "one")
    FalKey.objects.filter(pk=row.pk).update(team=stranger.memberships.get().team)
    ring.forget()
    assert "cannot be decrypted" in key_of(row.pk).problem


def test_a_key_shows_itself_in_no_repr(team: Team, owner: User) -> None:
    row = give(team, owner, "canary")
    shown = [repr(key_of(row.pk)), str(row), repr(row), repr(key_for(team.pk)), row.encrypted]
    assert not [text for text in shown if "canary:secret" in text]
