"""All webhook deliveries of a team: the page, a body as a download, and settling one again."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.display.inert import INERT
from requests_app.models import Delivery
from requests_app.views.access import (
    get_actable_or_404,
    get_request_or_404,
    membership_of,
    memberships,
    person_of,
    team_in_links,
    team_required,
)
from requests_app.views.login import login_required
from requests_app.webhooks.again import settle_again
from requests_app.webhooks.deliveries import Verdict
from requests_app.webhooks.shelf import WORDS, page, words_of

GOOD = (Verdict.ACCEPTED, Verdict.DUPLICATE)


@team_required
@require_safe
def webhook_deliveries(request: HttpRequest) -> HttpResponse:
    """Show deliveries, newest first: GET /webhooks/?verdict=&before=<id>."""
    mine = membership_of(request)
    verdict, before = _asked(request)
    found, older = page(mine.team_id, verdict=verdict, before=before)
    team = team_in_links(request)
    context = {
        "found": found,
        "verdicts": [(value, words) for value, (words, _) in WORDS.items()],
        "verdict": verdict,
        "is_first": before is None,
        "here": _query(verdict, before),
        "newest": _query(verdict, team=team),
        "older": _query(verdict, older, team=team) if older else "",
        "sees": mine.sees,
        "may_settle": mine.may_submit,
    }
    return render(request, "teams/deliveries.html", context)


@login_required
@require_safe
def delivery_body(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Return the stored bytes of a body as a download that no browser renders."""
    row = get_request_or_404(request.user, public_id, full=False)
    found = Delivery.objects.filter(request=row, pk=pk).values_list("body", flat=True).first()
    if not found:
        raise Http404
    name = f'attachment; filename="{public_id}-webhook-{pk}.bin"'
    headers = {**INERT, "Content-Disposition": name}
    return HttpResponse(bytes(found), content_type="application/octet-stream", headers=headers)


@login_required
@require_POST
def settle_delivery(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Verify and apply a stored delivery once more, and say what came of it."""
    row = get_actable_or_404(request, public_id)
    if not Delivery.objects.filter(request=row, pk=pk).exists():
        raise Http404
    by = person_of(request).get_username()
    verdict = settle_again(row, pk, by=by, now=timezone.now())
    if verdict is None:
        messages.info(request, "This delivery is not settled again; nothing was changed.")
    else:
        words, sentence = words_of(verdict)
        tell = messages.success if verdict in GOOD else messages.warning
        tell(request, f"Settled again: {words.lower()}. {sentence}")
    team = row.team_id if len(memberships(request)) > 1 else None
    return redirect(reverse("requests:deliveries") + _query(*_asked(request), team=team))


def _asked(request: HttpRequest) -> tuple[str, int | None]:
    """Return the verdict and the cursor of the address; what is not understood asks for nothing."""
    verdict, before = request.GET.get("verdict", ""), request.GET.get("before", "")
    is_key = before.isascii() and before.isdigit() and len(before) < 19
    return verdict if verdict in WORDS else "", int(before) if is_key else None


def _query(verdict: str, before: int | None = None, *, team: int | None = None) -> str:
    asked = {"verdict": verdict, "before": before, "team": team}
    text = urlencode({name: value for name, value in asked.items() if value})
    return f"?{text}" if text else ""
