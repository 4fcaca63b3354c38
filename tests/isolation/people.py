"""Who asks: every kind of caller, with what each may be taken for."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.models import ApiToken, Membership, Role, Team, TokenScope
from tests.builders import make_person
from tests.isolation.estate import Estate
from tests.isolation.rights import Needs


@dataclass
class Caller:
    """One way to come. `reach`: how far it gets at home; `teams`: where it is a member."""

    name: str
    reach: Needs
    team: Team | None = None  # its own, which pages name
    user: User | None = None
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    scope: TokenScope | None = None  # of a token that works
    manages: bool = False  # the token's user is an admin or the owner
    sees: bool = True  # inputs and outputs of its team

    def __post_init__(self) -> None:
        if self.user:
            self.client.force_login(self.user)
        self._cookies = copy.deepcopy(self.client.cookies)

    def is_in(self, team: Team) -> bool:
        return self.team == team

    def ask(self, method: str, path: str, data: Any = None, **more: Any) -> Any:
        """Make one call, as the first of its session."""
        self.client.cookies = copy.deepcopy(self._cookies)
        headers = self.headers | more.pop("headers", {})
        if method in ("GET", "HEAD", "POST"):
            return getattr(self.client, method.lower())(path, data, headers=headers, **more)
        return self.client.generic(method, path, headers=headers, **more)


def removed_owner(team: Team) -> tuple[Caller, str]:
    """Return one who was an owner and still has the team in the session, and the text of a token of theirs."""
    removed = make_person("removed")
    Membership.objects.create(team=team, user=removed, role=Role.OWNER)
    gone = Caller("removed", Needs.LOG_IN, user=removed)
    session = gone.client.session
    session["team"] = team.pk
    session.save()
    text = ApiToken.issue(removed, team)
    Membership.objects.filter(user=removed).delete()
    return gone, text


def people(home: Estate, rival: Estate) -> list[Caller]:
    """Who comes to the pages."""
    team = home.team
    gone, text = removed_owner(team)
    inside = {
        "viewer": (Needs.TEAM, Role.VIEWER),
        "member": (Needs.SUBMIT, Role.MEMBER),
        "admin": (Needs.MANAGE, Role.ADMIN),
    }
    tokens = {"token on a page": home.text, "removed member's token on a page": text}
    return [
        Caller("anonymous", Needs.NOTHING),
        *(
            Caller(name, Needs.NOTHING, headers={"Authorization": f"Bearer {token}"})
            for name, token in tokens.items()
        ),
        Caller("stranger without a team", Needs.LOG_IN, user=make_person("alone")),
        gone,
        Caller("another team's owner", Needs.LOG_IN, team=rival.team, user=rival.owner),
        *(
            Caller(name, reach, team=team, user=home.person(name, role).user)
            for name, (reach, role) in inside.items()
        ),
        *(
            Caller(f"{name} without payloads", reach, team=team, user=unseeing(home, name, role).user, sees=False)
            for name, (reach, role) in inside.items()
        ),
        Caller("owner", Needs.OWN, team=team, user=home.owner),
    ]  # fmt: skip


def unseeing(home: Estate, name: str, role: str) -> Membership:
    """A further member, who may not see inputs and outputs."""
    member = home.person(f"unseeing-{name}", role)
    Membership.objects.filter(pk=member.pk).update(sees_payloads=False)
    return member


def held_back(team: Team) -> Caller:
    """Return a member without a second factor, of a team that requires two."""
    Team.objects.filter(pk=team.pk).update(requires_factors=True)
    return Caller("held back", Needs.LOG_IN, team=team, user=make_person("heldback", team=team))


def token(
    name: str,
    user: User,
    team: Team,
    works: TokenScope | None,
    *,
    sees: bool = True,
    **columns: Any,
) -> Caller:
    """Return a program with a new token; `works`: what it may do, None for one that is refused."""
    text = ApiToken.issue(user, team, **columns)
    reach = Needs.LOG_IN if works else Needs.NOTHING
    bearer = {"Authorization": f"Bearer {text}"}
    return Caller(name, reach, team, None, bearer, scope=works, sees=sees)


def programs(home: Estate, rival: Estate) -> list[Caller]:
    """Who comes to the API and the gateway: tokens of each scope and role, and such as do not work."""
    now = timezone.now()
    member = home.person("maker", Role.MEMBER).user
    viewer = home.person("looker", Role.VIEWER).user
    left = home.person("left", Role.MEMBER).user
    barred = home.person("barred", Role.MEMBER).user
    made = [
        Caller("no token", Needs.NOTHING),
        Caller("a made-up token", Needs.NOTHING, headers={"Authorization": "Bearer fdk_made-up"}),
        Caller("a log-in instead of a token", Needs.NOTHING, team=home.team, user=home.owner),
        *(
            token(f"{scope.value} token", member, home.team, scope, scope=scope)
            for scope in TokenScope
        ),
        *(
            token(f"service token to {scope.value}", member, home.team, scope, scope=scope, is_service=True)
            for scope in TokenScope
        ),
        *unseeing_programs(home),
        token("viewer's token", viewer, home.team, TokenScope.READ),
        token("admin's token", home.person("head", Role.ADMIN).user, home.team, TokenScope.MANAGE),
        token("owner's token", home.owner, home.team, TokenScope.MANAGE),
        token("revoked token", home.owner, home.team, None, revoked_at=now),
        token("expired token", home.owner, home.team, None, expires_at=now - timedelta(seconds=1)),
        token("removed member's token", left, home.team, None),
        token("inactive member's token", barred, home.team, None),
        token("another team's token", rival.owner, rival.team, TokenScope.MANAGE),
        token("token for a team its user is not in", rival.owner, home.team, None),
    ]  # fmt: skip
    for one in made:
        one.manages = one.name.startswith(("admin's", "owner's", "another team's"))
    Membership.objects.filter(user=left).delete()
    User.objects.filter(pk=barred.pk).update(is_active=False)
    return made


def unseeing_programs(home: Estate) -> list[Caller]:
    """Return tokens of users who may not see inputs and outputs."""
    member, viewer, admin = (
        unseeing(home, name, role).user
        for name, role in (("maker", Role.MEMBER), ("looker", Role.VIEWER), ("head", Role.ADMIN))
    )
    return [
        *(
            token(f"{scope.value} token without payloads", member, home.team, scope, scope=scope, sees=False)
            for scope in TokenScope
        ),
        token("viewer's token without payloads", viewer, home.team, TokenScope.READ, sees=False),
        token("admin's token without payloads", admin, home.team, TokenScope.MANAGE, sees=False),
    ]  # fmt: skip
