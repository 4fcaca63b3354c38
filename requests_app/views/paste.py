"""A pasted call fills in the form for a new request. Nothing of the text is stored, logged or shown again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from requests_app.forms.paste import Addresses, NotUnderstood, PastedCall, form_values, read
from requests_app.forms.submit import SubmitForm, editable, new_token
from requests_app.views.access import member_required
from requests_app.views.actions import form_page
from requests_app.views.team_guard import PASTED


@sensitive_post_parameters(PASTED)
@member_required
@require_POST
def paste(request: HttpRequest) -> HttpResponse:
    """Show the form, filled in; 422 with a sentence. A script asks first, and gets 204 or the sentence."""
    addresses = Addresses(run=settings.FAL_RUN_URL, queue=settings.FAL_QUEUE_URL)
    try:
        call = read(request.POST.get(PASTED, ""), addresses)
    except NotUnderstood as refused:
        return _refused(request, str(refused))
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return form_page(request, _filled_in(call), pasted=call)


def _filled_in(call: PastedCall) -> SubmitForm:
    values: dict[str, Any] = form_values(call)
    if "input" in values:
        values["input"] = editable(values["input"])
    return SubmitForm(initial={**values, "token": new_token()})


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(sentence, status=422, content_type="text/plain; charset=utf-8")
    form = SubmitForm(initial={"token": new_token()})
    return form_page(request, form, status=422, paste_problem=sentence)
