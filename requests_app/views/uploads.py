"""Start an upload from a page. The browser then sends the bytes to fal's storage itself."""

from __future__ import annotations

import math

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from requests_app.forms.upload import UploadForm
from requests_app.uploads import starting
from requests_app.uploads.starting import NotStarted
from requests_app.views.access import member_required, membership_of


@member_required
@require_POST
def uploads(request: HttpRequest) -> HttpResponse:
    """Return `{upload_url, file_url, content_type, part_size}`; `part_size` 0: one PUT. Errors have a `detail`."""
    form = UploadForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"detail": form.sentence}, status=422)
    file = form.cleaned_data
    try:
        who = {"team_id": membership_of(request).team_id, "user_id": request.user.pk}
        started = starting.start(**who, **file)  # type: ignore[arg-type]
    except NotStarted as error:
        reply = JsonResponse({"detail": str(error)}, status=error.status)
        if error.retry_after_s:
            reply["Retry-After"] = str(math.ceil(error.retry_after_s))
        return reply
    return JsonResponse({
        "upload_url": started.upload.upload_url,
        "file_url": started.upload.file_url,
        "content_type": file["content_type"],
        "part_size": started.part_size,
    })  # fmt: skip
