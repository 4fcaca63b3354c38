"""The paths under /api/v1/requests/."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Header, Query, Router, Status

from requests_app import audit, lifecycle
from requests_app.api import events, frames, rows
from requests_app.api.accepted import Filters, NewRequest, draft_of
from requests_app.api.auth import ACTS_ON_ROWS, READS, READS_ROWS, ApiRequest
from requests_app.api.body import digest_of
from requests_app.api.edges import place_of
from requests_app.api.estimates import Confirmation, ensure_confirmed
from requests_app.api.exact import ExactRenderer
from requests_app.api.idempotency import IdempotencyKey, ensure_key
from requests_app.api.schemas import (
    ANY_BYTES,
    CancelOut,
    DuplicateProblem,
    RequestDetail,
    RequestOut,
    RequestPage,
    replies_with,
)
from requests_app.api.waiting import Waiting, held, seconds_of, take_seat
from requests_app.display.inert import inert
from requests_app.display.output_download import NAMED_TYPES, output_response
from requests_app.models import ApiToken, FalRequest, RequestOrigin
from requests_app.request_input import Draft
from requests_app.runfile.writing import run_file_response

router = Router(tags=["requests"])


Prefer = Annotated[
    str | None, Header(alias="Prefer", description="`wait=SECONDS`, as the query parameter")
]


@router.post(
    "",
    auth=ACTS_ON_ROWS,
    response={201: RequestOut, 200: RequestOut, 409: DuplicateProblem},
    summary="Submit a request",
)
def create(
    request: ApiRequest,
    payload: NewRequest,
    waiting: Query[Waiting],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    confirmation: Confirmation = None,
) -> Status[FalRequest] | HttpResponseBase:
    """Submit a request: record it and send it to fal.

    With an `Idempotency-Key` the call may be repeated: the same key and body mean the same request
    (200 instead of 201), the same key with another body is refused (422).

    While the team's same input to the same endpoint in the same mode is open, or for some minutes
    after it ended well (a setting of the team), the answer is 409 with the `id` of that request and
    nothing is submitted, unless `allow_duplicate` is true. Inputs are compared by value: the order of
    names and the spelling of a number make no difference.

    With `wait` the body of the reply comes when the request has ended, or after so many seconds,
    and is all of it with its output, as `GET` shows it: a blocking call. While `ended_at` is null,
    go on with `GET {id}/?wait=`.

    With a `Confirmation`, which `POST estimate/` answers with, the call is refused (422) unless it is the one that was
    estimated.
    """
    if confirmation is not None:
        ensure_confirmed(request.auth, payload, confirmation)
    seconds = seconds_of(waiting, prefer)
    seat = take_seat(request.auth, seconds)
    draft = draft_of(request, payload)
    row, is_new = _create(request.auth, draft, payload, idempotency_key)
    status = 201 if is_new else 200
    if seat:
        text = partial(_text, request, row)
        response = held(request, row.pk, seat, seconds, text, status=status)
        if is_new:
            response["Location"] = place_of(request, row.public_id)
        return response
    if is_new:
        return Status(status, rows.just_created(request.auth, row, draft))
    return Status(status, rows.of(request.auth).get(pk=row.pk))


def _text(request: ApiRequest, row: FalRequest) -> str:
    """Return what `GET` shows of the request now."""
    shown = RequestDetail.from_orm(rows.get_or_404(request.auth, str(row.public_id)))
    written: str = ExactRenderer().render(request, shown.model_dump(), response_status=200)
    return written


def _create(
    token: ApiToken, draft: Draft, payload: NewRequest, key: str | None
) -> tuple[FalRequest, bool]:
    who: Any = {"team": token.team, "person": token.user, "now": timezone.now()}
    if key is None:
        return lifecycle.create(
            draft, origin=RequestOrigin.API, guard=not payload.allow_duplicate, **who
        ), True
    ensure_key(key)
    # Not part of what the key stands for: a caller that was answered 409 may repeat the call with it.
    # Without tags it is the digest of a version that had none.
    left_out = {"allow_duplicate"} if payload.own_tags else {"allow_duplicate", "own_tags"}
    body_digest = digest_of(payload.model_dump(exclude=left_out))
    guard = not payload.allow_duplicate
    return lifecycle.create_once(
        draft, origin=RequestOrigin.API, key=key, body_digest=body_digest, guard=guard, **who
    )


@router.get(
    "",
    auth=READS_ROWS,
    response={200: RequestPage},
    summary="List requests",
)
def list_requests(request: ApiRequest, filters: Query[Filters]) -> dict[str, Any]:
    """The team's requests, newest first. Pass `next_cursor` as `cursor` for the next page."""
    items, next_cursor = rows.page(request.auth, filters)
    return {"items": items, "next_cursor": next_cursor}


