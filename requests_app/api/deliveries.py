"""Webhook deliveries of a team, for programs: list them by verdict, read one with its body, settle one again."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from requests_app.api.auth import ACTS_ON_ROWS, READS_ROWS, ApiRequest
from requests_app.api.logs import LAST
from requests_app.api.schemas import DeliveryOut, Problem
from requests_app.models import Delivery
from requests_app.webhooks.again import settle_again, why_not
from requests_app.webhooks.deliveries import Verdict
from requests_app.webhooks.shelf import page

router = Router(tags=["deliveries"])


class DeliveryFilters(Schema):
    """Filters of the list, newest first."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict | None = None
    before: Annotated[int | None, Field(ge=1, le=LAST, description="a `next_before`")] = None


class DeliveryLine(DeliveryOut):
    """A delivery without its body. `why_not`: why it is not settled again; empty where it may be."""

    id: int
    request_id: Annotated[UUID, Field(description="the request's id here")]
    endpoint_id: str
    why_not: str


class DeliveryPage(Schema):
    """Fifty at most. `next_before` is null on the last page."""

    items: list[DeliveryLine]
    next_before: int | None


class DeliveryDetail(DeliveryLine):
    """With what came: its headers and the bytes that are kept, also as text where they are UTF-8."""

    headers: dict[str, str]
    body_base64: str
    body_text: str | None


@router.get("", auth=READS_ROWS, response={200: DeliveryPage}, summary="List deliveries")
def list_deliveries(request: ApiRequest, filters: Query[DeliveryFilters]) -> dict[str, Any]:
    """All POSTs to the addresses of the team's requests, newest first, with what was made of each."""
    found, older = page(request.auth.team_id, verdict=filters.verdict or "", before=filters.before)
    lines = [_line(request, one.delivery, one.why_not) for one in found]
    return {"items": lines, "next_before": older}


@router.get("{id}/", auth=READS_ROWS, response={200: DeliveryDetail}, summary="Read a delivery")
def read_delivery(request: ApiRequest, id: str) -> dict[str, Any]:
    """One with its headers and body. Of one that was refused at most the first 64 kB are kept. A member who may not see
    inputs and outputs gets it without headers, body and note.
    """
    return _detail(request, _get_or_404(request, id))


@router.post(
    "{id}/settle/",
    auth=ACTS_ON_ROWS,
    response={200: DeliveryDetail, 409: Problem},
    summary="Settle a delivery again",
)
def settle_delivery(request: ApiRequest, id: str) -> Status[dict[str, Any]]:
    """Verify and apply it once more, with fal's keys of now; its `verdict` says what came of it. 409: it may not be
    settled again, and nothing was changed.
    """
    found = _get_or_404(request, id)
    by = request.auth.user.get_username()
    if settle_again(found.request, found.pk, by=by, now=timezone.now()) is None:
        why = _why_not(found) or "It is not settled again."
        return Status(409, {"detail": why})
    return Status(200, _detail(request, _get_or_404(request, id)))


def _get_or_404(request: ApiRequest, id: str) -> Delivery:
    mine = Q(team=request.auth.team_id) | Q(team=None, request__team=request.auth.team_id)
    key = int(id) if id.isascii() and id.isdecimal() and len(id) < 18 else 0
    found = Delivery.objects.filter(mine, pk=key).select_related("request").first()
    if found is None:
        raise Http404
    return found


def _why_not(one: Delivery) -> str:
    return why_not(one.verdict, kept=len(one.body), size=one.body_size, row=one.request)


def _line(request: ApiRequest, one: Delivery, refusal: str) -> dict[str, Any]:
    return {
        "id": one.pk, "request_id": one.request.public_id, "endpoint_id": one.request.endpoint_id,
        "received_at": one.received_at, "verdict": one.verdict,
        "note": one.note if request.auth.sees else "",
        "body_size": one.body_size, "why_not": refusal,
    }  # fmt: skip


def _detail(request: ApiRequest, one: Delivery) -> dict[str, Any]:
    sees = request.auth.sees
    body = bytes(one.body) if sees else b""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
    kept = {"headers": one.headers if sees else {}, "body_base64": base64.b64encode(body).decode(), "body_text": text}  # fmt: skip
    return _line(request, one, _why_not(one)) | kept
