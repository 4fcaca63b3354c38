"""FORGERIES makes the one large test larger: its goal is stated for 1,000,000, and 100,000 here."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from requests_app.fal.webhooks import WebhookRejected, verify
from tests.forgeries import Forger, forgeries
from tests.sampling import count
from tests.signing import Signer

FORGERIES = count("FORGERIES", 100_000)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
RID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
BODY = (
    b'{"request_id":"%s","gateway_request_id":"g","status":"OK","payload":{"seed": 1.0e5}}'
    % RID.encode()
)


def signed(
    body: bytes = BODY,
    *,
    request_id: str = RID,
    user_id: str = "user-1",
    at: str | None = None,
    key: Ed25519PrivateKey = KEY,
) -> dict[str, str]:
    """Headers as fal sends them, made from the protocol's text and not from our code."""
    timestamp = str(int(NOW.timestamp())) if at is None else at
    message = f"{request_id}\n{user_id}\n{timestamp}\n{hashlib.sha256(body).hexdigest()}"
    return {
        "X-Fal-Webhook-Request-Id": request_id,
        "X-Fal-Webhook-User-Id": user_id,
        "X-Fal-Webhook-Timestamp": timestamp,
        "X-Fal-Webhook-Signature": key.sign(message.encode()).hex(),
    }


def cause_of(
    headers: dict[str, str], body: bytes = BODY, keys: Any = (PUBLIC,), now: datetime = NOW
) -> str:
    with pytest.raises(WebhookRejected) as caught:
        verify(headers, body, keys, now)
    assert str(caught.value).endswith(".")
    return caught.value.cause


def test_a_signed_webhook_is_read_and_its_payload_kept_byte_for_byte() -> None:
    report = verify(signed(), BODY, [PUBLIC], NOW)
    assert (report.request_id, report.gateway_request_id, report.status) == (RID, "g", "OK")
    assert report.payload_bytes == b'{"seed": 1.0e5}'
    assert (report.error, report.error_type, report.payload_error) == (None, None, None)
    assert report.user_id == "user-1"


def test_header_names_may_be_in_any_case() -> None:
    assert verify({name.lower(): value for name, value in signed().items()}, BODY, [PUBLIC], NOW)
    assert verify({name.upper(): value for name, value in signed().items()}, BODY, [PUBLIC], NOW)


def test_every_key_is_tried() -> None:
    assert verify(signed(), BODY, [OTHER, b"too short", PUBLIC], NOW)
    assert cause_of(signed(), keys=[OTHER, OTHER]) == "bad_signature"


def test_without_keys_nothing_can_be_said_about_the_signature() -> None:
    assert cause_of(signed(), keys=[]) == "no_keys"


@pytest.mark.parametrize("name", signed())
@pytest.mark.parametrize("value", [None, ""])
def test_each_of_the_four_headers_is_needed(name: str, value: str | None) -> None:
    headers = signed()
    del headers[name]
    if value is not None:
        headers[name] = value
    assert cause_of(headers) == "missing_header"


@pytest.mark.parametrize(
    "text",
    [
        " 1_700_000_000 ",
        "\u0661\u0667" + "\u0660" * 8,
        "1e9",
        "-1",
        "17000000000000000000",
        "1700000000.0",
        "1700000000\n",
        "0x65",
    ],
)
def test_an_odd_timestamp_is_refused_although_its_signature_is_right(text: str) -> None:
    assert cause_of(signed(at=text)) == "bad_timestamp"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_fresh(seconds: int) -> None:
    assert verify(signed(), BODY, [PUBLIC], NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86400])
def test_more_than_five_minutes_is_stale(seconds: int) -> None:
    assert cause_of(signed(), now=NOW + timedelta(seconds=seconds)) == "stale_timestamp"


def _signature(change: str) -> str:
    text = signed()["X-Fal-Webhook-Signature"]
    return {
        "short": text[:-2],
        "long": text + "00",
        "zero": "0" * 128,
        "upper": text.upper(),
        "spaced": " ".join(text[i : i + 2] for i in range(0, 128, 2)),
        "not hex": "g" * 128,
        "newline": text + "\n",
        "twice": f"{text},{text}",
        "arabic": "\u0660" * 128,
    }[change]


@pytest.mark.parametrize(
    "change", ["short", "long", "zero", "upper", "spaced", "not hex", "newline", "twice", "arabic"]
)
def test_a_signature_is_128_lower_case_hex_digits(change: str) -> None:
    headers = {**signed(), "X-Fal-Webhook-Signature": _signature(change)}
    assert cause_of(headers) == "bad_signature"