@router.get(
    "{id}/",
    auth=READS_ROWS,
    response={200: RequestDetail},
    summary="Read a request",
)
def read(
    request: ApiRequest, id: str, waiting: Query[Waiting], prefer: Prefer = None
) -> FalRequest | HttpResponseBase:
    """Everything that is known about the request; with `wait`, as soon as it has ended."""
    row = rows.get_or_404(request.auth, id)
    seconds = seconds_of(waiting, prefer)
    seat = take_seat(request.auth, seconds)
    if seat:
        return held(request, row.pk, seat, seconds, partial(_text, request, row), status=200)
    return row


@router.post(
    "{id}/cancel/",
    auth=ACTS_ON_ROWS,
    response={200: CancelOut},
    summary="Cancel a request",
)
def cancel(request: ApiRequest, id: str) -> dict[str, Any]:
    """Ask for a cancel. The status is "cancelled" only when fal confirms it, or when nothing was
    sent.
    """
    row = rows.get_or_404(request.auth, id)
    answer = lifecycle.ask_cancel(row.pk, person=request.auth.user, now=timezone.now())
    return {"answer": answer, "request": rows.of(request.auth).get(pk=row.pk)}


@router.get(
    "{id}/output/",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with(ANY_BYTES, *NAMED_TYPES),
    summary="The output's raw bytes",
)
def read_output(request: ApiRequest, id: str) -> HttpResponseBase:
    """The bytes as fal sent them; 404 while there are none."""
    response = output_response(rows.get_or_404(request.auth, id))
    if response is None:
        raise Http404
    return inert(response)


@router.get(
    "{id}/run/",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with("application/zip"),
    summary="The run as a file",
)
def read_run(request: ApiRequest, id: str) -> HttpResponseBase:
    """A zip with all that is kept of the request, and a page that shows it; secrets are masked."""
    row = rows.get_or_404(request.auth, id)
    audit.note_export("run", str(row.public_id), "zip", team_id=row.team_id)
    return inert(run_file_response(row))


@router.get(
    "{id}/events/",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with("text/event-stream"),
    summary="Follow a request",
)
async def follow(
    request: ApiRequest,
    id: str,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingHttpResponse:
    """Server-sent events: `status`, `log` and `frame` from the beginning, then live, then `end`.

    Each event's id, sent back as `Last-Event-ID`, resumes behind it without gap or repeat. An id
    newer than the request's newest event is refused.
    """
    return await events.response(request, id, last_event_id)


@router.get(
    "{id}/frames/",
    auth=READS,
    response={200: frames.FramePage},
    openapi_extra=replies_with("application/jsonl"),
    summary="Read the record of a stream or session",
)
async def read_frames(request: ApiRequest, id: str, filters: Query[frames.FrameFilters]) -> Any:
    """Events and messages by number, a page at a time; `format=jsonl` downloads all of them, or the
    first `limit` after `after`.

    `data` is the text of an event, or a message decoded and written as JSON, where large bytes are
    left out: `raw=true` adds them.
    """
    return await frames.response(request.auth, id, filters)
