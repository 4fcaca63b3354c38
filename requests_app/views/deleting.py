"""Delete what is kept of one request, or the whole of it: a page that asks with the consequences."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from requests_app import lifecycle
from requests_app.bulk.qualify import Act, why_not
from requests_app.models import BulkVerb, FalDeletion, FalRequest
from requests_app.teams.choice import in_team
from requests_app.views.access import get_request_or_404, memberships, person_of
from requests_app.views.actions import row_url
from requests_app.views.login import login_required

CHOICES = (BulkVerb.PAYLOAD, BulkVerb.DELETE)
AT_FAL = "at_fal"  # beside the choices: what was emptied here before is deleted at fal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_request(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET asks which; POST deletes: `payload` the input and output, `delete` the whole request, either with
    `at_fal` what fal keeps as well; `verb=at_fal` that alone, of a request that was emptied here before.
    """
    row = get_request_or_404(request.user, public_id, full=False, may_be_hidden=True)
    mine = in_team(memberships(request), row.team_id)
    if mine is None or not mine.may_manage:
        raise PermissionDenied
    reasons = {verb: why_not(row, Act(verb)) for verb in CHOICES}
    if request.method != "POST":
        return _ask(request, row, reasons)
    if request.POST.get("verb") == AT_FAL:
        return _ask_fal(request, row)
    verb = next((one for one in CHOICES if one == request.POST.get("verb")), None)
    if verb is None:
        return _ask(request, row, reasons, fault="Choose what to delete.")
    if reasons[verb]:
        return _ask(request, row, reasons, fault=f"Nothing was deleted. {reasons[verb]}")
    return _delete(request, row, verb)


def _ask_fal(request: HttpRequest, row: FalRequest) -> HttpResponse:
    if lifecycle.delete_at_fal(row.pk, person=person_of(request), now=timezone.now()):
        messages.success(request, "fal is asked to delete what it keeps. Its answer is told here.")
    else:
        messages.error(request, "fal is not asked: it was asked before, or cannot be asked.")
    return redirect(row_url(row))


def _delete(request: HttpRequest, row: FalRequest, verb: BulkVerb) -> HttpResponse:
    who, now = person_of(request), timezone.now()
    at_fal = AT_FAL in request.POST and not lifecycle.why_not_at_fal(row)
    also = " fal is asked to delete what it keeps." if at_fal else ""
    if verb == BulkVerb.PAYLOAD:
        lifecycle.delete_payload(row.pk, person=who, now=now, at_fal=at_fal)
        messages.success(request, f"Input and output are deleted here.{also}")
        return redirect(row_url(row))
    if not lifecycle.delete_request(row.pk, person=who, now=now, at_fal=at_fal):
        messages.error(request, "It was not deleted: Faldeck still asks fal about it.")
        return redirect(row_url(row))
    messages.success(request, f"The request is deleted here.{also}")
    return redirect("requests:list")


def _ask(
    request: HttpRequest, row: FalRequest, reasons: dict[BulkVerb, str], fault: str = ""
) -> HttpResponse:
    context = {
        "row": row,
        "payload_reason": reasons[BulkVerb.PAYLOAD],
        "delete_reason": reasons[BulkVerb.DELETE],
        "fal_reason": lifecycle.why_not_at_fal(row),
        "fal_deletion": FalDeletion.objects.filter(public_id=row.public_id).first(),
        "fault": fault,
    }
    return render(request, "request/delete.html", context, status=422 if fault else 200)
