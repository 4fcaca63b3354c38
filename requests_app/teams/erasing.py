"""Delete a user's account: what is the person's goes, what is the teams' stays under "former member".

The row of the user stays without a name, for requests, batches and presets refer to it. Names in the history of requests
are replaced in the background. The audit trail keeps the names it was sealed with: see docs/operations.md.
"""

from __future__ import annotations

import re

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import models, transaction
from django.db.models import Max, Q

from requests_app import audit
from requests_app.accounts import sessions
from requests_app.lifecycle import rename_in_history
from requests_app.models import (
    Account,
    AccountName,
    AuditAct,
    ErrorPerson,
    ErrorTally,
    FormerName,
    Membership,
    Observation,
    Role,
    Session,
)
from requests_app.teams.members import leave
from requests_app.teams.people import TeamChangeRefused

FORMER = "former member #{}"
NOT_TYPED = "Type your name, exactly, to delete the account."
# Figures of requests that stay, and the name, which is claimed anew.
_KEPT = (ErrorPerson, ErrorTally, AccountName, FormerName)


def hindrances(user: AbstractBaseUser) -> list[str]:
    """Return the names of the teams that would be without an owner."""
    mine = Membership.objects.filter(user_id=user.pk, role=Role.OWNER, team__deleting_at=None)
    others = Membership.objects.filter(role=Role.OWNER, user__is_active=True).exclude(
        user_id=user.pk
    )
    alone = mine.exclude(team__in=others.values("team"))
    return list(alone.order_by("team__name").values_list("team__name", flat=True))


def erase(user: User, *, by: AbstractBaseUser | None) -> str:
    """Delete the account, or nothing of it; return the name that stays. Raises TeamChangeRefused.

    `by` None: an operator.
    """
    former, name = FORMER.format(user.pk), user.get_username()
    with transaction.atomic():
        if alone := hindrances(user):
            raise TeamChangeRefused(
                f"Hand over or delete first, you are the only owner: {', '.join(alone)}."
            )
        mine = Membership.objects.filter(user=user)
        teams = list(mine.values_list("team_id", flat=True)) or [audit.NO_TEAM]
        mine.filter(
            team__deleting_at__isnull=False
        ).delete()  # what is being removed needs no owner
        for one in mine.order_by("team_id"):
            leave(one)
        sessions.end(user, sessions.EVERY_ONE, by=by or user)
        on = audit.Noted("account", str(user.pk), former)
        for team_id in teams:
            audit.note(AuditAct.ACCOUNT_ERASED, on, team_id=team_id, by=by)
        _delete_own(user)
        newest = Observation.objects.aggregate(pk=Max("pk"))["pk"] or 0
        FormerName.objects.create(user=user, name=name, below=newest + 1)
        _rename(user, former)
    return former


def _delete_own(user: User) -> None:
    """Delete every row that would go with the user's: addresses, factors, tokens, views, stars …"""
    Session.objects.filter(user=user).delete()
    for relation in User._meta.get_fields(include_hidden=True):  # most have no name on the user
        if (
            not isinstance(relation, models.ManyToOneRel)
            or relation.on_delete is not models.CASCADE
        ):
            continue
        if (model := relation.related_model) not in _KEPT:
            model._default_manager.filter(**{relation.field.name: user}).delete()


def _rename(user: User, former: str) -> None:
    account = Account.objects.get(pk=user.pk)
    account.username = former
    account.email = account.first_name = account.last_name = ""
    account.is_active = account.is_staff = account.is_superuser = False
    account.last_login = None
    account.set_unusable_password()
    account.save()


AT_ONCE = 5000  # keys of observations looked at in one transaction


def erase_names() -> bool:
    """Take one deleted account's name out of some of the history; return False when there is none."""
    with transaction.atomic():
        known = FormerName.objects.select_for_update().order_by("pk").first()
        if known is None:
            return False
        lowest = known.below - AT_ONCE
        # Names are put together of these signs: of "al", "ally" and "al-2" are others.
        pattern = re.compile(rf"(?<![\w.@+-]){re.escape(known.name)}(?![\w@+-])")
        rename_in_history(
            Q(pk__lt=known.below, pk__gte=lowest), pattern, known.name, FORMER.format(known.pk)
        )
        if lowest <= 0:
            known.delete()
        else:
            FormerName.objects.filter(pk=known.pk).update(below=lowest)
    return True
