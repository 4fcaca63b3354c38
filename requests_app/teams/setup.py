"""The first account: by a one-time link on a real installation, ready-made in the sandbox."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from requests_app.accounts.trail import note_account
from requests_app.models import Account, AuditAct, Role, SetupLink, Team, digest
from requests_app.teams import members

DEMO_USER = "demo"
DEMO_TEAM = "Demo"


class LinkDead(Exception):
    """The link was used, replaced by a newer one, is no longer needed, or never existed."""


def issue_setup_link(base_url: str) -> str | None:
    """Return a fresh link under `base_url` and end earlier ones; None once there is an account."""
    if settings.SANDBOX or User.objects.exists():
        return None
    return base_url.rstrip("/") + reverse("requests:setup", kwargs={"token": SetupLink.issue()})


def is_live(token: str) -> bool:
    """Whether the link still works."""
    return _unused(token).exists() and not User.objects.exists()


def make_first_owner(token: str, *, team_name: str, username: str, password: str) -> User:
    """Create the team and its owner, once. Raises LinkDead (also for all but one of many at once)
    and NameTaken.
    """
    user = Account(username=username)
    user.set_password(password)  # slow on purpose: not while others wait for the database
    with transaction.atomic():
        if not _unused(token).update(used_at=timezone.now()):
            raise LinkDead
        if User.objects.exists():
            raise LinkDead
        user.save()
        _own(team_name, user)
        note_account(AuditAct.ACCOUNT_MADE, user, by=user, how="setup link")
    return user


def ensure_demo() -> tuple[str, str | None]:
    """Create the sandbox's user and team. The password is returned once, when the user is created."""
    with transaction.atomic():
        user, is_new = Account.objects.get_or_create(username=DEMO_USER)
        password = secrets.token_urlsafe(12) if is_new else None
        if password:
            user.set_password(password)
            user.save()
            _own(DEMO_TEAM, user)
            note_account(AuditAct.ACCOUNT_MADE, user, how="sandbox")
    return DEMO_USER, password


def _unused(token: str) -> QuerySet[SetupLink]:
    return SetupLink.objects.filter(digest=digest(token), used_at=None)


def _own(team_name: str, user: User) -> None:
    team, _ = Team.objects.get_or_create(name=team_name)
    members.join(team, user, Role.OWNER)
