"""Import the file of a run, for programs: POST /api/v1/requests/import/."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from requests_app import lifecycle
from requests_app.api import rows
from requests_app.api.auth import SUBMITS, ApiRequest
from requests_app.api.schemas import RequestOut
from requests_app.api.unknown import takes_bytes
from requests_app.models import FalRequest
from requests_app.request_input import InvalidDraft
from requests_app.runfile.kept_media import keep_media
from requests_app.runfile.reading import read_run
from requests_app.runfile.zip_reading import NotARunFile

router = Router(tags=["requests"])

_ZIP = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {"file": _ZIP}, "required": ["file"]}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/zip": {"schema": _ZIP},
            "multipart/form-data": {"schema": _FORM},
        },
    }
}


@router.post(
    "import/",
    auth=SUBMITS,
    response={201: RequestOut, 200: RequestOut},
    openapi_extra=_BODY,
    summary="Import a run",
)
@takes_bytes
def import_run(request: ApiRequest) -> Status[FalRequest]:
    """Make an ended request of the file of a run: the zip that `GET {id}/run/` answers with, here or elsewhere.

    The body is the zip, or a form (`multipart/form-data`) with it as `file`. Nothing is sent to fal. The same
    run again is answered 200 with the request that is there already.
    """
    try:
        file = _file_of(request)
        run = read_run(file)
        row, is_new = lifecycle.import_run(
            run,
            team=request.auth.team,
            person=request.auth.user,
            now=timezone.now(),
        )
    except NotARunFile as error:
        raise InvalidDraft({"file": [str(error)]}) from None
    if is_new:
        keep_media(row, run, file, timezone.now())
    return Status(201 if is_new else 200, rows.of(request.auth).get(pk=row.pk))


def _file_of(request: HttpRequest) -> IO[bytes]:
    if request.content_type != "multipart/form-data":
        return BytesIO(request.body)
    file: Any = request.FILES.get("file")
    if file is None:
        raise NotARunFile("The form has no file of the name file.")
    return file  # type: ignore[no-any-return]
