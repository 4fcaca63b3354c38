"""The team's tags over some days: how many requests, how long they ran, what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.models import Status, Tag, Tagging, Team
from requests_app.rules.money import money
from requests_app.search import Scope
from requests_app.views.access import team_of, team_required

DAYS = (1, 7, 30, 90)
USUAL_DAYS = 30
MOST = 20_000  # tags on requests that are counted, the newest
_COLUMNS = (
    "tag", "request__status", "request__started_at", "request__ended_at",
    "request__cost", "request__cost_currency", "request__created_at",
)  # fmt: skip


@dataclass
class TagUse:
    """One tag's requests. `unpriced`: those of which the cost is not known."""

    tag: Tag
    count: int = 0
    failed: int = 0
    ran: timedelta = timedelta()
    cost: Counter[str] = field(default_factory=Counter)  # by currency; Decimals
    unpriced: int = 0

    @property
    def cost_words(self) -> str:
        return " + ".join(
            money(Decimal(amount), currency) for currency, amount in self.cost.items()
        )


@require_safe
@team_required
def tag_report(request: HttpRequest) -> HttpResponse:
    """Show the report: GET /tags/?days=<number>."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else USUAL_DAYS
    uses, is_cut = report(team_of(request), since=timezone.now() - timedelta(days=days))
    context = {"uses": uses, "days": days, "choices": DAYS, "is_cut": is_cut, "most": MOST}
    return render(request, "tags/report.html", context)


def report(team: Team, *, since: datetime) -> tuple[list[TagUse], bool]:
    """Return the tags of requests created since then, the most used first, and whether there are more than `MOST`.

    The cost is what is stored with the requests.
    """
    first = Scope(team.pk, "", sees=False).first_after(since)
    newest = Tagging.objects.filter(team=team, request__gt=first).order_by("-request", "-pk")
    rows = list(newest.values_list(*_COLUMNS)[: MOST + 1])
    is_cut = len(rows) > MOST
    uses = _counted(row for row in rows[:MOST] if row[-1] >= since)
    tags = Tag.objects.in_bulk(list(uses))
    found = [TagUse(tags[pk], **use) for pk, use in uses.items()]
    return sorted(found, key=lambda use: (-use.count, use.tag.key)), is_cut


def _counted(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[str, Any]]:
    uses: dict[int, dict[str, Any]] = {}
    for tag, status, started, ended, cost, currency, _ in rows:
        use = uses.setdefault(
            tag, {"count": 0, "failed": 0, "ran": timedelta(), "cost": Counter(), "unpriced": 0}
        )
        use["count"] += 1
        use["failed"] += status == Status.FAILED
        if started and ended:
            use["ran"] += ended - started
        if cost is None:
            use["unpriced"] += 1
        else:
            use["cost"][currency or ""] += cost
    return uses
