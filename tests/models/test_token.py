"""A token's text, its scope, and what is noted of its use."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import ApiToken, Membership, Role, Team, TokenScope, digest

NOW = timezone.now()
VIEWER, MEMBER = Role.VIEWER, Role.MEMBER
# Role, scope, and the scopes whose calls are allowed: the whole table.
MAY = [
    (VIEWER, TokenScope.READ, {TokenScope.READ}),
    (VIEWER, TokenScope.SUBMIT, {TokenScope.READ}),
    (VIEWER, TokenScope.MANAGE, {TokenScope.READ}),
    *(
        (role, scope, set(list(TokenScope)[: at + 1]))
        for role in (MEMBER, Role.ADMIN, Role.OWNER)
        for at, scope in enumerate(TokenScope)
    ),
]


@pytest.mark.parametrize(("role", "scope", "allowed"), MAY)
def test_a_token_may_what_its_scope_and_its_users_role_both_allow(role, scope, allowed):
    token = ApiToken(scope=scope)
    token.role = role
    assert {needed for needed in TokenScope if not token.refusal(needed)} == allowed


def test_a_token_is_found_by_its_text_and_kept_without_it(team: Team, owner: User) -> None:
    text = ApiToken.issue(owner, team)
    assert text not in str(ApiToken.objects.values())
    token = ApiToken.find(text, now=NOW)
    assert token is not None
    assert (token.user, token.team) == (owner, team)
    assert token.shown == f"fdk_…{text[-4:]}"


def test_its_use_is_noted_once_a_minute_with_the_address(team: Team, owner: User) -> None:
    text = ApiToken.issue(owner, team)
    uses = []
    for seconds, address in ((0, "10.0.0.1"), (59, "10.0.0.2"), (61, "10.0.0.3")):
        ApiToken.find(text, now=NOW + timedelta(seconds=seconds), used_from=address)
        token = ApiToken.objects.get()
        uses.append((token.last_used_at, token.last_used_from))
    first, last = (NOW, "10.0.0.1"), (NOW + timedelta(seconds=61), "10.0.0.3")
    assert uses == [first, first, last]


def test_texts_that_are_no_token_find_none(team: Team, owner: User) -> None:
    text = ApiToken.issue(owner, team)
    for wrong in ("", text[:-1], text + "x", text.upper(), digest(text)):
        assert ApiToken.find(wrong, now=NOW) is None


def test_a_token_ends_when_revoked_or_expired_or_its_owner_leaves_or_is_blocked(
    team: Team, owner: User, teammate: User
) -> None:
    revoked, left = ApiToken.issue(owner, team), ApiToken.issue(teammate, team)
    expired = ApiToken.issue(owner, team, expires_at=NOW)
    ApiToken.objects.filter(digest=digest(revoked)).update(revoked_at=NOW - timedelta(days=1))
    Membership.objects.filter(user=teammate).delete()
    blocked = ApiToken.issue(owner, team)
    assert ApiToken.find(blocked, now=NOW) is not None
    User.objects.filter(pk=owner.pk).update(is_active=False)
    for text in (revoked, left, expired, blocked):
        assert ApiToken.find(text, now=NOW) is None


def test_two_tokens_are_never_alike(team: Team, owner: User) -> None:
    texts = {ApiToken.issue(owner, team) for _ in range(20)}
    assert len(texts) == 20
    assert all(text.startswith(ApiToken.PREFIX) and len(text) > 40 for text in texts)
