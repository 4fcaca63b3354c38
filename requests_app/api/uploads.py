"""Uploads for programs: where to send a file, so that no key of fal is needed."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import ConfigDict, Field

from requests_app.api.accepted import NoNulText
from requests_app.api.auth import ACTS_ON_ROWS, ApiRequest
from requests_app.api.schemas import Problem
from requests_app.forms.upload import UploadForm
from requests_app.request_input import InvalidDraft
from requests_app.uploads import starting

router = Router(tags=["uploads"])


class NewUpload(Schema):
    """A file to send: its name, content type and size in bytes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "boat.png", "content_type": "image/png", "size": 48213}
        },
    )

    name: Annotated[NoNulText, Field(min_length=1, max_length=1000)]
    content_type: Annotated[NoNulText, Field(max_length=500)] = ""
    size: Annotated[int, Field(strict=True, ge=1, le=2**53)]


class UploadOut(Schema):
    """Where the bytes go; `file_url` is the input's value afterwards.

    `part_size` 0: `PUT upload_url` with the bytes and this `content_type`. Else parts of that many bytes:
    `PUT` each to the path of `upload_url` with `/1`, `/2`, … behind it and the same query, then `POST` to the path
    with `/complete`: `{"parts": [{"partNumber": 1, "etag": "…"}, …]}`. No header of authorization.
    """

    upload_url: str
    file_url: str
    content_type: str
    part_size: int


@router.post(
    "", auth=ACTS_ON_ROWS, response={200: UploadOut, 502: Problem}, summary="Start an upload"
)
def start(request: ApiRequest, payload: NewUpload) -> dict[str, Any]:
    """Ask fal where to send a file. Nothing is kept here."""
    form = UploadForm(payload.dict())
    if not form.is_valid():
        raise InvalidDraft({name: list(map(str, told)) for name, told in form.errors.items()})
    file = form.cleaned_data
    started = starting.start(team_id=request.auth.team_id, user_id=request.auth.user_id, **file)
    return {
        "upload_url": started.upload.upload_url,
        "file_url": started.upload.file_url,
        "content_type": file["content_type"],
        "part_size": started.part_size,
    }
