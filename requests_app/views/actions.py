"""The actions of a user: submit, cancel, give up, run again, switch the team."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from requests_app import lifecycle
from requests_app.catalogue.validation import InputProblem
from requests_app.display.marks import offered
from requests_app.forms.preset import values_of_preset
from requests_app.forms.submit import GLIMPSE, SubmitForm, new_token, values_of
from requests_app.forms.suggestions import first_values, suggestions
from requests_app.lifecycle import AlreadyRunning, KeyReused, TooManyOpen
from requests_app.models import FalRequest, Mode, Preset
from requests_app.request_input import InvalidDraft, parse_draft
from requests_app.teams.choice import choose, in_team
from requests_app.views.access import (
    get_actable_or_404,
    held_back,
    in_team_of_source,
    member_required,
    membership_of,
    memberships,
    person_of,
    sees_required,
    team_in_links,
    team_of,
)
from requests_app.views.compare import MOST, compare_url
from requests_app.views.endpoint_form import fal_problems, input_problems, known_fields, known_seed
from requests_app.views.errors import error_page
from requests_app.views.login import login_required
from requests_app.views.presets import get_preset_or_404, kinds_of_variables
from requests_app.views.team_guard import teamless
from requests_app.views.workspace import runs_of

_CANCEL_WORDS = {
    "cancelled": "Cancelled. It had not been sent, so nothing ran.",
    "asked": "fal is being asked to cancel it. It counts as cancelled when fal says so.",
    "ended": "There is nothing to cancel: it had already ended.",
}
_HANGING_UP = "We hang up; fal then stops the work. What ran until then may be billed."


# --- Submit ------------------------------------------------------------------------------------
@in_team_of_source
@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form. A POST creates one request, or the chosen number of runs, however often it is sent."""
    if request.method != "POST":
        return _first_page(request)
    values, team = request.POST.copy(), team_of(request)
    form = SubmitForm(values, stored=_stored(request, values.get("input_of", "")))
    if not form.is_valid() or form.refuse_by_schema(input_problems(form.draft, team)):
        return _refused(request, form, values)
    if not form.take_seeds(known_seed(form.draft.endpoint_id, team)):
        return _refused(request, form, values)
    try:
        rows = _create_once(request, form)
    except KeyReused:
        form.add_error(
            None,
            "This form was sent before with other values. Press Submit again to send these too.",
        )
        return _refused(request, form, values)
    except AlreadyRunning as error:
        form.duplicate = error.row
        return _refused(request, form, values)
    except TooManyOpen as error:
        if request.headers.get("HX-Request"):
            return _too_many_open(request, error)
        form.add_error(None, str(error))
        reply = _refused(request, form, values, status=429)
        reply["Retry-After"] = error.retry_after
        return reply
    except InvalidDraft as invalid:  # the team has too many tags
        form.place(invalid.errors)
        return _refused(request, form, values)
    return _accepted(request, rows)


def _first_page(request: HttpRequest) -> HttpResponse:
    """Show the form, filled in from `?again=<id>` with what fal refused of it; a foreign one is a 404."""
    problems: list[InputProblem] = []
    preset = None
    if again_id := request.GET.get("again"):
        row = get_actable_or_404(request, again_id, may_be_hidden=False)
        values, problems = values_of(row), fal_problems(row)
    elif preset_id := _uuid_or_none(request.GET.get("preset")):
        preset = get_preset_or_404(request, preset_id)
        values = values_of_preset(preset)
    else:
        values = first_values(request.GET.get("endpoint", ""))
    form = SubmitForm(initial={**values, "token": new_token()})
    form.problems = problems
    return form_page(request, form, preset=preset)


def _stored(request: HttpRequest, public_id: Any) -> FalRequest | None:
    """Return the team's request whose stored input is sent again. Raises Hidden."""
    found = _uuid_or_none(public_id)
    if not found:
        return None
    sees_required(request)
    return FalRequest.objects.filter(team=team_of(request), public_id=found).first()


