"""Receive fal's webhooks. Never redirects: fal counts a 3xx as a lost delivery.

No cookie is read and no CSRF token required; the signature authenticates the sender. 2xx is
answered only after COMMIT: any other status makes fal send it again.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from dashboard.masking import masks_path
from requests_app.accounts.network import UNKNOWN, address_of
from requests_app.fal.webhook_encoding import ENCODINGS
from requests_app.upkeep.metrics import WEBHOOKS
from requests_app.views.team_guard import teamless
from requests_app.webhooks import deliveries, senders
from requests_app.webhooks.deliveries import Post, Verdict

RETRY_AFTER_S = 30

_STATUS = {
    Verdict.ACCEPTED: 200,
    Verdict.DUPLICATE: 200,
    Verdict.CONTRADICTS: 200,
    # fal need not send these again: the worker polls fal instead
    Verdict.STALE_TIMESTAMP: 202,
    Verdict.UNPARSABLE: 202,
    Verdict.FOREIGN_ADDRESS: 403,
    Verdict.MISSING_HEADER: 401,
    Verdict.BAD_TIMESTAMP: 401,
    Verdict.BAD_SIGNATURE: 401,
    Verdict.FOREIGN_ACCOUNT: 401,
    Verdict.ID_MISMATCH: 409,
    Verdict.OTHER_REQUEST: 409,
    Verdict.NO_KEYS: 503,
}


class _Refused(Exception):
    """The POST cannot be accepted."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@teamless
@csrf_exempt
@masks_path
def receive(request: HttpRequest, public_id: str, secret: str) -> HttpResponse:
    """Handle POST /hooks/fal/<uuid>/<secret>, with or without a slash at the end."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        verdict = _verdict_of(request, public_id, secret)
    except _Refused as refused:
        return _answer(refused.status, str(refused))
    except (OperationalError, InterfaceError):
        return _answer(503, "The database is away. Send it again later.")
    WEBHOOKS.labels(verdict or "unknown_address").inc()
    if verdict is None:
        return _answer(404, "Not found.")
    return _answer(_STATUS[verdict], verdict.value)


def _verdict_of(request: HttpRequest, public_id: str, secret: str) -> Verdict | None:
    """Judge the sender's address first: the body of another one is not looked at."""
    address = address_of(request)
    if not senders.admits(address):
        post = _post_of(request, b"")
        told = str(address) if address else UNKNOWN
        return deliveries.turn_away(_uuid(public_id), secret, post, told)
    return deliveries.receive(_uuid(public_id), secret, _post_of(request, _body_of(request)))


def _body_of(request: HttpRequest) -> bytes:
    """Return the raw body: the signature covers exactly these bytes."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
        raise _Refused(415, "Send the body as it is, or as gzip.")
    try:
        body = request.body
    except RequestDataTooBig:
        raise _too_large() from None
    except UnreadablePostError:
        raise _Refused(400, "The body did not arrive in full.") from None
    if len(body) > settings.BODY_LIMIT_BYTES:  # a chunked body declares no length
        raise _too_large()
    return body


def _too_large() -> _Refused:
    return _Refused(413, f"The body is larger than {settings.BODY_LIMIT_BYTES} bytes.")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _Refused(404, "Not found.") from None


def _post_of(request: HttpRequest, body: bytes) -> Post:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Post(headers=headers, body=body, now=timezone.now())


def _answer(status: int, text: str) -> HttpResponse:
    response = HttpResponse(f"{text}\n", content_type="text/plain", status=status)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response
