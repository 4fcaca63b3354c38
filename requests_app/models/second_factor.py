"""Which members a team holds back: it requires two factors, and their account has no second one.

The one place that decides. Pages, sockets and look-ups of rows ask it through `Membership.objects.open()`,
`Team.objects.of()` and `Membership.is_held_back`. API tokens do not: a token is a credential of its own.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone are none


def factor_of(user: Any) -> Exists:
    """Whether this user (a key, or a column of the outer query) has a second factor."""
    return Exists(Authenticator.objects.filter(user_id=user, type__in=FACTORS))


def factors_of(user_id: int) -> int:
    """Count the user's second factors."""
    return int(Authenticator.objects.filter(user_id=user_id, type__in=FACTORS).count())


def has_factor(user_id: int) -> bool:
    """Whether the user has a second factor."""
    return factors_of(user_id) > 0


def lets_in(user: Any, *, team: str = "") -> Q:
    """Whether a team (`team`: the way to its columns) lets the user in by a log-in."""
    return Q(**{f"{team}requires_factors": False}) | Q(factor_of(user))


def member_let_in() -> Q:
    """The same of a membership; a service account logs in nowhere."""
    return Q(is_service=True) | lets_in(OuterRef("user_id"), team="team__")


def member_held_back() -> ExpressionWrapper[Q]:
    """Its opposite, as a column."""
    return ExpressionWrapper(~member_let_in(), output_field=BooleanField())
