"""The fal keys of a team: owners and admins add, test, replace and remove them; no page shows one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from requests_app.forms.fal_key import FalKeyForm, SecretForm
from requests_app.keys import check, keeping, key_of
from requests_app.models import FalKey
from requests_app.views.access import membership_of, person_of, team_of
from requests_app.views.settings import manages, page


@sensitive_post_parameters("secret")
@manages
def add_fal_key(request: HttpRequest) -> HttpResponse:
    """Store another key for the team."""
    form = FalKeyForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            keeping.add(
                team_of(request), name=typed["key_name"], pattern=typed["pattern"],
                secret=typed["secret"], by=person_of(request), now=timezone.now(),
            )  # fmt: skip
        except keeping.KeyRefused as refused:
            form.add_error("key_name" if refused.field == "name" else refused.field, str(refused))
        else:
            return _said(request, "The key is kept. Test it before you rely on it.")
    return page(request, status=422, fal_key_form=form)


@sensitive_post_parameters("secret")
@manages
def replace_fal_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a key another secret; requests that were sent with it are followed with the new one."""
    form = SecretForm(request.POST)
    if not form.is_valid():
        messages.error(request, "No key was given: nothing has changed.")
        return redirect("requests:settings")
    try:
        if not keeping.replace(
            team_of(request), pk, form.cleaned_data["secret"], now=timezone.now()
        ):
            raise Http404
    except keeping.KeyRefused as refused:
        messages.error(request, f"{refused} Nothing has changed.")
        return redirect("requests:settings")
    return _said(request, "The key is replaced.")


@manages
def remove_fal_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a key."""
    if not keeping.remove(team_of(request), pk, now=timezone.now()):
        raise Http404
    return _said(request, "The key is removed.")


@manages
def test_fal_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask fal what the key may do, and show the answers."""
    row = FalKey.objects.filter(team=membership_of(request).team, pk=pk, removed_at=None).first()
    if row is None:
        raise Http404
    findings = check.check(key_of(row.pk), row.pattern)
    objection = next((one.why for one in findings if one.why), "")
    keeping.note(row.pk, objection)
    if not objection:
        keeping.clear_error(row.pk)
    return page(request, tested_key=row, findings=findings)


def _said(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("requests:settings")
