"""Rows and reports for tests: plain functions, keyword only."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal.endpoints import RequestUrls
from requests_app.fal.reports import (
    ErrorBody,
    LogEntry,
    Receipt,
    Result,
    StatusReport,
    WebhookReport,
)
from requests_app.models import FalRequest, Membership, Mode, Role, Source, Status, Team, digest
from requests_app.request_input import Draft
from requests_app.webhooks.deliveries import Post
from tests.signing import Signer, body_of


def make_person(name: str, *, team: Team | None = None, role: str = Role.MEMBER) -> User:
    """A user, in the team when one is given."""
    person = User.objects.create_user(name, password="a long pass phrase")
    if team:
        Membership.objects.create(team=team, user=person, role=role)
    return person


def make_draft(
    *,
    endpoint_id: str = "acme/img",
    mode: str = "queue",
    input: dict[str, Any] | None = None,
    **options: Any,
) -> Draft:
    """A draft that may be sent."""
    value = {"prompt": "a sunset over mountains"} if input is None else input
    return Draft(endpoint_id, mode, json.dumps(value), options)


def make_request(*, team: Team, person: Any, again_of: Any = None, **draft: Any) -> FalRequest:
    """A row as the form makes it: pending."""
    return lifecycle.create(
        make_draft(**draft), team=team, person=person, now=timezone.now(), again_of=again_of
    )


def fresh(row: FalRequest) -> FalRequest:
    """The row as the database has it now."""
    return FalRequest.objects.get(pk=row.pk)


def make_receipt(request_id: str = "req-1", *, position: int | None = 3) -> Receipt:
    """fal took it."""
    base = f"https://queue.fal.run/acme/img/requests/{request_id}"
    urls = RequestUrls(f"{base}/status", base, f"{base}/cancel")
    return Receipt(request_id, request_id, urls, position)


def make_status(status: str, **fields: Any) -> StatusReport:
    """A status reply."""
    return StatusReport(status, **fields)


def make_log(message: str, *, timestamp: str = "2026-01-01T00:00:00") -> LogEntry:
    """A log line as fal sends it."""
    return LogEntry(timestamp, "INFO", "USER", message)


def make_result(
    *, output: Any = None, code: int = 200, error: str | None = None, error_type: str | None = None
) -> Result:
    """What the model returned."""
    body = json.dumps({"detail": error} if error else (output or {"text": "done"})).encode()
    wrong = ErrorBody(error, (), error_type) if error else None
    return Result(code, {}, "application/json", body, wrong)


def make_webhook(request_id: str = "req-1", **fields: Any) -> WebhookReport:
    """A webhook whose signature was right."""
    values: dict[str, Any] = {
        "gateway_request_id": request_id, "status": "OK", "payload_bytes": b'{"text": "done"}',
        "error": None, "error_type": None, "payload_error": None, "user_id": "user-1",
    }  # fmt: skip
    return WebhookReport(request_id=request_id, **(values | fields))


def make_queued(request_id: str = "req-1", **request: Any) -> FalRequest:
    """A row that fal has taken."""
    row = make_request(**request)
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    assert attempt is not None
    hear(row, make_receipt(request_id), source=Source.SUBMIT_REPLY)
    row.refresh_from_db()
    return row


def hear(row: FalRequest, news: Any, *, source: str = Source.POLL, asked_at: Any = None) -> Any:
    """News about the row, now."""
    return lifecycle.observe(row.pk, news, source=source, asked_at=asked_at or timezone.now())


SECRET = "the-secret-of-this-row"


def make_awaiting(**columns: Any) -> FalRequest:
    """A row that fal has taken and whose webhook may come with `SECRET`."""
    if "team" not in columns:
        columns["team"], _ = Team.objects.get_or_create(name="A")
        columns["person"], _ = User.objects.get_or_create(username="ann")
    defaults = {
        "endpoint_id": "acme/img", "mode": Mode.QUEUE, "input_text": "{}", "options": {},
        "status": Status.IN_QUEUE, "fal_request_id": "r1", "created_at": timezone.now(),
        "webhook_digest": digest(SECRET),
    }  # fmt: skip
    return FalRequest.objects.create(**(defaults | columns))


def make_post(signer: Signer, body: bytes, request_id: str = "r1", **signing: Any) -> Post:
    """A signed delivery as it reaches us."""
    return Post(signer.headers(request_id, body, **signing), body, timezone.now())


def make_tampered_post(signer: Signer, **changes: str) -> Post:
    """A delivery whose headers were changed after it was signed."""
    body = body_of("r1")
    headers = signer.headers("r1", body)
    renamed = {f"x-fal-webhook-{name.replace('_', '-')}": text for name, text in changes.items()}
    return Post(headers | renamed, body, timezone.now())
