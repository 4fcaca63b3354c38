"""Webhooks of local jobs, signed as fal signs and repeated until heard or the result is forgotten.

The key is this installation's own: a receiver has to read it from `/gateway/.well-known/jwks.json` in place of fal's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils import timezone

from requests_app.fal.guarded_post import NotPosted, OutgoingPost, PostFate, post_guarded
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.localqueue import jobs
from requests_app.models import LocalJob

USER_ID = "faldeck-local"  # in place of fal's id of the account
FIRST_TIMEOUT_S, TIMEOUT_S = 15.0, 120.0
MOST_TRIES = 31
MOST_GAP_S = 300.0
_UNREADABLE = (
    "Response payload is not JSON serializable. Either return a JSON serializable object or use the queue endpoint "
    "to retrieve the response."
)

logger = logging.getLogger(__name__)


def signing_key() -> Ed25519PrivateKey:
    """Return the installation's key; all its processes have the same, and nothing stores it."""
    seed = hmac.digest(settings.SECRET_KEY.encode(), b"webhooks of local apps", hashlib.sha256)
    return Ed25519PrivateKey.from_private_bytes(seed)


def jwks() -> dict[str, object]:
    """Return the public key in the form of fal's document."""
    raw = signing_key().public_key().public_bytes_raw()
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA"}]}


def take_due(now: datetime) -> Sequence[LocalJob]:
    """Take the webhooks that are due; each is due again after a while, unless it is heard before."""
    due = LocalJob.objects.filter(webhook_due_at__lte=now)
    taken = []
    for job in due.defer("body")[:20]:
        again_at = _again_at(job, now)
        mine = due.filter(pk=job.pk, webhook_tries=job.webhook_tries)
        if mine.update(webhook_due_at=again_at, webhook_tries=job.webhook_tries + 1):
            taken.append(job)
    return taken


def _again_at(job: LocalJob, now: datetime) -> datetime | None:
    """Return when to try again; None after the last try, or when the result is forgotten before."""
    timeout_s = TIMEOUT_S if job.webhook_tries else FIRST_TIMEOUT_S
    gap = timedelta(seconds=timeout_s + min(2.0**job.webhook_tries, MOST_GAP_S))
    is_last = job.webhook_tries + 1 >= MOST_TRIES or now + gap > (job.ended_at or now) + jobs.KEPT
    return None if is_last else now + gap


async def deliver(job: LocalJob) -> bool:
    """POST it once; return whether no further try is needed: it was heard (2xx) or refused for good."""
    body, deadline_s = body_of(job), FIRST_TIMEOUT_S if not job.webhook_tries else TIMEOUT_S
    post = OutgoingPost(
        job.webhook_url, body, headers_of(job, body), settings.NOTICE_HOSTS, "NOTICE_HOSTS",
        deadline_s, most=0,
    )  # fmt: skip
    try:
        answer = await post_guarded(post)
    except NotPosted as error:
        logger.info("The webhook of local request %s: %s", job.request_id, error)
        return error.fate == PostFate.REFUSED
    logger.info("The webhook of local request %s: %s.", job.request_id, answer.status)
    return 200 <= answer.status < 400


def heard(job: LocalJob) -> None:
    """Note that no further try is needed; by a rule of the fault lab it comes twice."""
    is_repeated = (job.webhook_fault or {}).get("do") == "repeat" and not job.webhook_tries
    due_at = timezone.now() if is_repeated else None
    LocalJob.objects.filter(pk=job.pk).update(webhook_due_at=due_at)


def not_heard(job: LocalJob, now: datetime) -> None:
    """Bring the next try forward: the timeout need not be waited for."""
    gap = timedelta(seconds=min(2.0**job.webhook_tries, MOST_GAP_S))
    later = LocalJob.objects.filter(pk=job.pk, webhook_due_at__gt=now + gap)
    later.update(webhook_due_at=now + gap)


def body_of(job: LocalJob) -> bytes:
    """Return the message; the payload is the app's answer, digit for digit."""
    request_id = str(job.request_id).encode()
    ids = b'{"request_id":"%s","gateway_request_id":"%s",' % (request_id, request_id)
    status = (
        b'"status":"OK"' if job.is_good else b'"status":"ERROR","error":"%s"' % job.error.encode()
    )
    output = bytes(job.output)
    if _is_json(output):
        return ids + status + b',"payload":' + output + b"}"
    return ids + status + b',"payload":null,"payload_error":"' + _UNREADABLE.encode() + b'"}'


def _is_json(output: bytes) -> bool:
    try:
        parse_json(output)
    except NotJson:
        return False
    return True


def headers_of(job: LocalJob, body: bytes) -> dict[str, str]:
    """Return fal's four headers, signed now."""
    request_id, at = str(job.request_id), str(int(timezone.now().timestamp()))
    digest = hashlib.sha256(body).hexdigest()
    message = "\n".join((request_id, USER_ID, at, digest)).encode()
    is_forged = (job.webhook_fault or {}).get("do") == "bad_signature"
    key = Ed25519PrivateKey.generate() if is_forged else signing_key()
    return {
        "Content-Type": "application/json",
        "User-Agent": "faldeck",
        "X-Fal-Webhook-Request-Id": request_id,
        "X-Fal-Webhook-User-Id": USER_ID,
        "X-Fal-Webhook-Timestamp": at,
        "X-Fal-Webhook-Signature": key.sign(message).hex(),
    }
