"""Teams, members and invitations."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models
from django.utils import timezone

from requests_app.models.names import keys_of
from requests_app.models.permissions import ALWAYS, Right, Role, allows
from requests_app.models.second_factor import (
    factor_of,
    lets_in,
    member_held_back,
    member_let_in,
)


class TeamQuerySet(models.QuerySet["Team"]):
    """Queries for teams: every look-up starts from the teams this user may see."""

    def of(self, user: AbstractBaseUser | AnonymousUser) -> TeamQuerySet:
        """The teams the user's log-in opens: none without one, and none that hold the user back."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(lets_in(user.pk), memberships__user_id=user.pk)

    def is_taken(self, name: str) -> bool:
        """Whether a team has this name, or one that looks like it. Teams are few: all are compared."""
        keys = keys_of(name)
        return any(keys & keys_of(other) for other in self.values_list("name", flat=True))


class Team(models.Model):
    """The boundary: every request belongs to exactly one team."""

    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # Days after a request's end for which its parts are kept; None: for ever.
    payload_days = models.PositiveIntegerField(null=True, blank=True)
    frames_days = models.PositiveIntegerField(null=True, blank=True)
    rows_days = models.PositiveIntegerField(null=True, blank=True)
    # Whether fal is asked to delete what it keeps of a request whose payload, or whole row, is removed by that.
    retention_at_fal = models.BooleanField(default=False, db_default=False)

    # After a request has ended, how long the same input is asked about; None: never, open ones neither.
    duplicate_minutes = models.PositiveIntegerField(
        null=True, blank=True, default=10, db_default=10
    )

    # Two factors: a member without a second one is held back (`models/second_factor.py`).
    requires_factors = models.BooleanField(default=False, db_default=False)

    # The latest end of what the fault lab does to a token of the team: all pages say so.
    faults_until = models.DateTimeField(null=True, blank=True)

    # Being deleted since then: no one is in it, and a worker removes what it had.
    deleting_at = models.DateTimeField(null=True, blank=True)
    deleting_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    deletion_cancels = models.BooleanField(default=False, db_default=False)  # what is open at fal

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_faults(self) -> bool:
        """Whether calls of a token fail on purpose now."""
        return self.faults_until is not None and self.faults_until > timezone.now()


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Queries for memberships."""

    def open(self) -> MembershipQuerySet:
        """Those that a log-in opens: of members whom their team does not hold back."""
        return self.filter(member_let_in())

    def judged(self) -> MembershipQuerySet:
        """All, each with `is_held_back`."""
        return self.annotate(is_held_back=member_held_back())  # type: ignore[no-redef]

    def seeing(self, user_pk: int | None) -> MembershipQuerySet:
        """Those of a user who sees the team's inputs and outputs."""
        return self.filter(models.Q(sees_payloads=True) | models.Q(role__in=ALWAYS), user=user_pk)

    def without_factor(self) -> MembershipQuerySet:
        """Those whose account has no second one."""
        return self.filter(~factor_of(models.OuterRef("user_id")))

    def with_factor(self) -> MembershipQuerySet:
        """All, each with `has_factor`: whether the account has a second one."""
        return self.annotate(has_factor=factor_of(models.OuterRef("user_id")))


class Membership(models.Model):
    """A user in a team, with a role."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    # The user is a service account: no log-in, only the team's service tokens act as it.
    is_service = models.BooleanField(default=False, db_default=False)
    # Inputs, outputs and what is made of them; owners see them in any case. Ask `sees`.
    sees_payloads = models.BooleanField(default=True, db_default=True)

    is_held_back: bool  # for want of a second factor; `judged` sets it

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"

    def may(self, act: Right) -> bool:
        """Whether the table of permissions allows it to this member."""
        return allows(self.role, act, sees_payloads=self.sees_payloads)

    @property
    def may_submit(self) -> bool:
        return self.may(Right.SUBMIT)

    @property
    def may_manage(self) -> bool:
        """Owners and admins manage the team's members."""
        return self.may(Right.MANAGE)

    @property
    def sees(self) -> bool:
        """Whether inputs and outputs are shown to this member."""
        return self.may(Right.SEE_PAYLOADS)


class SetupLink(models.Model):
    """The one-time link that creates the first owner and team."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return "setup link"

    @classmethod
    def issue(cls) -> str:
        """Create a link's secret; earlier links stop working."""
        cls.objects.filter(used_at=None).delete()
        text = secrets.token_urlsafe(32)
        cls.objects.create(digest=digest(text))
        return text


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Queries for usable invitations."""

    def live(self, now: datetime) -> InvitationQuerySet:
        """Neither used, withdrawn nor expired."""
        return self.filter(used_at=None, withdrawn_at=None, expires_at__gt=now)

    def withdraw(self, now: datetime) -> int:
        """End them. The rows stay, so that a link can say what became of it."""
        # The end, too: a process of an older version knows no other.
        return self.update(withdrawn_at=now, expires_at=now)


class Invitation(models.Model):
    """An invitation into a team, once and for a week: a link (stored as a hash), or an offer to a
    user.

    `to_name` is what the maker of an offer typed; `to_user` is empty when no user has that name.
    """

    LASTS = timedelta(days=7)

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations"
    )
    role = models.CharField(max_length=8, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    to_name = models.CharField(max_length=150, blank=True)
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="offers",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    refused_names = models.PositiveSmallIntegerField(default=0)  # of new accounts

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"invitation to {self.team} ({self.role})"

    @classmethod
    def issue(cls, team: Team, role: str, *, by: AbstractBaseUser, now: datetime) -> str:
        """Create an invitation and return its secret, which cannot be shown again."""
        text = secrets.token_urlsafe(32)
        cls.objects.create(
            team=team, role=role, made_by_id=by.pk, digest=digest(text),
            created_at=now, expires_at=now + cls.LASTS,
        )  # fmt: skip
        return text

    @classmethod
    def offer(
        cls, team: Team, role: str, *, by: AbstractBaseUser, now: datetime, to_name: str,
        to_user: User | None,
    ) -> None:  # fmt: skip
        """Create an invitation for one user, who finds it in their account."""
        cls.objects.create(
            team=team, role=role, made_by_id=by.pk, to_name=to_name, to_user=to_user,
            created_at=now, expires_at=now + cls.LASTS,
        )  # fmt: skip


def digest(secret: str) -> str:
    """Return how a random secret is stored: its SHA-256 in hex (no salt needed for 256 random
    bits).
    """
    return hashlib.sha256(secret.encode()).hexdigest()
