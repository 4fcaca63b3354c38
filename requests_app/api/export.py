"""Downloads for programs: the path /api/v1/export/."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema
from ninja.errors import AuthorizationError
from pydantic import ConfigDict, Field

from requests_app import audit, search
from requests_app.api.accepted import NoNulText
from requests_app.api.auth import READS_ROWS, ApiRequest
from requests_app.api.rows import matching
from requests_app.api.schemas import replies_with
from requests_app.export.filtered import WITHOUT_PAYLOADS, export_response
from requests_app.export.streaming import TYPES
from requests_app.models import HIDDEN

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
    auth=READS_ROWS,
    response={200: None},
    openapi_extra=replies_with(*TYPES.values()),
    summary="Download requests",
)
def export(request: ApiRequest, filters: Query[Chosen]) -> HttpResponseBase:
    """All requests that match, newest first, with inputs and outputs, streamed: JSON Lines digit for digit, a
    CSV for spreadsheets, or a zip with each output as a file. A member who may not see inputs and outputs gets the
    first two without them.
    """
    token = request.auth
    if not token.sees and filters.format not in WITHOUT_PAYLOADS:
        raise AuthorizationError(message=HIDDEN)
    audit.note_export("requests", filters.q, filters.format, team_id=token.team_id)
    found = matching(token, filters.q).rows.shown_to(sees=token.sees)
    return export_response(found, filters.format)