def _create_once(request: HttpRequest, form: SubmitForm) -> list[FalRequest]:
    """One request; or one for each seed, all in one transaction."""
    return lifecycle.create_several_once(
        [draft for _, draft in form.seed_runs] or [form.draft],
        team=team_of(request),
        person=person_of(request),
        now=timezone.now(),
        key=_key(request, form.cleaned_data["token"]),
        body_digest=form.digest(),
        again_of=_again_of(request, form.cleaned_data.get("again_of")),
        guard=not form.cleaned_data["allow_duplicate"],
    )


def _key(request: HttpRequest, token: str) -> str:
    """Namespace idempotency keys so that form keys and API keys cannot collide."""
    return f"form:{request.user.pk}:{token}"


def _again_of(request: HttpRequest, public_id: UUID | None) -> FalRequest | None:
    """Return the request that this one repeats, if it is in the same team."""
    if public_id is None:
        return None
    row = FalRequest.objects.without_payload().filter(team=team_of(request), public_id=public_id)
    return row.first()


def form_page(
    request: HttpRequest,
    form: SubmitForm,
    status: int = 200,
    *,
    preset: Preset | None = None,
    **more: Any,
) -> HttpResponse:
    """Render the whole page with this form; `more` is context of what filled it in."""
    large = _glimpse(_stored(request, form["input_of"].value()))
    endpoint_id = str(form["endpoint_id"].value() or "").strip()
    context = {
        "form": form,
        "suggestions": suggestions(team_of(request)),
        "offered": offered(team_of(request).pk),
        "large": large,
        "preset": preset,
        "variables": kinds_of_variables(preset) if preset else {},
        "repeats": _again_of(request, _uuid_or_none(form["again_of"].value())),
        # A large input is not in the page, so a form could not show it.
        "schema": None if large else known_fields(request, endpoint_id),
        **runs_of(membership_of(request), endpoint_id),
        "run_url": settings.FAL_RUN_URL,
        "queue_url": settings.FAL_QUEUE_URL,
        **more,
    }
    return render(request, "form/new.html", context, status=status)


def _glimpse(row: FalRequest | None) -> dict[str, Any] | None:
    """Return what the form shows of an input that is too large for it."""
    if row is None:
        return None
    text = row.input_text
    return {"row": row, "size": len(text.encode()), "beginning": text[:GLIMPSE]}


def _uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _refused(
    request: HttpRequest, form: SubmitForm, values: QueryDict, *, status: int = 422
) -> HttpResponse:
    """Answer 422 with the errors. With JavaScript only the errors are sent, so what was typed
    stays.
    """
    values["token"] = new_token()
    if request.headers.get("HX-Request"):
        return render(request, "form/_form_state.html", {"form": form}, status=status)
    return form_page(request, form, status=status)


def _too_many_open(request: HttpRequest, error: TooManyOpen) -> HttpResponse:
    """Answer 429: a script gets the sentence alone, and its page keeps what was typed."""
    reply = error_page(request, 429, "Too many open requests", str(error))
    reply["Retry-After"] = error.retry_after
    return reply


def _accepted(request: HttpRequest, rows: list[FalRequest]) -> HttpResponse:
    several = compare_url(rows, team=team_in_links(request)) if len(rows) > 1 else ""
    if not request.headers.get("HX-Request"):
        if len(rows) > MOST:
            messages.info(
                request, f"{len(rows)} were submitted. Compare takes up to {MOST}: the first."
            )
        return redirect(several) if several else redirect("requests:detail", rows[0].public_id)
    form = SubmitForm(initial={"token": new_token()})
    response = render(request, "form/_form_state.html", {"form": form})
    news: dict[str, Any] = {"id": str(rows[0].public_id)}
    if several:
        news |= {"ids": [str(row.public_id) for row in rows], "compare": several}
    return _trigger(response, {"request:created": news})


