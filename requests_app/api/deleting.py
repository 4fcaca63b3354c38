"""Delete what is kept of one request: owners and admins, with a token that may manage."""

from __future__ import annotations

from typing import Annotated

from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.errors import AuthorizationError
from pydantic import ConfigDict, Field

from requests_app import lifecycle
from requests_app.api import rows
from requests_app.api.auth import MANAGES_ROWS, ApiRequest
from requests_app.api.schemas import Problem, RequestOut
from requests_app.bulk.qualify import Act, why_not
from requests_app.models import BulkVerb, FalRequest, Membership

router = Router(tags=["requests"])


class DeletionChoice(Schema):
    """What is deleted beside what is kept here."""

    model_config = ConfigDict(extra="forbid")

    at_fal: Annotated[bool, Field(description="also what fal keeps")] = False


@router.delete(
    "{id}/payload/",
    auth=MANAGES_ROWS,
    response={200: RequestOut, 409: Problem},
    summary="Delete input and output",
)
def delete_payload(
    request: ApiRequest, id: str, choice: Query[DeletionChoice]
) -> Status[FalRequest | dict[str, str]]:
    """Delete input, output, logs, events, sentences of errors, media copies and thumbnails here, for good; the row
    stays with its times and status. With `at_fal=true` fal is asked as well to delete what it keeps, for which the
    request's key needs the scope ADMIN; `fal_deletion` of the request has the answer, and the same call asks again
    after a refusal. 409: it has not ended, they were removed before, or fal cannot be asked.
    """
    if not Membership(role=request.auth.role).may_manage:
        raise AuthorizationError(message="Owners and admins delete.")
    row = rows.get_or_404(request.auth, id)
    at_fal, who, now = choice.at_fal, request.auth.user, timezone.now()
    if at_fal and (why := lifecycle.why_not_at_fal(row)):
        return Status(409, {"detail": f"fal cannot be asked: {why}"})
    is_asked = at_fal and lifecycle.delete_at_fal(row.pk, person=who, now=now)
    if not is_asked and (why := why_not(row, Act(BulkVerb.PAYLOAD))):
        return Status(409, {"detail": why})
    lifecycle.delete_payload(row.pk, person=who, now=now, at_fal=at_fal)
    return Status(200, rows.of(request.auth).get(pk=row.pk))
