"""API tokens: a program acts with one for its user in one team, as far as the token's scope goes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from requests_app.models.compiled import CompiledQuery
from requests_app.models.permissions import Right, allows
from requests_app.models.team import Team, digest

SOON = timedelta(days=7)  # before its end a page warns
USED_EVERY = timedelta(minutes=1)  # precision of "last used"; a stream asks every few seconds


class TokenScope(models.TextChoices):
    """What a token may do at most; each one includes those before it."""

    READ = "read", "Read"
    SUBMIT = "submit", "Submit"
    MANAGE = "manage", "Manage"

    def covers(self, needed: TokenScope) -> bool:
        """Whether a call that needs the other scope is within this one."""
        ladder = list(TokenScope)
        return ladder.index(self) >= ladder.index(needed)

    @property
    def in_words(self) -> str:
        """Say what a token of this scope may do, as one line of a form."""
        return {
            TokenScope.READ: "look at requests, outputs and all else that the team has",
            TokenScope.SUBMIT: "also submit, cancel and run again, start batches and uploads",
            TokenScope.MANAGE: "also change presets and endpoint documents",
        }[self]


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Queries for tokens."""

    def unrevoked(self) -> ApiTokenQuerySet:
        """Those that a page shows: also expired ones."""
        return self.filter(revoked_at=None)

    def live(self, now: datetime) -> ApiTokenQuerySet:
        """Those that let a program in: of an active member, neither revoked nor expired."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now),
            revoked_at=None,
            user__is_active=True,
            team__memberships__user=models.F("user"),
        )


class ApiToken(models.Model):
    """A Bearer token of one user for one team: shown once, stored as a hash.

    A service token belongs to the team: its user is a service account, which stays when the token's
    maker leaves.
    """

    PREFIX = "fdk_"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    # Tokens from before there were names have none, may do all, and do not expire.
    name = models.CharField(max_length=60, blank=True, default="", db_default="")
    last_four = models.CharField(max_length=4, blank=True, default="", db_default="")
    scope = models.CharField(
        max_length=8,
        choices=TokenScope.choices,
        default=TokenScope.MANAGE,
        db_default=TokenScope.MANAGE.value,
    )
    is_service = models.BooleanField(default=False, db_default=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Of the form that made it: a form that is sent twice makes one token.
    form_key = models.CharField(max_length=64, unique=True, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.CharField(max_length=50, blank=True, default="", db_default="")
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The fault lab: what goes wrong on purpose with the gateway's calls of this token, and until when.
    fault_rules = models.JSONField(null=True, blank=True)
    faults_until = models.DateTimeField(null=True, blank=True)

    role: str  # of the user in the team, and whether they see payloads; `find` sets both
    sees_payloads: bool = False

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"token of {self.user} for {self.team}"

    @property
    def shown(self) -> str:
        """What of the text may be shown: its beginning, which all have, and its end."""
        return f"{self.PREFIX}…{self.last_four}"

    @property
    def is_expired(self) -> bool:
        """Whether a page that is rendered now shows it as expired."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def expires_soon(self) -> bool:
        """Whether a page that is rendered now warns of its end."""
        left = self.expires_at - timezone.now() if self.expires_at else None
        return left is not None and timedelta(0) < left <= SOON

    @property
    def has_faults(self) -> bool:
        """Whether its calls fail on purpose now."""
        return self.faults_until is not None and self.faults_until > timezone.now()

    @classmethod
    def issue(cls, user: AbstractBaseUser, team: Team, **columns: Any) -> str:
        """Create a token and return its text, which cannot be shown again."""
        text = cls.PREFIX + secrets.token_urlsafe(32)
        cls.objects.create(
            user_id=user.pk, team=team, digest=digest(text), last_four=text[-4:], **columns
        )
        return text

    @classmethod
    def find(cls, text: str, *, now: datetime, used_from: str = "") -> ApiToken | None:
        """Return the live token with this text whose owner is still an active member, else None."""
        token = _BY_DIGEST.first(digest=digest(text), now=now)
        if token and not (token.last_used_at and now - token.last_used_at < USED_EVERY):
            unused = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
            columns = {"last_used_at": now, "last_used_from": used_from}
            cls.objects.filter(unused, pk=token.pk).update(**columns)
        return token

    def may(self, act: Right) -> bool:
        """Whether the table of permissions allows it to the token's user."""
        return allows(self.role, act, sees_payloads=self.sees_payloads)

    @property
    def sees(self) -> bool:
        """Whether inputs and outputs are shown to the token's user."""
        return self.may(Right.SEE_PAYLOADS)

    def refusal(self, needed: TokenScope) -> str:
        """Say why a call that needs this scope is refused; empty when it is allowed.

        The one place that judges it: the user's present role and the token's scope.
        """
        if needed is not TokenScope.READ and not self.may(Right.SUBMIT):
            return "A viewer may look, not submit or cancel."
        if not TokenScope(self.scope).covers(needed):
            return f"This token has the scope “{self.scope}”; the call needs “{needed.value}”."
        return ""


_BY_DIGEST: CompiledQuery[ApiToken] = CompiledQuery(
    lambda digest, now: (
        ApiToken.objects.live(now)  # type: ignore[no-redef]
        .filter(digest=digest)
        .select_related("user", "team")
        .annotate(
            role=models.F("team__memberships__role"),
            sees_payloads=models.F("team__memberships__sees_payloads"),
        )
    )
)
