"""The audit trail of a team, for its owners and admins: a page, and the same as a file."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app import audit
from requests_app.audit.reading import page, records
from requests_app.export.audit_trail import FORMATS
from requests_app.export.streaming import download
from requests_app.forms.audit import AuditForm, actors
from requests_app.models import HIDDEN, AuditEntry, AuditSeal
from requests_app.search import told_search
from requests_app.views.access import membership_of, team_of, team_required

WITHHELD = "a search whose words are hidden from you"


@team_required
@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    """Show entries, newest first: GET /settings/audit/?kind=&by=&on=&since=&until=&before=<id>."""
    form, rows = _asked(request)
    before = request.GET.get("before", "")
    entries, older = page(rows, int(before) if _is_key(before) else None)
    team, sees = team_of(request), membership_of(request).sees
    for entry in entries if not sees else ():
        _conceal(entry)
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "form": form,
        "entries": [(entry, _facts(entry)) for entry in entries],
        "is_filtered": any(form.cleaned_data.values()) or bool(form.errors),
        "is_first": not before,
        "newest_query": query.urlencode(),
        "older_query": _with(query, "before", older) if older else "",
        "actors": actors(team),
        "hidden": "" if sees else HIDDEN,
        "head": AuditSeal.objects.filter(chain=team.pk).order_by("-number").first(),
    }
    return render(request, "teams/audit.html", context, status=422 if form.errors else 200)


@team_required
@require_safe
def export_audit(request: HttpRequest) -> Any:
    """Download the same entries, all of them: `&format=csv` or `jsonl`."""
    form, rows = _asked(request)
    format = request.GET.get("format", "csv")
    if format not in FORMATS or form.errors:
        raise Http404
    audit.note_export("audit", "the audit trail", format, team_id=team_of(request).pk)
    name = f"audit-{timezone.now():%Y-%m-%d}"
    conceal = None if membership_of(request).sees else _conceal
    return download(FORMATS[format](records(rows, conceal)), name=name, format=format)


def _asked(request: HttpRequest) -> tuple[AuditForm, QuerySet[AuditEntry]]:
    if not membership_of(request).may_manage:
        raise PermissionDenied("Only owners and admins see the team's audit trail.")
    form = AuditForm(request.GET)
    form.is_valid()
    return form, form.wanted().of(team_of(request).pk)


def _conceal(entry: AuditEntry) -> None:
    """Take out searches whose words may be of inputs. Never save such an entry: its seal is of the whole one."""
    if entry.kind == "requests" and told_search(entry.label, sees=False) is None:
        entry.label = WITHHELD
    details = json.loads(entry.details) if entry.details else {}
    if told_search(str(details.get("search") or ""), sees=False) is None:
        entry.details = json.dumps(details | {"search": WITHHELD})


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _with(query: Any, name: str, value: object) -> str:
    other = query.copy()
    other[name] = str(value)
    text: str = other.urlencode()
    return text


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return the entry's details as words for the page."""
    told = json.loads(entry.details) if entry.details else {}
    in_order = sorted(told.items(), key=lambda item: item[0] == "after")  # after the one before
    return [(name.replace("_", " "), _word(value)) for name, value in in_order]


def _word(value: object) -> str:
    if value is None or value == "":
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
