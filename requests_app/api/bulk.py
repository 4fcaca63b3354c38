"""Bulk actions for programs: the paths under /api/v1/bulk/."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router, Status
from ninja.errors import AuthorizationError

from requests_app.api.auth import ACTS_ON_ROWS, READS_ROWS, ApiRequest
from requests_app.api.body import digest_of
from requests_app.api.bulk_schemas import (
    BulkActed,
    BulkFilters,
    BulkOut,
    BulkPage,
    BulkPreviewOut,
    NewBulk,
    OutcomeFilters,
    OutcomePage,
)
from requests_app.api.idempotency import IdempotencyKey, ensure_key
from requests_app.api.rows import matching
from requests_app.bulk import control
from requests_app.bulk.making import Order, TooMany, make
from requests_app.bulk.qualify import Act, BulkPreview, preview
from requests_app.lifecycle import KeyReused
from requests_app.models import (
    FOR_MANAGERS,
    WITH_TAGS,
    ApiToken,
    BulkAction,
    BulkState,
    BulkVerb,
    FalRequest,
    Outcome,
    Right,
    TokenScope,
)
from requests_app.models.request import FalRequestQuerySet
from requests_app.request_input import InvalidDraft
from requests_app.rules.tag_names import BadTags, tag_names

router = Router(tags=["bulk"])


@router.post(
    "",
    auth=ACTS_ON_ROWS,
    response={
        201: BulkOut,
        200: BulkOut | BulkPreviewOut,
        409: BulkPreviewOut,
    },
    summary="Act on many requests",
)
def create(
    request: ApiRequest, payload: NewBulk, idempotency_key: IdempotencyKey = None
) -> Status[Any]:
    """Cancel, run again, give up, tag, star or delete many requests. With `dry_run` only the numbers are
    answered (200). `payload` deletes inputs and outputs, `delete` whole requests, both for good: for owners and
    admins, with the scope `manage`. With `at_fal` fal is asked as well to delete what it keeps of them.

    Otherwise the server begins at once (201), with an outcome for each request. When more requests qualify
    than `expected`, nothing is done and the numbers are answered (409). With an `Idempotency-Key` the call may
    be repeated: the same key and body mean the same action (200), the same key with another body is refused
    (422).
    """
    if idempotency_key is not None:
        ensure_key(idempotency_key)
    _ensure_allowed(request.auth, payload.verb)
    # Without them it is the digest of a version that had none.
    left_out = {name for name in ("tags", "at_fal") if not getattr(payload, name)}
    body_digest = digest_of(payload.model_dump(mode="json", exclude=left_out))
    token = _token(request.auth, idempotency_key)
    if known := BulkAction.objects.filter(team=request.auth.team_id, token=token).first():
        _ensure_same(known, body_digest, idempotency_key)
        return Status(200, get_or_404(request.auth, str(known.public_id)))
    if payload.at_fal and payload.verb not in FOR_MANAGERS:
        raise InvalidDraft({"at_fal": [f"{payload.verb.value} deletes nothing."]})
    rows = _chosen(request.auth, payload)
    act = Act(payload.verb, _tags(payload), request.auth.user_id)
    seen = preview(rows, act)
    if payload.dry_run:
        return Status(200, _numbers(seen))
    if payload.expected is None:
        raise InvalidDraft({"expected": ["Say how many requests you expect; a dry run tells."]})
    if seen.eligible > payload.expected:
        return Status(409, _numbers(seen))
    bulk = _make(request.auth, payload, rows, act, token, body_digest)
    # Of two calls at once, this may be the other's.
    _ensure_same(bulk, body_digest, idempotency_key)
    return Status(201, get_or_404(request.auth, str(bulk.public_id)))


def _make(
    caller: ApiToken,
    payload: NewBulk,
    rows: FalRequestQuerySet,
    act: Act,
    token: str,
    body_digest: str,
) -> BulkAction:
    """Store the action and start it. Raises InvalidDraft."""
    order = Order(
        payload.verb,
        rows,
        search=payload.q or "",
        by_hand=payload.ids is not None,
        reason=payload.reason.strip(),
        token=token,
        body_digest=body_digest,
        tags=act.tags,
        at_fal=payload.at_fal,
    )
    try:
        return make(order, team=caller.team, person=caller.user, now=timezone.now())
    except TooMany as error:
        raise InvalidDraft({"q": [str(error)]}) from None


def _ensure_allowed(token: ApiToken, verb: BulkVerb) -> None:
    """Raises AuthorizationError."""
    if verb not in FOR_MANAGERS:
        return
    if refusal := token.refusal(TokenScope.MANAGE):
        raise AuthorizationError(message=refusal)
    if not token.may(Right.MANAGE):
        raise AuthorizationError(message="Owners and admins delete.")


def _tags(payload: NewBulk) -> tuple[str, ...]:
    """Return the tags of an action that needs some. Raises InvalidDraft."""
    needs_tags = payload.verb in WITH_TAGS
    if needs_tags != bool(payload.tags):
        sentence = "Name the tags." if needs_tags else f"{payload.verb.value} takes no tags."
        raise InvalidDraft({"tags": [sentence]})
    try:
        return tag_names(payload.tags)
    except BadTags as error:
        raise InvalidDraft({"tags": [str(error)]}) from None


def _token(token: ApiToken, key: str | None) -> str:
    """Name the call: by its key in this team, or by chance."""
    if key is None:
        return secrets.token_hex(32)
    return hashlib.sha256(f"api:{token.team_id}:{key}".encode()).hexdigest()


def _ensure_same(bulk: BulkAction, body_digest: str, key: str | None) -> None:
    if bulk.body_digest != body_digest:
        raise KeyReused(f"The key {key!r} was used before with another body.")


def _chosen(token: ApiToken, payload: NewBulk) -> FalRequestQuerySet:
    if (payload.ids is None) == (payload.q is None):
        raise InvalidDraft({"q": ["Give either ids, or a search as q (empty: all requests)."]})
    if payload.ids is not None:
        return FalRequest.objects.filter(team=token.team_id, public_id__in=payload.ids)
    return matching(token, payload.q or "").rows


def _numbers(seen: BulkPreview) -> dict[str, Any]:
    left_out = [{"why": why, "count": count} for why, count in seen.left_out]
    return {"eligible": seen.eligible, "left_out": left_out, "uncertain": seen.uncertain}


@router.get(
    "",
    auth=READS_ROWS,
    response={200: BulkPage},
    summary="List bulk actions",
)
def list_bulk(request: ApiRequest, filters: Query[BulkFilters]) -> dict[str, Any]:
    """The team's bulk actions, newest first."""
    found = _shelf(request.auth).order_by("-id")
    if filters.cursor:
        edge = _shelf(request.auth).filter(public_id=filters.cursor).values_list("pk", flat=True)
        if (before := edge.first()) is None:
            raise InvalidDraft({"cursor": ["This is no cursor of this list."]})
        found = found.filter(pk__lt=before)
    items = list(found[: filters.limit + 1])
    shown = items[: filters.limit]
    return {"items": shown, "next_cursor": shown[-1].public_id if len(items) > len(shown) else None}


