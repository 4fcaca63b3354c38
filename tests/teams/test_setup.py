from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from requests_app.models import AuditAct, AuditEntry, Membership, Role, SetupLink, Team
from requests_app.teams.setup import (
    LinkDead,
    ensure_demo,
    is_live,
    issue_setup_link,
    make_first_owner,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_fal(settings: Any) -> None:
    settings.SANDBOX = False


def issue() -> str:
    """A link's token."""
    link = issue_setup_link("http://localhost:8000/")
    assert link is not None
    assert link.startswith("http://localhost:8000/setup/")
    return link.split("/")[-2]


def make(token: str, username: str = "ann") -> Any:
    return make_first_owner(
        token, team_name="Studio", username=username, password="four plain words"
    )


def test_the_link_makes_a_team_with_its_owner_and_nobody_with_special_rights() -> None:
    user = make(issue())
    membership = Membership.objects.get()
    assert (membership.user, membership.team.name, membership.role) == (user, "Studio", Role.OWNER)
    made = AuditEntry.objects.get(act=AuditAct.ACCOUNT_MADE)
    assert (made.chain, made.actor, made.details) == (
        membership.team_id, "ann", '{"how":"setup link"}',
    )  # fmt: skip
    assert not user.is_superuser
    assert not user.is_staff
    assert authenticate(username="ann", password="four plain words") == user


def test_the_link_works_once() -> None:
    token = issue()
    make(token)
    User.objects.all().delete()  # even then
    assert not is_live(token)
    with pytest.raises(LinkDead):
        make(token, "eve")


def test_a_newer_link_ends_the_older_one() -> None:
    older, newer = issue(), issue()
    assert not is_live(older)
    assert is_live(newer)
    with pytest.raises(LinkDead):
        make(older)


def test_the_link_dies_when_an_account_is_made_some_other_way() -> None:
    token = issue()
    User.objects.create_user("root")
    assert not is_live(token)
    with pytest.raises(LinkDead):
        make(token)
    assert not Team.objects.exists()
    assert issue_setup_link("http://localhost:8000") is None


def test_there_is_no_link_in_the_sandbox(settings: Any) -> None:
    settings.SANDBOX = True
    assert issue_setup_link("http://localhost:8000") is None
    assert not SetupLink.objects.exists()


def test_the_link_is_kept_as_a_digest_only() -> None:
    assert issue() not in str(list(SetupLink.objects.values()))


def test_the_demo_user_gets_a_password_at_the_first_start_only() -> None:
    username, password = ensure_demo()
    user = authenticate(username=username, password=password)
    assert user is not None
    assert user.memberships.get().team.name == "Demo"
    assert ensure_demo() == ("demo", None)
    assert authenticate(username=username, password=password) == user


def test_every_installation_gets_another_demo_password() -> None:
    _, first = ensure_demo()
    User.objects.all().delete()
    _, second = ensure_demo()
    assert first
    assert second
    assert first != second
