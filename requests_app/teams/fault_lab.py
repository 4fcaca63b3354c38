"""Switch the fault lab on and off for a token: by owners and admins, for a while, with an entry in the audit trail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from requests_app import audit
from requests_app.models import ApiToken, AuditAct, Membership, Team

SETTING = "fault lab of a token"


def token_of(member: Membership, pk: int) -> ApiToken | None:
    """Return a token of the team for who may manage; else None."""
    if not member.may_manage:
        return None
    return ApiToken.objects.unrevoked().filter(team_id=member.team_id, pk=pk).first()


def start(
    member: Membership, token: ApiToken, rules: list[dict[str, object]], minutes: int, now: datetime
) -> datetime:
    """Have the token's calls fail from now on; return until when."""
    until = now + timedelta(minutes=minutes)
    with transaction.atomic():
        _set(token, rules, until)
        kinds = sorted({f"{rule['do']} of {rule['when']}" for rule in rules})
        told = {"token": token.shown, "faults": ", ".join(kinds), "minutes": minutes}
        on = audit.Noted("setting", str(token.pk), SETTING, told)
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=member.team_id, by=member.user)
    return until


def stop(member: Membership, token: ApiToken) -> None:
    """Have them work again."""
    with transaction.atomic():
        _set(token, None, None)
        on = audit.Noted(
            "setting", str(token.pk), SETTING, {"token": token.shown, "faults": "none"}
        )
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=member.team_id, by=member.user)


def _set(token: ApiToken, rules: list[dict[str, object]] | None, until: datetime | None) -> None:
    Team.objects.select_for_update().get(pk=token.team_id)  # two at once would each miss the other
    ApiToken.objects.filter(pk=token.pk).update(fault_rules=rules, faults_until=until)
    mine = ApiToken.objects.unrevoked().filter(team_id=token.team_id)
    last = mine.aggregate(last=Max("faults_until"))["last"]
    Team.objects.filter(pk=token.team_id).update(faults_until=last)
