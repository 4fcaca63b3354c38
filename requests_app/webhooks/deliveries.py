"""Webhook deliveries: verify each POST, apply its report, store it with a verdict.

Each POST for a known request and secret gets a verdict and is stored as a `Delivery`. The verdict, the
delivery and the changes by `lifecycle` are committed together, before the reply is sent.

A valid signature is not enough: fal signs for all its customers with the same keys. So the account is
pinned too, and the secret in our URL and the request id must fit the row.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from requests_app import lifecycle
from requests_app.fal import KeyCache, KeysUnavailable, WebhookRejected, WebhookReport, verify
from requests_app.forwarding.making import forward_delivery
from requests_app.keys import Key, key_of
from requests_app.lifecycle import Effect
from requests_app.models import (
    Delivery,
    FalAccount,
    FalRequest,
    ForwardDestination,
    Source,
    digest,
)
from requests_app.rules.storable import is_storable, storable_columns
from requests_app.webhooks import senders
from requests_app.worker import faults
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import worker_loop

logger = logging.getLogger(__name__)

KEPT_OF_REFUSED = 64 * 1024  # bytes of body
MOST_REFUSED = 50  # refused deliveries stored per request
KEYS_TIMEOUT_S = 12.0
LOOK_EVERY = timedelta(seconds=10)  # how often untrusted POSTs may cause a poll of one request


class Verdict(StrEnum):
    """The judgement of a delivery. The second block has the names of the causes in `fal.webhooks`."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # known before, from a webhook or a poll
    CONTRADICTS = "contradicts"  # the request had ended otherwise; the first end stays

    MISSING_HEADER = "missing_header"
    BAD_TIMESTAMP = "bad_timestamp"
    BAD_SIGNATURE = "bad_signature"
    STALE_TIMESTAMP = "stale_timestamp"
    UNPARSABLE = "unparsable"
    ID_MISMATCH = "id_mismatch"
    NO_KEYS = "no_keys"

    FOREIGN_ADDRESS = senders.FOREIGN_ADDRESS
    FOREIGN_ACCOUNT = "foreign_account"
    OTHER_REQUEST = "other_request"


NOTES = {
    Verdict.FOREIGN_ACCOUNT: "fal signed it for another account than ours.",
    Verdict.OTHER_REQUEST: "It speaks of another request than the one this URL was made for.",
    Verdict.STALE_TIMESTAMP: "It is more than five minutes away from now; asking fal instead.",
    Verdict.UNPARSABLE: "fal sent it, but the body cannot be read; asking fal instead.",
}
# Genuine, but not usable: the row is polled instead.
_ASK_FAL = {Verdict.STALE_TIMESTAMP, Verdict.UNPARSABLE}
_WHOLE = {Verdict.ACCEPTED, Verdict.CONTRADICTS}
_GENUINE = {*_WHOLE, Verdict.DUPLICATE}  # fal's, about this request: sent on to who wants it


@dataclass(frozen=True)
class Post:
    """One webhook POST as received at `now`, timezone-aware. `headers` have lower-case names.

    One that is settled again (`webhooks.again`) has been stored before, as `kept`, and is judged later than it came.
    """

    headers: Mapping[str, str]
    body: bytes
    now: datetime
    kept: int | None = None
    judged_at: datetime | None = None

    @property
    def digest(self) -> str:
        """Digest of request id, timestamp and body, to detect duplicates."""
        parts = (self._webhook_header("request-id"), self._webhook_header("timestamp"))
        body = hashlib.sha256(self.body).hexdigest()
        return hashlib.sha256("\n".join((*parts, body)).encode()).hexdigest()

    @property
    def own_time(self) -> datetime:
        """The time in the headers; valid only after `verify` has found ten digits there."""
        return datetime.fromtimestamp(int(self._webhook_header("timestamp")), UTC)

    @property
    def kept_headers(self) -> dict[str, str]:
        """The headers to store; no cookies, no addresses."""
        wanted = ("x-fal-webhook-", "content-type", "content-encoding", "user-agent")
        return {k: v[:500] for k, v in self.headers.items() if k.startswith(wanted)}

    def _webhook_header(self, name: str) -> str:
        return self.headers.get(f"x-fal-webhook-{name}", "")


def receive(public_id: UUID, secret: str, post: Post) -> Verdict | None:
    """Judge and apply a POST; return None when there is no such request or the secret is wrong."""
    row = _find(public_id, secret)
    return None if row is None else judge(row, post)


