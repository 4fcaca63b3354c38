"""Tags and the star of a request, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field, StrictStr

from requests_app import lifecycle
from requests_app.api import rows
from requests_app.api.auth import ACTS_ON_ROWS, ApiRequest
from requests_app.api.schemas import RequestOut
from requests_app.models import FalRequest
from requests_app.request_input import InvalidDraft
from requests_app.rules.tag_names import MOST_TAGS, BadTags, tag_key, tag_names

router = Router(tags=["requests"])

Names = Annotated[list[StrictStr], Field(max_length=MOST_TAGS)]


class TagChange(Schema):
    """Tags to put on and to take off; what it has, or has not, is no error."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"add": ["draft"]}})

    add: Names = []
    remove: Names = []


@router.post(
    "{id}/tags/",
    auth=ACTS_ON_ROWS,
    response={200: RequestOut},
    summary="Change a request's tags",
)
def change_tags(request: ApiRequest, id: str, payload: TagChange) -> FalRequest:
    """Take tags off, then put tags on; `own_tags` of the answer are all it has now.

    Case and width of letters make no difference, spaces become dashes. What fal was told as `tags` stays.
    """
    row = rows.get_or_404(request.auth, id)
    who: Any = {"person": request.auth.user, "now": timezone.now()}
    try:
        names = tag_names(payload.add)
        lifecycle.remove_tags(row.pk, list(map(tag_key, payload.remove)), **who)
        lifecycle.add_tags(row.pk, names, **who)
    except BadTags as error:
        raise InvalidDraft({"add": [str(error)]}) from None
    return rows.of(request.auth).get(pk=row.pk)


@router.put(
    "{id}/star/",
    auth=ACTS_ON_ROWS,
    response={200: RequestOut},
    summary="Star a request",
)
def star(request: ApiRequest, id: str) -> FalRequest:
    """For the token's user alone: `starred:yes` in a search finds it."""
    return _starred(request, id, is_on=True)


@router.delete(
    "{id}/star/",
    auth=ACTS_ON_ROWS,
    response={200: RequestOut},
    summary="Take the star off",
)
def unstar(request: ApiRequest, id: str) -> FalRequest:
    """A request without a star stays as it is."""
    return _starred(request, id, is_on=False)


def _starred(request: ApiRequest, id: str, *, is_on: bool) -> FalRequest:
    row = rows.get_or_404(request.auth, id)
    lifecycle.set_star(row.pk, person=request.auth.user, is_on=is_on)
    return rows.of(request.auth).get(pk=row.pk)
