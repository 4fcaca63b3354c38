"""Batches for programs: the paths under /api/v1/batches/."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router, Status
from ninja.errors import AuthorizationError, ValidationError

from requests_app import audit
from requests_app.api import presets
from requests_app.api.auth import ACTS_ON_ROWS, READS, READS_ROWS, ApiRequest
from requests_app.api.batch_schemas import (
    SOURCES,
    Acted,
    BatchFilters,
    BatchOut,
    BatchPage,
    ItemFilters,
    ItemPage,
    NewBatch,
    ResultFormat,
)
from requests_app.api.body import digest_of, member_text
from requests_app.api.idempotency import IdempotencyKey, ensure_key
from requests_app.api.schemas import Problem, replies_with
from requests_app.batches import control
from requests_app.batches.checking import Checked
from requests_app.batches.making import (
    Once,
    Plan,
    TooManyUnstarted,
    check_rows,
    discard,
    made_before,
    make_once,
)
from requests_app.batches.newest import conceal_item
from requests_app.batches.results import results_response
from requests_app.batches.sheet import (
    BadSheet,
    Sheet,
    cells_of,
    read_csv,
    read_grid,
    read_jsonl,
    rows_of,
)
from requests_app.export.streaming import TYPES
from requests_app.fal.jsontext import raw_items
from requests_app.forms.preset import draft_of
from requests_app.models import HIDDEN, ApiToken, Batch, BatchState, Mode, Preset
from requests_app.request_input import InvalidDraft

router = Router(tags=["batches"])


@router.post(
    "",
    auth=ACTS_ON_ROWS,
    response={201: BatchOut, 200: BatchOut},
    summary="Make a batch",
)
def create(
    request: ApiRequest, payload: NewBatch, idempotency_key: IdempotencyKey = None
) -> Status[Batch]:
    """Check every row and store the batch; with `start` true it is started at once.

    A batch with a bad row is refused (422) and stores and sends nothing; the first twenty problems are named.

    With an `Idempotency-Key` the call may be repeated: the same key and body mean the same batch (200
    instead of 201), the same key with another body is refused (422).
    """
    once = _once(payload, idempotency_key)
    batch, is_new = (made_before(request.auth.team, once) if once else None), False
    if batch is None:
        batch, is_new = _make(request, payload, once)
    return Status(201 if is_new else 200, get_or_404(request.auth, str(batch.public_id)))


def _once(payload: NewBatch, key: str | None) -> Once | None:
    if key is None:
        return None
    ensure_key(key)
    preset = str(payload.preset) if payload.preset else None
    return Once(key, digest_of(payload.model_dump() | {"preset": preset}))


def _make(request: ApiRequest, payload: NewBatch, once: Once | None) -> tuple[Batch, bool]:
    plan = _plan(request, payload)
    name = _source(payload)
    try:
        checked = check_rows(plan, _sheet(request, payload, name), request.auth.team)
        _refuse_problems(name, checked)
        return make_once(
            plan,
            checked,
            once,
            team=request.auth.team,
            person=request.auth.user,
            now=timezone.now(),
            is_started=payload.start,
        )
    except BadSheet as error:
        raise InvalidDraft({name: [str(error)]}) from None
    except TooManyUnstarted as error:
        raise InvalidDraft({"start": [str(error)]}) from None


def _plan(request: ApiRequest, payload: NewBatch) -> Plan:
    preset = _preset(request.auth, payload)
    if preset is None and (payload.endpoint_id is None or payload.input is None):
        raise InvalidDraft({"preset": ["Give a preset, or an endpoint_id and an input."]})
    if preset is not None:
        fields = {"endpoint_id": preset.endpoint_id, "input": preset.text, "mode": preset.mode}
        options = preset.options | payload.options()
    else:
        fields = {
            "endpoint_id": payload.endpoint_id or "",
            "input": member_text(request, "input"),
            "mode": Mode.QUEUE,
        }
        options = payload.options()
    draft = draft_of(**(fields | {"mode": payload.mode or fields["mode"], "options": options}))
    return Plan(draft, payload.name.strip(), payload.concurrency, preset)


def _preset(token: ApiToken, payload: NewBatch) -> Preset | None:
    if payload.preset is None:
        return None
    if not token.sees:  # an error about a row would tell of the preset's input
        raise AuthorizationError(message=HIDDEN)
    if payload.endpoint_id is not None or payload.input is not None:
        raise InvalidDraft({"preset": ["Give either a preset, or an endpoint_id and an input."]})
    try:
        return presets.get_or_404(token, str(payload.preset))
    except Http404:
        raise InvalidDraft({"preset": ["There is no such preset."]}) from None


def _source(payload: NewBatch) -> str:
    given = [name for name in SOURCES if getattr(payload, name) is not None]
    if len(given) != 1:
        raise InvalidDraft({"rows": ["Give exactly one of rows, csv, jsonl and grid."]})
    return given[0]


def _sheet(request: ApiRequest, payload: NewBatch, name: str) -> Callable[[], Sheet]:
    if name == "rows":
        return lambda: rows_of(raw_items(member_text(request, "rows")))
    if name == "grid":
        lists = cells_of(member_text(request, "grid"))
        return lambda: read_grid(
            {one: list(raw_items(text)) for one, text in lists.items()}, is_typed=True
        )
    read = read_csv if name == "csv" else read_jsonl
    return lambda: read(io.BytesIO(getattr(payload, name).encode("utf-8", "surrogatepass")))


def _refuse_problems(name: str, checked: Checked) -> None:
    if not checked.problems:
        return
    told = [
        {
            "loc": ["body", name, one.row - 1, *([one.column] if one.column else [])],
            "msg": str(one),
            "type": "row_invalid",
        }
        for one in checked.problems
    ]
    if more := checked.count_of_problems - len(told):
        sentence = f"{more:,} more rows have a problem."
        told.append({"loc": ["body", name], "msg": sentence, "type": "row_invalid"})
    raise ValidationError(told)


@router.get(
    "",
    auth=READS_ROWS,
    response={200: BatchPage},
    summary="List batches",
)
def list_batches(request: ApiRequest, filters: Query[BatchFilters]) -> dict[str, Any]:
    """The team's batches, newest first."""
    found = shelf(request.auth).order_by("-id")
    if filters.state:
        found = found.filter(state__in=filters.state)
    if filters.cursor:
        edge = (
            shelf(request.auth)
            .filter(public_id=filters.cursor)
            .values_list("pk", flat=True)
            .first()
        )
        if edge is None:
            raise InvalidDraft({"cursor": ["This is no cursor of this list."]})
        found = found.filter(pk__lt=edge)
    items = list(found[: filters.limit + 1])
    shown = items[: filters.limit]
    return {"items": shown, "next_cursor": shown[-1].public_id if len(items) > len(shown) else None}


