"""What a team keeps of its outputs' media, how much of its quota is used, and how to change it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Q, Sum

from requests_app import audit
from requests_app.copies.files import drop
from requests_app.models import (
    AuditAct,
    CopyLook,
    CopyRules,
    CopyState,
    FalRequest,
    MediaCopy,
    Team,
)
from requests_app.models.media_copy import GB, MB

_RETRIED = (CopyState.TOO_LARGE, CopyState.OVER_QUOTA, CopyState.FAILED)


@dataclass(frozen=True)
class CopyChoice:
    """What an owner chose."""

    is_on: bool
    images: bool
    videos: bool
    audios: bool
    others: bool
    quota_gb: int
    largest_mb: int


@dataclass(frozen=True)
class CopyFigures:
    """What the settings show. `states`: how many media of the team are in each state."""

    rules: CopyRules
    states: dict[str, int]

    @property
    def share(self) -> int:
        """Per cent of the quota."""
        return min(100, round(100 * self.rules.used_bytes / max(self.rules.quota_bytes, 1)))

    @property
    def waiting(self) -> int:
        return self.states.get(CopyState.WAITING, 0)

    @property
    def kept(self) -> int:
        return self.states.get(CopyState.KEPT, 0)

    @property
    def told(self) -> list[tuple[str, int]]:
        """The other states and their counts."""
        others = (CopyState.OVER_QUOTA, CopyState.TOO_LARGE, CopyState.FAILED, CopyState.EXPIRED)
        return [(state.label, self.states[state]) for state in others if self.states.get(state)]

    @property
    def is_over(self) -> bool:
        """Something was not kept because the quota is used up."""
        return self.rules.is_on and bool(self.states.get(CopyState.OVER_QUOTA))


def rules_of(team: Team) -> CopyRules:
    """Return the team's rules; the defaults, with nothing on, for a team that never chose."""
    return CopyRules.objects.filter(pk=team.pk).first() or CopyRules(team=team)


def figures(team: Team) -> CopyFigures:
    """Return what is kept and how much of the quota it takes."""
    counted = MediaCopy.objects.filter(team=team).order_by().values_list("state")
    return CopyFigures(rules_of(team), dict(counted.annotate(n=Count("pk"))))


def choose(team: Team, choice: CopyChoice, now: datetime) -> None:
    """Change the rules. What was not kept is looked at again; switched off, what is kept stays."""
    CopyRules.objects.get_or_create(team=team)
    with transaction.atomic():
        rules = CopyRules.objects.select_for_update().get(pk=team.pk)
        told = {"before": _told(rules), "after": asdict(choice)}
        on = audit.Noted("setting", "", "own copies of media", told)
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=team.pk)
        rules.is_on = choice.is_on
        rules.images, rules.videos = choice.images, choice.videos
        rules.audios, rules.others = choice.audios, choice.others
        rules.quota_bytes = choice.quota_gb * GB
        rules.largest_bytes = choice.largest_mb * MB
        newest = FalRequest.objects.filter(team=team).aggregate(pk=Max("pk"))["pk"]
        rules.history_below = newest + 1 if rules.is_on and newest else None
        rules.save()
        copies = MediaCopy.objects.filter(team=team)
        if rules.is_on:
            again = copies.filter(state__in=_RETRIED)
            again.update(state=CopyState.WAITING, problem="", due_at=now, tries=0, changed_at=now)
            drop(team.pk, copies.filter(_unwanted(rules), state=CopyState.WAITING), now)
        else:
            drop(team.pk, copies.exclude(state=CopyState.KEPT), now)
            CopyLook.objects.filter(request__team=team).delete()


def _told(rules: CopyRules) -> dict[str, object]:
    flags = {
        name: getattr(rules, name) for name in ("is_on", "images", "videos", "audios", "others")
    }
    return {**flags, "quota_gb": rules.quota_bytes // GB, "largest_mb": rules.largest_bytes // MB}


def _unwanted(rules: CopyRules) -> Q:
    kinds = [kind for kind in ("image", "video", "audio", "file") if not rules.takes(kind)]
    return Q(kind__in=kinds)


def recount(team: Team) -> int:
    """Count the bytes of the team's files anew, after a restore say."""
    with transaction.atomic():
        rules = CopyRules.objects.select_for_update().get(pk=team.pk)
        sizes = team.kept_files.filter(removed_at=None)
        rules.used_bytes = sizes.aggregate(sum=Sum("size"))["sum"] or 0
        rules.save(update_fields=["used_bytes"])
        return rules.used_bytes


def copy_counts(now: datetime) -> tuple[int, int]:
    """Return how many copies wait, and how many failed within a day, of all teams."""
    waiting = MediaCopy.objects.filter(due_at__isnull=False).count()
    since = now - timedelta(days=1)
    failed = MediaCopy.objects.filter(state=CopyState.FAILED, changed_at__gt=since).count()
    return waiting, failed