def test_one_flipped_bit_anywhere_in_the_signature_is_refused() -> None:
    good = bytes.fromhex(signed()["X-Fal-Webhook-Signature"])
    for bit in range(512):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert cause_of({**signed(), "X-Fal-Webhook-Signature": bad.hex()}) == "bad_signature"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Fal-Webhook-Request-Id", RID[:-1] + "c"),
        ("X-Fal-Webhook-User-Id", "user-2"),
        ("X-Fal-Webhook-Timestamp", str(int(NOW.timestamp()) + 1)),
    ],
)
def test_every_signed_header_counts(name: str, value: str) -> None:
    assert cause_of({**signed(), name: value}) == "bad_signature"


def test_the_body_is_signed_as_bytes() -> None:
    rewritten = json.dumps(json.loads(BODY)).encode()
    assert rewritten != BODY
    assert cause_of(signed(), rewritten) == "bad_signature"
    assert cause_of(signed(), BODY + b" ") == "bad_signature"


def test_text_cannot_be_moved_across_the_lines_of_the_signed_message() -> None:
    headers = signed(request_id=RID, user_id="a\nb")
    moved = {**headers, "X-Fal-Webhook-Request-Id": f"{RID}\na", "X-Fal-Webhook-User-Id": "b"}
    assert cause_of(moved) == "bad_signature"


def test_a_small_order_key_accepts_no_forgery() -> None:
    identity = bytes([1]) + bytes(31)
    forged = {**signed(), "X-Fal-Webhook-Signature": (identity + bytes(32)).hex()}
    assert cause_of(forged, keys=[identity]) == "bad_signature"


def test_the_id_of_the_header_has_to_be_the_one_of_the_body() -> None:
    assert cause_of(signed(request_id="another-id")) == "id_mismatch"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"request_id":7,"status":"OK"}',
        b'{"request_id":"%s"}' % RID.encode(),
        b"\xff",
        b"{" * 9999,
    ],
    ids=range(7),
)
def test_a_signed_body_that_cannot_be_read_is_no_server_error(body: bytes) -> None:
    assert cause_of(signed(body), body) == "unparsable"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"payload": None, "payload_error": "not JSON"}, (None, "not JSON", None)),
        ({}, (None, None, None)),
        ({"payload": {}}, (b"{}", None, None)),
        ({"payload": "null"}, (b'"null"', None, None)),
        ({"payload": False}, (b"false", None, None)),
        ({"payload": {"detail": []}, "error": "Invalid status code: 422"},
         (b'{"detail": []}', None, "Invalid status code: 422")),
    ],
)  # fmt: skip
def test_payload_and_errors_are_told_apart(
    members: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    body = json.dumps({"request_id": RID, "status": "ERROR", "new_member": 1, **members}).encode()
    report = verify(signed(body), body, [PUBLIC], NOW)
    assert (report.payload_bytes, report.payload_error, report.error) == expected


def test_an_unknown_status_word_is_kept() -> None:
    body = json.dumps({"request_id": RID, "status": "NEW", "error_type": "internal_error"}).encode()
    report = verify(signed(body), body, [PUBLIC], NOW)
    assert (report.status, report.error_type) == ("NEW", "internal_error")


@pytest.mark.slow
@pytest.mark.timeout(60 + FORGERIES // 1000)
def test_of_very_many_forgeries_none_is_believed() -> None:
    fal, now = Signer(), datetime.now(UTC)
    keys = [fal.key.public_key().public_bytes_raw()]
    causes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for forged in islice(forgeries(fal, "r1", seed=4), FORGERIES):
        kinds[forged.kind] += 1
        try:
            verify(forged.headers, forged.body, keys, now)
        except WebhookRejected as error:
            causes[error.cause] += 1
        else:
            pytest.fail(f"believed: {forged}")
    assert sum(causes.values()) == FORGERIES
    assert set(causes) == {
        "bad_signature", "bad_timestamp", "stale_timestamp", "missing_header", "id_mismatch",
    }  # fmt: skip
    assert causes["bad_signature"] > FORGERIES / 2  # most reach the signature itself
    assert kinds["signature bit"] == 8 * 512
    assert len(kinds) == 20


def test_what_the_forgeries_start_from_is_believed() -> None:
    fal = Signer()
    keys = [fal.key.public_key().public_bytes_raw()]
    for genuine in Forger(fal, "r1", 4, now=NOW).genuine:
        assert verify(genuine.headers, genuine.body, keys, NOW)
