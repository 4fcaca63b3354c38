"""Downloads for programs: the path /api/v1/export/."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from requests_app import audit, search
from requests_app.api.accepted import NoNulText
from requests_app.api.auth import READS, ApiRequest
from requests_app.api.rows import matching
from requests_app.api.schemas import replies_with
from requests_app.export.filtered import export_response
from requests_app.export.streaming import TYPES

router = Router(tags=["requests"])


class Chosen(Schema):
    """Which requests, and how they are written."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        NoNulText,
        Field(max_length=search.MAX_LENGTH, description="as in the search box of the list"),
    ] = ""
    format: Literal["csv", "jsonl", "zip"] = "jsonl"


@router.get(
    "",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with(*TYPES.values()),
    summary="Download requests",
)
def export(request: ApiRequest, filters: Query[Chosen]) -> HttpResponseBase:
    """All requests that match, newest first, with inputs and outputs, streamed: JSON Lines digit for digit, a
    CSV for spreadsheets, or a zip with each output as a file.
    """
    audit.note_export("requests", filters.q, filters.format, team_id=request.auth.team_id)
    return export_response(matching(request.auth, filters.q).rows, filters.format)
