"""Webhooks: is this POST fal's, is it fresh, and what does it say? Pure; the keys come from
``KeyCache``.

A valid signature proves that fal sent it, not that it is about *our* request: fal signs for every
customer with the same keys. The caller has to match the user id, the request id and the secret in
its own URL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .error_bodies import type_of, words_of
from .jsontext import Member, NotJson, parse_members
from .jwks import KeyCache, is_small_order, parse_jwks
from .reports import WebhookReport, text_or_none
from .webhook_encoding import Unpackable, unpacked

__all__ = ["TOLERANCE", "Cause", "KeyCache", "WebhookRejected", "parse_jwks", "verify"]

TOLERANCE = timedelta(seconds=300)
MOST_UNPACKED = 32 * 1024 * 1024  # bytes

Cause = Literal[
    "missing_header",
    "bad_timestamp",
    "stale_timestamp",
    "bad_signature",
    "no_keys",
    "unparsable",
    "id_mismatch",
]

# int() would accept " 1_700_000_000 " and Arabic digits
_TIMESTAMP = re.compile(r"\d{10}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)  # bytes.fromhex() would accept spaces
_SENTENCES: Mapping[Cause, str] = {
    "missing_header": "A header that every webhook of fal carries is missing.",
    "bad_timestamp": "The timestamp is not ten digits.",
    "stale_timestamp": "The timestamp is more than five minutes away from now.",
    "bad_signature": "The signature does not fit any of fal's keys.",
    "no_keys": "No key of fal is known to check the signature with.",
    "unparsable": "The signature is right, but the body cannot be read.",
    "id_mismatch": "The request id in the header is not the one in the body.",
}


class WebhookRejected(Exception):
    """The POST failed a check; ``cause`` names it, ``str()`` is a sentence. Nothing in it may be
    trusted, except after "stale_timestamp", which a caller may answer by polling fal.
    """

    def __init__(self, cause: Cause) -> None:
        super().__init__(_SENTENCES[cause])
        self.cause: Cause = cause


@dataclass(frozen=True)
class _Signed:
    """The four headers, exactly as received."""

    request_id: str
    user_id: str
    timestamp: str
    signature: str


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[bytes],
    now: datetime,
    *,
    limit: int = MOST_UNPACKED,
) -> WebhookReport:
    """Check the POST (``body`` as received, ``now`` aware) against every key. Raises
    WebhookRejected.

    The signature covers the raw body; only a body that fal signed is unpacked, to ``limit`` bytes.
    """
    signed = _signed_headers(headers)
    _check_timestamp(signed.timestamp, now)
    _check_signature(signed, body, keys)
    try:
        content = unpacked(body, headers.get("content-encoding", ""), limit)
    except Unpackable as exc:
        raise WebhookRejected("unparsable") from exc
    report = _report(content, signed.user_id)
    if report.request_id != signed.request_id:
        raise WebhookRejected("id_mismatch")
    return report


def _signed_headers(headers: Mapping[str, str]) -> _Signed:
    lowered = {name.lower(): value for name, value in headers.items()}
    names = ("request-id", "user-id", "timestamp", "signature")
    values = [lowered.get(f"x-fal-webhook-{name}", "") for name in names]
    if not all(values):
        raise WebhookRejected("missing_header")
    return _Signed(*values)


def _check_timestamp(text: str, now: datetime) -> None:
    if not _TIMESTAMP.fullmatch(text):
        raise WebhookRejected("bad_timestamp")
    if abs(now - datetime.fromtimestamp(int(text), UTC)) > TOLERANCE:
        raise WebhookRejected("stale_timestamp")


def _check_signature(signed: _Signed, body: bytes, keys: Sequence[bytes]) -> None:
    if not _SIGNATURE.fullmatch(signed.signature):
        raise WebhookRejected("bad_signature")
    if not keys:
        raise WebhookRejected("no_keys")
    digest = hashlib.sha256(body).hexdigest()
    lines = (signed.request_id, signed.user_id, signed.timestamp, digest)
    # A line break inside a value could move text from one line to the next under the same
    # signature.
    if any(not line.isprintable() for line in lines):
        raise WebhookRejected("bad_signature")
    message, signature = "\n".join(lines).encode("utf-8"), bytes.fromhex(signed.signature)
    if not any(_fits(key, signature, message) for key in keys):
        raise WebhookRejected("bad_signature")


def _fits(key: bytes, signature: bytes, message: bytes) -> bool:
    if is_small_order(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _report(body: bytes, user_id: str) -> WebhookReport:
    try:
        members = parse_members(body)
    except NotJson as exc:
        raise WebhookRejected("unparsable") from exc

    def value(name: str) -> Any:
        return members.get(name, Member(None, b"")).value

    def text(name: str) -> str | None:
        return text_or_none(value(name))

    request_id, status = text("request_id"), text("status")
    if request_id is None or status is None:
        raise WebhookRejected("unparsable")
    payload = members.get("payload", Member(None, b""))
    return WebhookReport(
        request_id=request_id,
        gateway_request_id=text("gateway_request_id"),
        status=status,
        payload_bytes=None if payload.value is None else payload.raw,
        error=words_of(value("error")),
        error_type=text("error_type") or type_of({"error": value("error")}),
        payload_error=words_of(value("payload_error")),
        user_id=user_id,
    )