@router.get("{id}/", auth=READS_ROWS, response={200: BatchOut}, summary="Read a batch")
def read(request: ApiRequest, id: str) -> Batch:
    """How far it is."""
    return get_or_404(request.auth, id)


@router.get(
    "{id}/items/",
    auth=READS_ROWS,
    response={200: ItemPage},
    summary="Read rows",
)
def list_items(request: ApiRequest, id: str, filters: Query[ItemFilters]) -> dict[str, Any]:
    """The rows of a batch, with the requests they became; their values are null for those who may not see inputs."""
    batch = get_or_404(request.auth, id)
    found = batch.items.filter(number__gt=filters.after).order_by("number")
    if filters.state:
        found = found.filter(state__in=filters.state)
    found = found.select_related("request").defer(
        "request__input_text", "request__output", "request__search_text"
    )
    rows = list(found[: filters.limit + 1])
    shown = rows[: filters.limit]
    for item in shown:
        item.batch = batch  # its columns, which name the values
        if not request.auth.sees:
            conceal_item(item)
    return {"items": shown, "next_after": shown[-1].number if len(rows) > len(shown) else None}


@router.get(
    "{id}/results/",
    auth=READS,
    response={200: None},
    openapi_extra=replies_with(*TYPES.values()),
    summary="Download results",
)
def read_results(request: ApiRequest, id: str, filters: Query[ResultFormat]) -> HttpResponseBase:
    """All rows with their outcomes, streamed: JSON Lines, a CSV, or a zip with each output as a file."""
    batch = get_or_404(request.auth, id)
    reply = results_response(batch, filters.format)
    if reply is None:
        raise Http404
    audit.note_export(
        "batch", batch.name or str(batch.public_id), filters.format, team_id=batch.team_id
    )
    return reply


_ACTED: dict[int, Any] = {200: Acted}


@router.post("{id}/start/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Start a batch")
def start(request: ApiRequest, id: str) -> dict[str, Any]:
    """Start a batch that was only stored."""
    return _act(request, id, control.start)


@router.post("{id}/pause/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Pause a batch")
def pause(request: ApiRequest, id: str) -> dict[str, Any]:
    """Make no further requests; what is open goes on."""
    done = control.pause(get_or_404(request.auth, id), now=timezone.now())
    return {"done": done, "batch": get_or_404(request.auth, id)}


@router.post("{id}/resume/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Resume a batch")
def resume(request: ApiRequest, id: str) -> dict[str, Any]:
    """Go on with a paused batch, in the name of the token's user."""
    return _act(request, id, control.resume)


@router.post("{id}/cancel/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Cancel a batch")
def cancel(request: ApiRequest, id: str) -> dict[str, Any]:
    """End the waiting rows, and ask fal to cancel the open requests."""
    return _act(request, id, control.cancel)


@router.post("{id}/retry/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Retry failed rows")
def retry(request: ApiRequest, id: str) -> dict[str, Any]:
    """Send the failed rows again, as new requests; those of a paused batch wait until it is resumed."""
    acted = _act(request, id, control.retry_failed)
    return acted | {"left_out": control.count_given_up(acted["batch"])}


@router.delete(
    "{id}/",
    auth=ACTS_ON_ROWS,
    response={204: None, 409: Problem},
    summary="Discard a batch",
)
def delete(request: ApiRequest, id: str) -> Status[Any]:
    """Delete a batch that was never started; any other stays (409)."""
    if discard(get_or_404(request.auth, id)):
        return Status(204, None)
    return Status(409, {"detail": "The batch was started, so that it is kept."})


def _act(request: ApiRequest, id: str, act: Callable[..., object]) -> dict[str, Any]:
    batch = get_or_404(request.auth, id)
    done = bool(act(batch, person=request.auth.user, now=timezone.now()))
    return {"done": done, "batch": get_or_404(request.auth, id)}


def shelf(token: ApiToken) -> QuerySet[Batch]:
    """Return the batches of the token's team."""
    found = Batch.objects.filter(team=token.team_id).exclude(state=BatchState.STORING)
    found = found.select_related("person", "preset").defer("text", "preset__text")
    return found.marking_removed()


def get_or_404(token: ApiToken, batch_id: str) -> Batch:
    """Return the team's batch; a foreign, an unknown and a malformed id raise the same Http404."""
    try:
        return shelf(token).get(public_id=UUID(batch_id))
    except (ValueError, Batch.DoesNotExist):
        raise Http404 from None
