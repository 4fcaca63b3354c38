"""Presets: the team's page of them, the menu of the request form, and what is done to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from requests_app.catalogue import store
from requests_app.catalogue.fields import Field, walk
from requests_app.catalogue.kinds import Kind
from requests_app.forms.preset import NameForm, PresetForm
from requests_app.models import HIDDEN, Preset, PresetVersion
from requests_app.presets import fitting, saving
from requests_app.presets.template import InvalidTemplate, Template
from requests_app.views.access import (
    member_required,
    membership_of,
    person_of,
    sees_required,
    team_of,
    team_required,
)

MOST_LISTED = 500


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def presets(request: HttpRequest) -> HttpResponse:
    """List the team's presets, by endpoint. POST saves what the request form holds under a name."""
    if request.method != "POST":
        found = _marked(request, shelf_of(request).order_by("endpoint_id", "name")[:MOST_LISTED])
        context = {"presets": found, "hidden": _hidden(request)}
        return render(request, "presets/presets.html", context)
    if not membership_of(request).may_submit:
        raise PermissionDenied
    sees_required(
        request
    )  # saving what is saved already makes no version: it would tell that it is the same
    return _save(request)


def _save(request: HttpRequest) -> HttpResponse:
    form = PresetForm(request.POST)
    sentences = [] if form.is_valid() else form.sentences
    preset = None
    if not sentences:
        draft = form.draft
        try:
            preset, _ = saving.save(
                team=team_of(request), person=person_of(request), now=timezone.now(),
                name=form.cleaned_data["name"], endpoint_id=draft.endpoint_id,
                text=draft.input_text, mode=draft.mode, options=draft.options,
            )  # fmt: skip
        except saving.PresetRefused as refused:
            sentences = [str(refused)]
    context = menu_of(request, request.POST.get("endpoint_id", ""))
    context |= {"sentences": sentences, "name": request.POST.get("name", "")[:80], "saved": preset}
    return render(request, "presets/_menu_list.html", context, status=422 if sentences else 200)


@team_required
@require_safe
def preset_menu(request: HttpRequest) -> HttpResponse:
    """Return the presets of `?endpoint_id=` for the request form's menu."""
    context = menu_of(request, request.GET.get("endpoint_id", ""))
    return render(request, "presets/_menu_list.html", context)


def menu_of(request: HttpRequest, endpoint_id: str) -> dict[str, Any]:
    """Return what the menu shows."""
    endpoint_id = endpoint_id.strip()[:300].replace("\0", "")
    found = shelf_of(request).filter(endpoint_id=endpoint_id)[: saving.MOST_PRESETS]
    return {
        "presets": _marked(request, found),
        "hidden": _hidden(request),
        "endpoint": endpoint_id,
        "may_submit": membership_of(request).may_submit,
    }


@team_required
@require_safe
def preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Show a preset, or its version `?version=N`; to those who may not see inputs who saved it, and when."""
    [found] = _marked(request, [_named_or_404(request, preset_id)])
    hidden = _hidden(request)
    versions = list(found.versions.select_related("saved_by").defer("text"))
    shown = _version(found, request.GET.get("version"))
    if shown and hidden:
        shown.text, shown.options = "", {}
    context = {
        "preset": found,
        "shown": shown or found,
        "is_earlier": shown is not None,
        "versions": versions,
        "hidden": hidden,
        "variables": () if hidden else variables_of((shown or found).text),
    }
    return render(request, "presets/preset.html", context)


def _version(preset: Preset, number: str | None) -> PresetVersion | None:
    """Return the earlier version of this number; None for the present one. Raises Http404."""
    if not number or number == str(preset.version):
        return None
    if not (number.isdecimal() and len(number) < 10):
        raise Http404
    return get_object_or_404(preset.versions.select_related("saved_by"), number=int(number))


def variables_of(text: str) -> tuple[str, ...]:
    """The variables of a stored input."""
    try:
        return Template(text).names
    except InvalidTemplate:  # saved before a rule became stricter
        return ()


def kinds_of_variables(preset: Preset) -> dict[str, bool]:
    """The variables, and whether each stands where the endpoint takes text: there 42 is not a number."""
    entry = store.look_up(preset.endpoint_id, preset.team)
    fields = walk(entry.known.fields) if entry and entry.known else ()
    texts = {field.path for field in fields if _takes_text(field)}
    try:
        template = Template(preset.text)
    except InvalidTemplate:
        return {}
    places = {whole.name: whole.path for whole in template.wholes}
    return {name: places.get(name) in texts for name in template.names}


def _takes_text(field: Field) -> bool:
    if field.kind is Kind.CHOICE:
        return any(isinstance(choice, str) for choice in field.choices)
    return field.is_media or field.kind in (Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE_OR_TEXT)


@member_required
@require_POST
def rename_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Give it another name."""
    found = _named_or_404(request, preset_id)
    form = NameForm(request.POST)
    try:
        if form.is_valid():
            saving.rename(found, form.cleaned_data["name"])
            messages.success(request, "Renamed.")
        else:
            messages.error(request, " ".join(map(str, form.errors["name"])))
    except saving.PresetRefused as refused:
        messages.error(request, str(refused))
    return _to(request, "requests:preset", found.public_id)


@member_required
@require_POST
def restore_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Make an earlier version the newest again."""
    found = _named_or_404(request, preset_id)
    if (version := _version(found, request.POST.get("version"))) is not None:
        if not saving.restore(found, version, person=person_of(request), now=timezone.now()):
            raise Http404
        messages.success(request, f"Version {version.number} is the newest again.")
    return _to(request, "requests:preset", found.public_id)


@member_required
@require_POST
def delete_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Delete it with its versions."""
    found = _named_or_404(request, preset_id)
    saving.delete(found)
    messages.success(request, f"Deleted “{found.name}”.")
    return _to(request, "requests:presets")


def _hidden(request: HttpRequest) -> str:
    """Return the sentence that stands in place of a preset's input; empty for those who may see it."""
    return "" if membership_of(request).sees else HIDDEN


def _marked(request: HttpRequest, found: Iterable[Preset]) -> list[Preset]:
    """Say of each what its endpoint no longer takes, which tells of the input."""
    return list(found) if _hidden(request) else fitting.marked(team_of(request), found)


def shelf_of(request: HttpRequest) -> QuerySet[Preset]:
    """Return the presets of the page's team, without their texts."""
    mine = Preset.objects.inputs().filter(team=team_of(request))
    return mine.select_related("saved_by").defer("text")


def get_preset_or_404(request: HttpRequest, preset_id: UUID) -> Preset:
    """Return the team's preset with its input; a foreign one does not exist. Raises Hidden."""
    sees_required(request)
    return _named_or_404(request, preset_id)


def _named_or_404(request: HttpRequest, preset_id: UUID) -> Preset:
    """Return the team's preset; without its input for those who may not see it. Never save it."""
    mine = Preset.objects.inputs().filter(team=team_of(request)).select_related("saved_by")
    found = get_object_or_404(mine, public_id=preset_id)
    if _hidden(request):
        found.text, found.options = "", {}
    return found


def _to(request: HttpRequest, name: str, *args: Any) -> HttpResponse:
    """Lead to a page in the same team."""
    return redirect(f"{reverse(name, args=args)}?team={team_of(request).pk}")