# --- Act on a request --------------------------------------------------------------------------
@login_required
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for the cancel. fal's answer arrives later, as an observation."""
    row = get_actable_or_404(request, public_id)
    answer = lifecycle.ask_cancel(row.pk, person=person_of(request), now=timezone.now())
    is_direct = answer == "asked" and row.mode != Mode.QUEUE
    return _done(request, row, _HANGING_UP if is_direct else _CANCEL_WORDS[answer])


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def give_up(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """End an uncertain request as failed by the user's decision. A GET asks for confirmation."""
    row = get_actable_or_404(request, public_id)
    if request.method != "POST":
        return render(request, "request/give_up.html", {"row": row})
    if lifecycle.give_up(row.pk, person=person_of(request), now=timezone.now()):
        return _done(
            request, row, "Given up: it ended here as failed. Whether fal ran it is unknown."
        )
    return _done(request, row, "It is no longer uncertain; nothing was changed.")


@login_required
@require_POST
def again(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Submit the same input again. Without an idempotency key the filled-in form is shown instead."""
    source = get_actable_or_404(request, public_id)
    token = request.POST.get("token", "")
    # An input that retention has deleted must not be sent as an empty one.
    if not 16 <= len(token) <= 64 or source.payload_removed_at is not None:
        return redirect(f"{reverse('requests:new')}?again={source.public_id}")
    try:
        row = _repeat(request, FalRequest.objects.get(pk=source.pk), token)  # with its input
    # the rules are stricter now, or the key belongs to another request
    except (InvalidDraft, KeyReused):
        return redirect(f"{reverse('requests:new')}?again={source.public_id}")
    except TooManyOpen as error:
        return _too_many_open(request, error)
    target = reverse("requests:detail", args=[row.public_id])
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _repeat(request: HttpRequest, source: FalRequest, token: str) -> FalRequest:
    draft = parse_draft(
        endpoint_id=source.endpoint_id,
        mode=source.mode,
        input=source.input_text,
        options=source.options,
    )
    row, _ = lifecycle.create_once(
        draft,
        team=source.team,
        person=person_of(request),
        now=timezone.now(),
        key=_key(request, token),
        body_digest=str(source.public_id),
        again_of=source,
    )
    return row


def _done(request: HttpRequest, row: FalRequest, words: str) -> HttpResponse:
    """Report what was done: as a toast, or as a message on the page the user came from."""
    if request.headers.get("HX-Request"):
        news = {"toast": {"text": words}, "request:acted": {"id": str(row.public_id)}}
        return _trigger(HttpResponse(status=204), news)
    messages.info(request, words)
    return redirect(local_address(request, request.POST.get("next")) or row_url(row))


def row_url(row: FalRequest) -> str:
    """Return the address of a request's page."""
    return reverse("requests:detail", args=[row.public_id])


def _trigger(response: HttpResponse, events: dict[str, Any]) -> HttpResponse:
    response["HX-Trigger"] = json.dumps(events)
    return response


# --- Team --------------------------------------------------------------------------------------
@teamless
@login_required
@require_POST
def switch_team(request: HttpRequest) -> HttpResponse:
    """Choose another of the user's teams; a foreign one does not exist."""
    chosen = request.POST.get("team", "")
    # isdecimal alone accepts numbers that no database column holds
    if not (chosen.isdecimal() and len(chosen) < 18):
        raise Http404
    # One that holds the user back too: its pages lead to a second factor.
    mine = in_team([*memberships(request), *held_back(request)], int(chosen))
    if mine is None:
        raise Http404
    choose(request.session, mine.team_id)
    return redirect(local_address(request, request.POST.get("next")) or "requests:list")


def local_address(request: HttpRequest, target: str | None) -> str | None:
    """Return the address if it is on this site; forms name one to come back to."""
    ours = target and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if ours else None
