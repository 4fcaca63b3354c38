"""The chosen team: chosen once per log-in session, and named by every write.

Only the user changes the choice. When the chosen team is lost (the user was removed, or it was
deleted) no other one takes its place: the user is asked to choose.

Every page names the team it was made for (`MadeFor`), and every write sends that back. A page that
was left open while another tab switched the team can therefore not write into the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from requests_app.models import Membership
from requests_app.models.compiled import CompiledQuery

SESSION_KEY = "team"
NOTHING_CHOSEN = 0

SessionData = MutableMapping[str, Any]
Person = AbstractBaseUser | AnonymousUser


class NoTeam(Exception):
    """The user belongs to no team."""


class NotChosen(Exception):
    """The user has to choose a team; `is_lost`: they are no longer in the one chosen before."""

    def __init__(self, *, is_lost: bool) -> None:
        super().__init__("Choose a team.")
        self.is_lost = is_lost


class NeedsFactor(NotChosen):
    """The page's team requires two factors, and the user has no second one."""

    def __init__(self, membership: Membership) -> None:
        super().__init__(is_lost=False)
        self.membership = membership


@dataclass(frozen=True)
class MadeFor:
    """A page's own team, and which other team its reader knows to be the chosen one.

    Written `5`, or `5.3` by a page for team 5 whose reader was told that team 3 is the chosen one.
    """

    team_id: int
    known_id: int | None = None

    @classmethod
    def parse(cls, text: str) -> MadeFor | None:
        """Parse one of the two forms; None for anything else."""
        found = re.fullmatch(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?", text, re.ASCII)
        if found is None:
            return None
        return cls(int(found[1]), int(found[2]) if found[2] else None)

    @classmethod
    def of(cls, team_id: int, session: SessionData) -> MadeFor:
        """Return it for a page of this team that is rendered now and tells its reader of the
        choice.
        """
        chosen = chosen_id(session)
        return cls(team_id, None if chosen == team_id else chosen)

    def __str__(self) -> str:
        return str(self.team_id) if self.known_id is None else f"{self.team_id}.{self.known_id}"


class Mismatch(Exception):
    """Nothing was written: the page was made for another team than the chosen one.

    `membership`: the user's in the page's team; None when they have left it or the page names
    none.
    """

    def __init__(self, membership: Membership | None, *, is_named: bool) -> None:
        super().__init__("The page was made for another team.")
        self.membership = membership
        self.is_named = is_named


_MINE: CompiledQuery[Membership] = CompiledQuery(
    lambda user: (
        Membership.objects.judged()
        .filter(user_id=user)
        .select_related("team", "user")
        .order_by("team__name")
    )
)


def every_membership_of(person: Person) -> list[Membership]:
    """Return all of a user's memberships by team name, in one query: they are few. Also those that are held back."""
    return _MINE.all(user=person.pk or 0)


def memberships_of(person: Person) -> list[Membership]:
    """Return those that the user's log-in opens."""
    return [one for one in every_membership_of(person) if not one.is_held_back]


def in_team(mine: Iterable[Membership], team_id: int | None) -> Membership | None:
    """Return the membership in this team, if there is one."""
    return next((one for one in mine if one.team_id == team_id), None)


def chosen_id(session: SessionData) -> int:
    """Return the key of the team chosen in this session, whether or not the user is in it;
    NOTHING_CHOSEN without one.
    """
    chosen = session.get(SESSION_KEY)
    return chosen if isinstance(chosen, int) else NOTHING_CHOSEN


def choose(session: SessionData, team_id: int) -> None:
    """Make this team the session's chosen one."""
    session[SESSION_KEY] = team_id


def chosen_membership(mine: Sequence[Membership], session: SessionData) -> Membership:
    """Return the membership in the chosen team. Raises NoTeam, NotChosen.

    A user of a single team who has not chosen in this session gets that one.
    """
    chosen = chosen_id(session)
    if found := in_team(mine, chosen):
        return found
    if not mine:
        raise NoTeam
    if chosen != NOTHING_CHOSEN or len(mine) > 1:
        raise NotChosen(is_lost=chosen != NOTHING_CHOSEN)
    choose(session, mine[0].team_id)
    return mine[0]


def membership_for_write(
    mine: Sequence[Membership], session: SessionData, said: MadeFor | None
) -> Membership:
    """Return the membership in the team a write names. Raises Mismatch.

    A session without a choice (a new log-in beside an open form) matches every team.
    """
    membership = in_team(mine, said.team_id) if said else None
    if said is None or membership is None:
        raise Mismatch(None, is_named=said is not None)
    if not is_known(said, session):
        raise Mismatch(membership, is_named=True)
    return membership


def is_known(said: MadeFor, session: SessionData) -> bool:
    """Whether the page's reader knows which team is chosen now."""
    return chosen_id(session) in (said.team_id, said.known_id, NOTHING_CHOSEN)


def news_of(
    mine: Sequence[Membership], session: SessionData, membership: Membership | None
) -> dict[str, str]:
    """Describe the mismatch for the page: team names, and the `MadeFor` it sends once its reader
    agrees.
    """
    chosen = in_team(mine, chosen_id(session))
    return {
        "made_for": membership.team.name if membership else "",
        "chosen": chosen.team.name if chosen else "",
        "value": str(MadeFor.of(membership.team_id, session)) if membership else "",
    }


def sentence(news: Mapping[str, str]) -> str:
    """Say what happened, for users and programs."""
    now = f"You are in {news['chosen']} now." if news["chosen"] else "You are in no team now."
    if news["made_for"]:
        return f"This was made for {news['made_for']}. {now} Nothing was sent."
    return f"This was made for a team that you are not in, or for none. {now} Nothing was sent."
