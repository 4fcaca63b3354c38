"""What has ended of a user's own requests, and of those they want to be told of: for lib/notices.js."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.models import ENDED, FalRequest, Status
from requests_app.templatetags.requests_extras import duration
from requests_app.views.access import memberships
from requests_app.views.login import login_required
from requests_app.views.pages import ids_in

MOST = 50  # requests in one reply, the newest
OVERLAP = 1000  # versions that are looked at again: a commit may be overtaken by a later one
RECENT = timedelta(minutes=10)
COLUMNS = (
    "public_id", "endpoint_id", "status", "person_id", "team__name", "created_at", "ended_at",
)  # fmt: skip


@require_safe
@login_required
def ended(request: HttpRequest) -> JsonResponse:
    """Return what ended after version ``since``, in all of the user's teams.

    ``{"seq": n, "ended": [{id, url, title, body, mine, failed, seconds, age_s}, …]}``; the next call
    sends ``seq`` as ``since``. Without it only requests whose ids are in ``tell`` are looked for, which
    may be of others. Requests may be told twice.
    """
    since = _number(request.GET.get("since", ""))
    teams = [one.team_id for one in memberships(request)]
    seq = max((_newest_seq(team) for team in teams), default=0)  # before the rows: none is missed
    rows = FalRequest.objects.filter(team__in=teams, status__in=ENDED).only(*COLUMNS)
    rows = rows.select_related("team").order_by("-ended_at")
    found: dict[int, FalRequest] = {}
    if ids := ids_in(request.GET.get("tell", "")):
        found |= {row.pk: row for row in rows.filter(public_id__in=ids)}
    now = timezone.now()
    if since is not None:
        mine = rows.made_here().filter(
            person_id=request.user.pk, seq__gt=since - OVERLAP, ended_at__gte=now - RECENT
        )
        found |= {row.pk: row for row in mine[:MOST]}
    told = [_told(row, request.user.pk, now, has_team=len(teams) > 1) for row in found.values()]
    return JsonResponse({"seq": seq, "ended": told})


def _newest_seq(team_id: int) -> int:
    newest = FalRequest.objects.filter(team=team_id).order_by("-seq")
    return newest.values_list("seq", flat=True).first() or 0


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _told(row: FalRequest, user_pk: Any, now: datetime, *, has_team: bool) -> dict[str, Any]:
    length = row.duration or timedelta()
    word = Status(row.status).label.capitalize()
    team = f" In {row.team.name}." if has_team else ""
    return {
        "id": str(row.public_id),
        "url": reverse("requests:detail", args=[row.public_id]),
        "title": f"{word}: {row.endpoint_id}",
        "body": f"After {duration(length)}.{team}",
        "mine": row.person_id == user_pk,
        "failed": row.status == Status.FAILED,
        "seconds": length.total_seconds(),
        "age_s": max((now - row.ended_at).total_seconds(), 0.0) if row.ended_at else 0.0,
    }
