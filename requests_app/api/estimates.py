"""What a submit would cost, asked before it: a dry run, and a confirmation that is good for that submit alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.core import signing
from django.utils import timezone
from ninja import Header, Router, Schema
from pydantic import Field

from requests_app.api.accepted import NewRequest, draft_of
from requests_app.api.auth import ACTS_ON_ROWS, ApiRequest
from requests_app.api.body import digest_of
from requests_app.api.endpoints import PriceOut, ValidationOut, judged, price_facts
from requests_app.api.errors import BadHeader
from requests_app.fal.endpoints import EndpointId
from requests_app.models import ApiToken

router = Router(tags=["requests"])

KEPT = timedelta(minutes=10)
_SALT = "requests_app.api.estimates"

Confirmation = Annotated[
    str | None,
    Header(
        alias="Confirmation",
        description="what `POST estimate/` answered with, of the same token and body",
    ),
]


class EstimateOut(Schema):
    """Nothing was submitted. `confirmation` goes into the header of that name, until `expires_at`."""

    endpoint_id: str
    price: PriceOut
    input: ValidationOut
    confirmation: str = Field(description="Good for a submit with this token and this body alone.")
    expires_at: datetime


@router.post(
    "estimate/",
    auth=ACTS_ON_ROWS,
    response={
        200: EstimateOut,
    },
    summary="Estimate a request",
)  # fmt: skip
def estimate(request: ApiRequest, payload: NewRequest) -> dict[str, Any]:
    """A dry run of a submit: take the same body, check it, and tell the price. Nothing is sent to the endpoint."""
    draft = draft_of(request, payload)
    endpoint = EndpointId.parse(draft.endpoint_id)
    return {
        "endpoint_id": draft.endpoint_id,
        "price": price_facts(endpoint, request.auth.team_id),
        "input": judged(endpoint, request.auth.team, payload.input),
        "confirmation": signing.dumps(_bound_to(request.auth, payload), salt=_SALT),
        "expires_at": timezone.now() + KEPT,
    }


def ensure_confirmed(token: ApiToken, payload: NewRequest, confirmation: str) -> None:
    """Raise BadHeader unless the confirmation was given to this token for this body."""
    sentence = (
        "This was not given for this token and body, or has expired: ask for an estimate again."
    )
    try:
        bound_to = signing.loads(confirmation, salt=_SALT, max_age=KEPT)
    except signing.BadSignature:
        raise BadHeader("Confirmation", sentence) from None
    if bound_to != _bound_to(token, payload):
        raise BadHeader("Confirmation", sentence)


def _bound_to(token: ApiToken, payload: NewRequest) -> list[Any]:
    # A caller that was answered 409 may repeat the call with it.
    return [token.pk, digest_of(payload.model_dump(exclude={"allow_duplicate"}))]
