"""The media of a request's output, and our copies of them: paths under /api/v1/requests/."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Field, Router, Schema

from requests_app.api import rows
from requests_app.api.auth import READS, ApiRequest
from requests_app.api.errors import NotNow
from requests_app.api.schemas import ANY_BYTES, replies_with
from requests_app.copies.address import expires_at
from requests_app.copies.sending import AskedBytes, copy_response, kept_copy
from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import find_media
from requests_app.display.output_media import SHOWN
from requests_app.export.outputs import beginning_of_output
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.models import CopyState, FalRequest, MediaCopy

router = Router(tags=["requests"])
MOST_NUMBER = 2**15 - 1


class MediumOut(Schema):
    """A file that an output names by its address."""

    number: int
    path: str = Field(description="Its place in the output.")
    kind: Literal["image", "video", "audio", "file"]
    name: str
    content_type: str
    url: str = Field(description="Its address at fal.")
    expires_at: datetime | None = Field(description="When fal deletes it; null: not, or not known.")
    copy_state: CopyState | None = Field(description="null: no copy is wanted.")
    problem: str
    copy_url: str | None = Field(description="Where the copy is, with the same token, once kept.")
    size: int | None = Field(description="Of the copy, in bytes.")
    sha256: str | None
    kept_at: datetime | None


class MediaOut(Schema):
    """All media of a request, in the output's order."""

    items: list[MediumOut]


@router.get(
    "{id}/media/",
    auth=READS,
    response={200: MediaOut},
    summary="List the media of a request",
)
def list_media(request: ApiRequest, id: str) -> dict[str, Any]:
    """The files that the output names, each with what became of the team's own copy."""
    row = rows.get_or_404(request.auth, id)
    copies = MediaCopy.objects.filter(request=row).select_related("file")
    by_url = {copy.url: copy for copy in copies}
    found = [one for one in _found(row) if one.is_remote]
    items = [
        _told(request, row, number, vars(medium), by_url.get(medium.url))
        for number, medium in enumerate(found, 1)
    ]
    return {"items": items}


def _found(row: FalRequest) -> Any:
    body = beginning_of_output(row.pk)
    try:
        value = parse_json(body) if 0 < len(body) <= PARSE_LIMIT else None
    except (NotJson, RecursionError):
        return []
    return find_media(value, settings.FAL_MEDIA_HOSTS)


def _told(
    request: ApiRequest, row: FalRequest, number: int, facts: dict[str, Any], copy: MediaCopy | None
) -> dict[str, Any]:
    is_kept = copy is not None and copy.state == CopyState.KEPT
    file = copy.file if copy and is_kept else None
    path = reverse("api:kept_medium", args=[row.public_id, copy.number if copy else number])
    return {
        **{name: facts[name] for name in ("path", "kind", "name", "content_type", "url")},
        "number": number,
        "expires_at": expires_at(row),
        "copy_state": copy.state if copy else None,
        "problem": copy.problem if copy else "",
        "copy_url": request.build_absolute_uri(path) if is_kept else None,
        "size": file.size if file else None,
        "sha256": file.sha256 if file else None,
        "kept_at": file.stored_at if file else None,
    }


@router.get(
    "{id}/media/{number}/",
    auth=READS,
    response={200: None, 206: None, 304: None, 416: None},
    openapi_extra=replies_with(ANY_BYTES, *sorted(SHOWN), codes=(200, 206)),
    url_name="kept_medium",
    summary="Read a kept medium",
)
def read_medium(request: ApiRequest, id: str, number: int) -> HttpResponseBase:
    """The bytes of the team's own copy, also a `Range` of them; 404 when there is none."""
    row = rows.get_or_404(request.auth, id)
    copy = kept_copy(row, number) if 0 < number <= MOST_NUMBER else None
    asked = AskedBytes.of(request.headers)
    response = copy_response(row, copy, asked) if copy else None
    if response is None:
        raise Http404
    if response.status_code == 503 and isinstance(response, HttpResponse):
        raise NotNow(response.text.strip())
    return response
