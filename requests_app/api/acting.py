"""Acting on one request: run it again, give it up, add a note, read its input as a file."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from requests_app import lifecycle
from requests_app.api import rows
from requests_app.api.accepted import NoNulText
from requests_app.api.auth import ACTS_ON_ROWS, READS, ApiRequest
from requests_app.api.idempotency import IdempotencyKey, ensure_key
from requests_app.api.schemas import Problem, RequestOut, replies_with
from requests_app.display.inert import inert
from requests_app.forms.note import NOTE_LENGTH
from requests_app.models import SUBMITTABLE, FalRequest
from requests_app.request_input import parse_draft

router = Router(tags=["requests"])


class GivenUp(Schema):
    """Whether it was given up, and the row as it is now."""

    done: bool
    request: RequestOut


class NewNote(Schema):
    """A note for the team."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[NoNulText, Field(min_length=1, max_length=NOTE_LENGTH, pattern=r"\S")]


@router.post(
    "{id}/again/",
    auth=ACTS_ON_ROWS,
    response={201: RequestOut, 200: RequestOut, 409: Problem},
    summary="Run a request again",
)
def again(
    request: ApiRequest, id: str, idempotency_key: IdempotencyKey = None
) -> Status[FalRequest | dict[str, str]]:
    """Submit the same input with the same options as a new request, which names this one as `again_of`.

    With an `Idempotency-Key` the call may be repeated: the same key means the same new request (200 instead
    of 201). 409: it is a realtime session, or its input was removed. Running again what is
    uncertain may cost twice.
    """
    source = rows.get_or_404(request.auth, id)
    if source.payload_removed_at is not None:
        return Status(409, {"detail": "Its input was removed."})
    if source.mode not in SUBMITTABLE:
        return Status(409, {"detail": "A realtime session has no input to send again."})
    whole = FalRequest.objects.get(pk=source.pk) if source.is_hidden else source
    draft = parse_draft(
        endpoint_id=whole.endpoint_id,
        mode=whole.mode,
        input=whole.input_text,
        options=whole.options,
    )
    who: Any = {"team": request.auth.team, "person": request.auth.user, "now": timezone.now()}
    if idempotency_key is None:
        row, is_new = lifecycle.create(draft, again_of=source, **who), True
    else:
        ensure_key(idempotency_key)
        row, is_new = lifecycle.create_once(
            draft, key=idempotency_key, body_digest=f"again:{source.pk}", again_of=source, **who
        )
    return Status(201 if is_new else 200, rows.of(request.auth).get(pk=row.pk))


@router.post(
    "{id}/give_up/",
    auth=ACTS_ON_ROWS,
    response={200: GivenUp},
    summary="Give up an uncertain request",
)
def give_up(request: ApiRequest, id: str) -> dict[str, Any]:
    """End an uncertain request as failed. `done` is false when it was not uncertain: nothing was changed."""
    row = rows.get_or_404(request.auth, id)
    done = lifecycle.give_up(row.pk, person=request.auth.user, now=timezone.now())
    return {"done": done, "request": rows.of(request.auth).get(pk=row.pk)}


@router.post(
    "{id}/reread/",
    auth=ACTS_ON_ROWS,
    response={202: RequestOut, 409: Problem},
    summary="Read a request again from fal",
)
def reread(request: ApiRequest, id: str) -> Status[FalRequest | dict[str, str]]:
    """Have fal asked for the status of an ended request, and for a result that is missing: what it adds is stored, the
    end stays as it is, and nothing is submitted. 409: it has not ended, fal has no id for it, or its input was removed.
    """
    row = rows.get_or_404(request.auth, id)
    if not lifecycle.reread(row.pk, person=request.auth.user, now=timezone.now()):
        return Status(409, {"detail": "fal cannot be asked about this request."})
    return Status(202, rows.of(request.auth).get(pk=row.pk))


@router.post(
    "{id}/notes/",
    auth=ACTS_ON_ROWS,
    response={201: RequestOut},
    summary="Add a note",
)
def add_note(request: ApiRequest, id: str, payload: NewNote) -> Status[FalRequest]:
    """Keep a note with the request: it is one of its `observations`, of the kind `note`."""
    row = rows.get_or_404(request.auth, id)
    who: Any = {"person": request.auth.user, "now": timezone.now()}
    lifecycle.add_note(row.pk, payload.text.strip(), **who)
    return Status(201, rows.of(request.auth).get(pk=row.pk))


@router.get(
    "{id}/input/",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with("application/json"),
    summary="The input's text",
)
def read_input(request: ApiRequest, id: str) -> HttpResponse:
    """The JSON as it is sent, letter for letter; 404 when retention has removed it."""
    row = rows.get_or_404(request.auth, id)
    if row.payload_removed_at is not None:
        raise Http404
    return inert(HttpResponse(row.input_text, content_type="application/json"))