def turn_away(public_id: UUID, secret: str, post: Post, address: str) -> Verdict:
    """Note a POST from an address that is not fal's; the same verdict whether or not there is such a request."""
    row = _find(public_id, secret)
    if row is not None:
        _refuse(row, post, Verdict.FOREIGN_ADDRESS, f"It came from {address}.")
    return Verdict.FOREIGN_ADDRESS


def judge(row: FalRequest, post: Post) -> Verdict:
    """Verify a POST that came to this request's own address, and apply it."""
    try:
        report, is_fresh = _verified(post)
    except KeysUnavailable as error:
        return _refuse(row, post, Verdict.NO_KEYS, str(error))
    except WebhookRejected as error:
        return _refuse(row, post, Verdict(error.cause), str(error))
    try:
        return _settle_surely(row, post, report, is_fresh=is_fresh)
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        faults.tell(logger, f"A webhook for request {row.public_id} cannot be processed", error)
        return _refuse(row, post, Verdict.UNPARSABLE, whole=True)


def _find(public_id: UUID, secret: str) -> FalRequest | None:
    """Return the request if the secret is right, in constant time whether or not it exists."""
    row = (
        FalRequest.objects.only("public_id", "webhook_digest", "team_id", "payload_removed_at")
        .filter(public_id=public_id)
        .first()
    )
    known = row.webhook_digest if row else ""
    return row if compare_digest(known, digest(secret)) else None


# --- signature -------------------------------------------------------------------------------------


@functools.cache
def key_cache() -> KeyCache:
    """Return this process's cache of fal's public keys."""
    return KeyCache(hosts_from_settings())


def _verified(post: Post) -> tuple[WebhookReport, bool]:
    """Return the signed report, and whether its timestamp is fresh."""
    now = post.judged_at or post.now
    keys = _keys(now)
    try:
        return _verify(post, keys)
    except WebhookRejected as error:
        if error.cause != "bad_signature":
            raise
        fresh = _keys(now, fresh=True)  # fal may have rotated its keys
        if fresh == keys:
            raise
        return _verify(post, fresh)


def _verify(post: Post, keys: tuple[bytes, ...]) -> tuple[WebhookReport, bool]:
    limit = settings.BODY_LIMIT_BYTES
    try:
        return verify(post.headers, post.body, keys, post.now, limit=limit), True
    except WebhookRejected as error:
        if error.cause != "stale_timestamp":
            raise
        return verify(post.headers, post.body, keys, post.own_time, limit=limit), False


def _keys(now: datetime, *, fresh: bool = False) -> tuple[bytes, ...]:
    try:
        return worker_loop.run(key_cache().keys(now, fresh=fresh), KEYS_TIMEOUT_S)
    except TimeoutError as error:
        raise KeysUnavailable("fal's webhook keys did not arrive in time.") from error


# --- account, request, novelty ---------------------------------------------------------------------


def _settle_surely(
    row: FalRequest, post: Post, report: WebhookReport, *, is_fresh: bool
) -> Verdict:
    try:
        return _settle(row, post, report, is_fresh=is_fresh)
    except IntegrityError:
        # A race: another delivery stored the same request id or account a moment ago. Its rows are visible
        # now, so the second try gives the right verdict.
        return _settle(row, post, report, is_fresh=is_fresh)


def _settle(row: FalRequest, post: Post, report: WebhookReport, *, is_fresh: bool) -> Verdict:
    with transaction.atomic():
        row = (
            FalRequest.objects.select_for_update()
            .only("public_id", "fal_request_id", "fal_key_id", "team_id", "payload_removed_at")
            .get(pk=row.pk)
        )
        verdict = _objection(row, report, is_fresh=is_fresh)
        if verdict:
            return _refuse(row, post, verdict)
        verdict = _act(row, post, report)
        _keep(row, post, verdict)
        return verdict


def _objection(row: FalRequest, report: WebhookReport, *, is_fresh: bool) -> Verdict | None:
    key = key_of(row.fal_key_id)
    account = pinned_account(key)
    if account and account != report.user_id:
        return Verdict.FOREIGN_ACCOUNT
    if not lifecycle.is_for_row(row, report) or _belongs_to_another(row, report):
        return Verdict.OTHER_REQUEST
    if not is_fresh:
        return Verdict.STALE_TIMESTAMP
    if not account:
        _pin(report.user_id, key)
    return None


def _belongs_to_another(row: FalRequest, report: WebhookReport) -> bool:
    """Return whether another row has the id that this row would adopt."""
    if row.fal_request_id:
        return False
    others = FalRequest.objects.filter(fal_request_id=report.request_id).exclude(pk=row.pk)
    return others.exists()


