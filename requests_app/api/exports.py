"""Exports in the background, for programs: the paths under /api/v1/exports/."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Router, Schema, Status
from ninja.errors import AuthorizationError, HttpError
from pydantic import ConfigDict, Field

from requests_app import audit, search
from requests_app.api.accepted import NoNulText
from requests_app.api.auth import ACTS_ON_ROWS, READS_ROWS, ApiRequest
from requests_app.api.bulk_schemas import WITHHELD
from requests_app.api.idempotency import IdempotencyKey, ensure_key
from requests_app.api.rows import matching
from requests_app.api.schemas import Problem, replies_with
from requests_app.export import job_files
from requests_app.export.jobs import ExportRefused, ask_export, delete, stop
from requests_app.export.streaming import TYPES, download
from requests_app.models import HIDDEN, ApiToken, Export, ExportFormat

router = Router(tags=["exports"])
MOST_LISTED = 50


class NewExport(Schema):
    """Which requests, and how they are written."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        NoNulText,
        Field(max_length=search.MAX_LENGTH, description="as in the search box of the list"),
    ] = ""
    format: Literal["csv", "jsonl", "zip"] = "jsonl"


class ExportOut(Schema):
    """An export; `left_s`: seconds at the present rate, or null. `expires_at`: until when `file/` answers.
    `without_payloads`: its rows have no inputs and outputs; other files are closed to members who may not see them.
    """

    id: UUID
    search: Annotated[str | None, Field(description=WITHHELD)]
    format: ExportFormat
    without_payloads: bool
    person: str
    state: Literal["running", "finished", "stopped", "failed", "gone"]
    note: str
    total: int
    done: int
    size: int
    left_s: float | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None

    @staticmethod
    def resolve_id(export: Export) -> UUID:
        return export.public_id

    @staticmethod
    def resolve_search(export: Export, context: dict[str, Any]) -> str | None:
        return search.told_search(export.search, sees=context["request"].auth.sees)

    @staticmethod
    def resolve_person(export: Export) -> str:
        return export.person.get_username()

    @staticmethod
    def resolve_left_s(export: Export) -> float | None:
        return export.left.total_seconds() if export.left else None


@router.post(
    "",
    auth=ACTS_ON_ROWS,
    response={201: ExportOut, 409: Problem},
    summary="Export in the background",
)
def create_export(
    request: ApiRequest, payload: NewExport, idempotency_key: IdempotencyKey = None
) -> Status[Export]:
    """Have a worker write all requests that match to a file, which `file/` gives until `expires_at`.

    With an `Idempotency-Key` the call may be repeated: the same key is the same export.
    """
    token = f"page-{secrets.token_hex(16)}"
    if idempotency_key is not None:
        ensure_key(idempotency_key)
        token = f"key-{hashlib.sha256(idempotency_key.encode()).hexdigest()[:48]}"
    asked = str(matching(request.auth, payload.q).search)
    try:
        export = ask_export(
            team=request.auth.team,
            person=request.auth.user,
            search=asked,
            format=payload.format,
            token=token,
            sees=request.auth.sees,
            now=timezone.now(),
        )
    except ExportRefused as error:
        raise HttpError(409, str(error)) from None
    return Status(201, export)


@router.get("", auth=READS_ROWS, response={200: list[ExportOut]}, summary="List exports")
def list_exports(request: ApiRequest) -> list[Export]:
    """The team's newest exports."""
    return list(_mine(request.auth).order_by("-id")[:MOST_LISTED])


@router.get("{id}/", auth=READS_ROWS, response={200: ExportOut}, summary="Read an export")
def read_export(request: ApiRequest, id: str) -> Export:
    """How far it is."""
    return get_or_404(request.auth, id)


@router.get(
    "{id}/file/",
    auth=READS_ROWS,
    response={200: None, 410: Problem},
    openapi_extra=replies_with(*TYPES.values()),
    summary="Download an export",
)
def read_file(request: ApiRequest, id: str) -> HttpResponseBase:
    """The file; 410 while it is not there yet, and when it is gone."""
    export = get_or_404(request.auth, id)
    if not (request.auth.sees or export.without_payloads):
        raise AuthorizationError(message=HIDDEN)
    if not export.is_open(timezone.now()) or not job_files.place(export.public_id).is_file():
        raise HttpError(410, export.note or f"There is no file: the export is {export.state}.")
    audit.note_export("requests", export.search, export.format, team_id=export.team_id)
    response = download(
        job_files.pieces(export.public_id), name=str(export.public_id), format=export.format
    )
    response["Content-Length"] = str(export.size)
    return response


@router.delete(
    "{id}/",
    auth=ACTS_ON_ROWS,
    response={200: ExportOut},
    summary="Stop or delete an export",
)
def delete_export(request: ApiRequest, id: str) -> Export:
    """Stop it while it is written; delete its file when it is finished."""
    export = get_or_404(request.auth, id)
    if not stop(export, now=timezone.now()):
        delete(export)
    return get_or_404(request.auth, id)


def get_or_404(token: ApiToken, export_id: str) -> Export:
    """Return the team's export; a foreign, an unknown and a malformed id raise the same Http404."""
    try:
        return _mine(token).get(public_id=UUID(export_id))
    except (ValueError, Export.DoesNotExist):
        raise Http404 from None


def _mine(token: ApiToken) -> QuerySet[Export]:
    return Export.objects.filter(team=token.team_id).select_related("person")
