"""Delete what is kept of one request: owners and admins, with a token that may manage."""

from __future__ import annotations

from django.utils import timezone
from ninja import Router, Status
from ninja.errors import AuthorizationError

from requests_app import lifecycle
from requests_app.api import rows
from requests_app.api.auth import MANAGES, ApiRequest
from requests_app.api.schemas import Problem, RequestOut
from requests_app.bulk.qualify import Act, why_not
from requests_app.models import BulkVerb, FalRequest, Membership

router = Router(tags=["requests"])


@router.delete(
    "{id}/payload/",
    auth=MANAGES,
    response={200: RequestOut, 409: Problem},
    summary="Delete input and output",
)
def delete_payload(request: ApiRequest, id: str) -> Status[FalRequest | dict[str, str]]:
    """Delete input, output, logs, events, media copies and thumbnails here, for good; the row stays with its times
    and status. Files at fal are not touched. 409: it has not ended, or they were removed before.
    """
    if not Membership(role=request.auth.role).may_manage:
        raise AuthorizationError(message="Owners and admins delete.")
    row = rows.get_or_404(request.auth, id)
    if why := why_not(row, Act(BulkVerb.PAYLOAD)):
        return Status(409, {"detail": why})
    lifecycle.delete_payload(row.pk, person=request.auth.user, now=timezone.now())
    return Status(200, rows.of(request.auth).get(pk=row.pk))