@router.get("{id}/", auth=READS_ROWS, response={200: BulkOut}, summary="Read a bulk action")
def read(request: ApiRequest, id: str) -> BulkAction:
    """How far it is."""
    return get_or_404(request.auth, id)


@router.get(
    "{id}/items/",
    auth=READS_ROWS,
    response={200: OutcomePage},
    summary="Read outcomes",
)
def list_items(request: ApiRequest, id: str, filters: Query[OutcomeFilters]) -> dict[str, Any]:
    """What came of each request, in the order of their turns. Why one failed is told to those who see inputs."""
    found = get_or_404(request.auth, id).items.filter(pk__gt=filters.after).order_by("pk")
    if filters.outcome:
        found = found.filter(outcome__in=filters.outcome)
    columns = ("outcome", "note", "request__public_id", "repeat__public_id")
    some = list(found.select_related("request", "repeat").only(*columns)[: filters.limit + 1])
    shown = some[: filters.limit]
    for item in shown if not request.auth.sees else ():
        item.note = "" if item.outcome == Outcome.FAILED else item.note
    return {"items": shown, "next_after": shown[-1].pk if len(some) > len(shown) else None}


_ACTED: dict[int, Any] = {200: BulkActed}


@router.post("{id}/pause/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Pause it")
def pause(request: ApiRequest, id: str) -> dict[str, Any]:
    """Do nothing further until it is resumed."""
    return _act(request, id, lambda bulk, person, now: control.pause(bulk, now=now))


@router.post("{id}/resume/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Resume it")
def resume(request: ApiRequest, id: str) -> dict[str, Any]:
    """Go on, in the name of the token's user."""
    return _act(request, id, lambda bulk, person, now: control.resume(bulk, person=person, now=now))


@router.post("{id}/stop/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Stop it")
def stop(request: ApiRequest, id: str) -> dict[str, Any]:
    """Leave what waits as it is, for good; what was done stays done."""
    return _act(request, id, lambda bulk, person, now: control.stop(bulk, now=now))


@router.post("{id}/retry/", auth=ACTS_ON_ROWS, response=_ACTED, summary="Retry what failed")
def retry(request: ApiRequest, id: str) -> dict[str, Any]:
    """Let what failed have another turn."""
    return _act(
        request, id, lambda bulk, person, now: control.retry_failed(bulk, person=person, now=now)
    )


def _act(
    request: ApiRequest, id: str, act: Callable[[BulkAction, Any, Any], object]
) -> dict[str, Any]:
    done = bool(act(get_or_404(request.auth, id), request.auth.user, timezone.now()))
    return {"done": done, "bulk": get_or_404(request.auth, id)}


def _shelf(token: ApiToken) -> QuerySet[BulkAction]:
    found = BulkAction.objects.filter(team=token.team_id).exclude(state=BulkState.STORING)
    return found.select_related("person")


def get_or_404(token: ApiToken, bulk_id: str) -> BulkAction:
    """Return the team's action; a foreign, an unknown and a malformed id raise the same Http404."""
    try:
        return _shelf(token).get(public_id=UUID(bulk_id))
    except (ValueError, BulkAction.DoesNotExist):
        raise Http404 from None