def pinned_account(key: Key) -> str:
    """Return the fal user id that webhooks of a key must be signed for; empty while it is unknown."""
    if settings.FAL_USER_ID and key.pk is None:
        return str(settings.FAL_USER_ID)
    known = FalAccount.objects.filter(key_digest=key.digest)
    return known.values_list("user_id", flat=True).first() or ""


def _pin(user_id: str, key: Key) -> None:
    """Pin a key's account from a signed delivery with a secret that only fal was given."""
    if not is_storable(FalAccount, user_id=user_id):
        return  # not a fal account id
    FalAccount.objects.get_or_create(key_digest=key.digest, defaults={"user_id": user_id})
    logger.info("Webhooks are accepted for the fal account %s from now on.", user_id)


def _act(row: FalRequest, post: Post, report: WebhookReport) -> Verdict:
    taken = Delivery.objects.filter(request=row, digest=post.digest, verdict__in=_WHOLE)
    if taken.exists():
        return Verdict.DUPLICATE
    heard = lifecycle.observe(row.pk, report, source=Source.WEBHOOK, asked_at=post.now)
    if not _brings_an_end(report):
        _look_at(row, post.now)
    return _VERDICTS[heard]


_VERDICTS = {
    Effect.NEWS: Verdict.ACCEPTED,
    Effect.KNOWN: Verdict.DUPLICATE,
    Effect.CONTRADICTION: Verdict.CONTRADICTS,
}


def _brings_an_end(report: WebhookReport) -> bool:
    return report.status == "ERROR" or (report.status == "OK" and report.payload_bytes is not None)


def _look_at(row: FalRequest, now: datetime) -> None:
    """Poll the request at once if it is live."""
    if FalRequest.objects.live().filter(pk=row.pk).exists():
        lifecycle.make_due(row.pk, now=now)


# --- storage ---------------------------------------------------------------------------------------


def _refuse(
    row: FalRequest, post: Post, verdict: Verdict, note: str = "", *, whole: bool = False
) -> Verdict:
    logger.warning("Webhook for request %s refused: %s.", row.public_id, verdict)
    if verdict in _ASK_FAL and not _asked_lately(row, post.now):
        _look_at(row, post.now)
    _keep(row, post, verdict, NOTES.get(verdict, note), whole=whole)
    return verdict


def _asked_lately(row: FalRequest, now: datetime) -> bool:
    earlier = Delivery.objects.filter(request=row, received_at__gt=now - LOOK_EVERY)
    return earlier.filter(verdict__in=_ASK_FAL).exists()


def _keep(
    row: FalRequest, post: Post, verdict: Verdict, note: str = "", *, whole: bool = False
) -> None:
    """Store the delivery, and send it on: the whole body if it is needed, else its beginning; up to a limit.

    Of one that is stored only the verdict changes, and never that of one that was applied meanwhile.
    """
    wanting = _wanting(row, post) if verdict in _GENUINE else []
    if post.kept is not None:
        stored = Delivery.objects.filter(pk=post.kept).exclude(verdict__in=_WHOLE)
        if stored.update(verdict=verdict, note=note) and wanting:
            forward_delivery(Delivery.objects.defer("body").get(pk=post.kept), wanting)
        return
    if verdict != Verdict.ACCEPTED:
        others = Delivery.objects.filter(request=row).exclude(verdict=Verdict.ACCEPTED)
        if others.count() >= MOST_REFUSED:
            return
    is_whole = whole or wanting or verdict in _WHOLE
    body = post.body if is_whole else post.body[:KEPT_OF_REFUSED]
    is_removed = row.payload_removed_at is not None  # what is said of it later is not kept either
    columns = {
        "request": row,
        "team_id": row.team_id,
        "received_at": post.now,
        "verdict": verdict,
        "note": note,
        "headers": {} if is_removed else post.kept_headers,
        "body": b"" if is_removed else body,
        "body_size": len(post.body),
        "digest": post.digest,
    }
    made = Delivery.objects.create(**storable_columns(Delivery, columns))
    if wanting:
        forward_delivery(made, wanting)


def _wanting(row: FalRequest, post: Post) -> list[ForwardDestination]:
    """Return where a genuine delivery is sent on to; the same bytes again are sent on once."""
    found = list(ForwardDestination.objects.wanting(row.team_id))
    if not found or row.payload_removed_at is not None:
        return []
    known = Delivery.objects.filter(request=row, digest=post.digest, verdict__in=_GENUINE)
    if known.exists():
        return []
    endpoint_id = FalRequest.objects.values_list("endpoint_id", flat=True).get(pk=row.pk)
    return [one for one in found if one.takes(endpoint_id)]
