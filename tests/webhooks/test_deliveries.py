from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError
from django.utils import timezone

from requests_app.models import (
    Delivery,
    FalAccount,
    FalRequest,
    Observation,
    Status,
)
from requests_app.webhooks import deliveries
from requests_app.webhooks.deliveries import Post, Verdict, receive
from tests.builders import SECRET, make_awaiting, make_post, make_tampered_post
from tests.signing import KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(key_host: KeyHost) -> FalRequest:
    return make_awaiting()


def seconds_ago(seconds: int) -> str:
    return str(int(datetime.now(UTC).timestamp()) - seconds)


def verdicts(row: FalRequest) -> list[str]:
    return list(row.deliveries.order_by("id").values_list("verdict", flat=True))


# What counts


def test_a_genuine_delivery_ends_the_request_and_is_kept_whole(
    row: FalRequest, signer: Signer
) -> None:
    body = body_of("r1", payload={"text": "x" * 100_000})
    assert receive(row.public_id, SECRET, make_post(signer, body)) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert row.status == Status.COMPLETED
    assert bytes(row.output) == body[body.index(b'{"text"') : -1]
    kept = row.deliveries.get()
    assert (bytes(kept.body), kept.body_size, kept.verdict) == (body, len(body), "accepted")
    assert set(kept.headers) == {
        "x-fal-webhook-request-id", "x-fal-webhook-user-id",
        "x-fal-webhook-timestamp", "x-fal-webhook-signature",
    }  # fmt: skip


def test_the_same_bytes_again_change_nothing(row: FalRequest, signer: Signer) -> None:
    again = make_post(signer, body_of("r1"))
    receive(row.public_id, SECRET, again)
    before = Observation.objects.count()
    assert receive(row.public_id, SECRET, again) == Verdict.DUPLICATE
    assert Observation.objects.count() == before
    assert verdicts(row) == ["accepted", "duplicate"]


def test_the_same_end_told_anew_is_a_duplicate(row: FalRequest, signer: Signer) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    later = make_post(signer, body_of("r1"), timestamp=seconds_ago(-1))
    assert receive(row.public_id, SECRET, later) == Verdict.DUPLICATE


def test_the_first_end_stays_when_a_later_one_contradicts_it(
    row: FalRequest, signer: Signer
) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    error = body_of("r1", status="ERROR", error="Invalid status code: 500", payload=None)
    assert receive(row.public_id, SECRET, make_post(signer, error)) == Verdict.CONTRADICTS
    row.refresh_from_db()
    assert row.status == Status.COMPLETED
    assert bytes(row.deliveries.first().body) == error
    assert row.observations.filter(kind="contradiction").exists()


def test_a_contradiction_sent_again_is_not_told_again(row: FalRequest, signer: Signer) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    error = make_post(signer, body_of("r1", status="ERROR", error="x", payload=None))
    found = [receive(row.public_id, SECRET, error) for _ in range(2)]
    assert found == [Verdict.CONTRADICTS, Verdict.DUPLICATE]
    assert row.observations.filter(kind="contradiction").count() == 1


def test_an_error_ends_the_request_as_failed_with_its_fields(
    row: FalRequest, signer: Signer
) -> None:
    detail = [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]
    body = body_of(
        "r1", status="ERROR", error="Invalid status code: 422", payload={"detail": detail}
    )
    assert receive(row.public_id, SECRET, make_post(signer, body)) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert b"field required" in bytes(row.output)


def test_a_delivery_before_the_submit_reply_brings_the_request_id(
    key_host: KeyHost, signer: Signer
) -> None:
    row = make_awaiting(status=Status.SUBMITTING, fal_request_id="")
    assert receive(row.public_id, SECRET, make_post(signer, body_of("r1"))) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert (row.status, row.fal_request_id) == (Status.COMPLETED, "r1")


@pytest.mark.parametrize(
    "members",
    [
        {"payload": None, "payload_error": "Response payload is not JSON serializable."},
        {"payload": None},
        {"status": "PERHAPS"},
    ],
)
def test_without_a_payload_no_end_is_taken_and_the_row_is_looked_at_now(
    row: FalRequest, signer: Signer, members: dict[str, Any]
) -> None:
    posted = make_post(signer, body_of("r1", **members))
    assert receive(row.public_id, SECRET, posted) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert not row.is_ended
    assert row.due_at is not None
    assert row.due_at <= timezone.now()


def test_a_delivery_without_payload_hurries_a_fetch_that_was_put_off(
    key_host: KeyHost, signer: Signer
) -> None:
    later = timezone.now() + timedelta(hours=1)
    row = make_awaiting(status=Status.IN_PROGRESS, finished_at=timezone.now(), due_at=later)
    receive(row.public_id, SECRET, make_post(signer, body_of("r1", payload=None)))
    row.refresh_from_db()
    assert row.due_at <= timezone.now()


def test_a_delivery_without_payload_does_not_wake_an_ended_row(
    key_host: KeyHost, signer: Signer
) -> None:
    row = make_awaiting(status=Status.COMPLETED, ended_at=timezone.now())
    receive(row.public_id, SECRET, make_post(signer, body_of("r1", payload=None)))
    row.refresh_from_db()
    assert row.due_at is None


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "NaN", "x" * 100_000])
def test_hostile_text_in_a_report_is_survived(row: FalRequest, signer: Signer, text: str) -> None:
    body = body_of("r1", status="ERROR", error=text, payload={"detail": text})
    assert receive(row.public_id, SECRET, make_post(signer, body)) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert row.status == Status.FAILED


def test_a_report_that_cannot_be_stored_makes_us_ask_fal(
    row: FalRequest, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observe(*args: object, **kwargs: object) -> None:
        raise DataError("a text column cannot hold this")

    monkeypatch.setattr(deliveries.lifecycle, "observe", observe)
    posted = make_post(signer, body_of("r1"))
    assert receive(row.public_id, SECRET, posted) == Verdict.UNPARSABLE
    row.refresh_from_db()
    assert row.due_at is not None
    assert verdicts(row) == ["unparsable"]


# What is refused


def without(signer: Signer, name: str) -> Post:
    body = body_of("r1")
    headers = signer.headers("r1", body)
    del headers[f"x-fal-webhook-{name}"]
    return Post(headers, body, timezone.now())


def forgeries(signer: Signer) -> list[tuple[Post, Verdict]]:
    good = signer.headers("r1", body_of("r1"))["x-fal-webhook-signature"]
    spaced = " ".join(good[i : i + 2] for i in range(0, 128, 2))
    bad = Verdict.BAD_SIGNATURE
    other_body = Post(signer.headers("r1", body_of("r1")), body_of("r1") + b" ", timezone.now())
    return [
        *((without(signer, name), Verdict.MISSING_HEADER)
          for name in ("request-id", "user-id", "timestamp", "signature")),
        *((make_tampered_post(signer, signature=text), bad)
          for text in ("0" * 128, good[:-2], good + "00", "zz" * 64, spaced, f"{good},{good}")),
        *((make_tampered_post(signer, timestamp=text), Verdict.BAD_TIMESTAMP)
          for text in (" 1_700_000_000 ", "1e9", "-1", "1" * 20, "1700000000.0", "\u0661" * 10)),
        (make_tampered_post(signer, user_id="x"), bad),
        (make_tampered_post(signer, request_id="r2"), bad),
        (make_tampered_post(signer, timestamp=seconds_ago(-2)), bad),
        (make_tampered_post(signer, timestamp=seconds_ago(4000)), bad),  # forged, so not merely stale
        (other_body, bad),
        (make_post(Signer(), body_of("r1")), bad),
    ]  # fmt: skip


def test_a_forged_delivery_is_refused_by_name_and_changes_nothing(
    row: FalRequest, signer: Signer
) -> None:
    for posted, verdict in forgeries(signer):
        assert receive(row.public_id, SECRET, posted) == verdict
    row.refresh_from_db()
    assert (row.status, row.seq, row.due_at) == (Status.IN_QUEUE, 0, None)
    assert len(verdicts(row)) == len(forgeries(signer))
    assert not FalAccount.objects.exists()


@pytest.mark.slow
def test_a_signature_with_one_bit_flipped_is_refused(row: FalRequest, signer: Signer) -> None:
    posted = make_post(signer, body_of("r1"))
    good = bytes.fromhex(posted.headers["x-fal-webhook-signature"])
    for bit in range(512):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        headers = {**posted.headers, "x-fal-webhook-signature": bytes(flipped).hex()}
        forged = Post(headers, posted.body, posted.now)
        assert receive(row.public_id, SECRET, forged) == Verdict.BAD_SIGNATURE
    assert len(verdicts(row)) == deliveries.MOST_REFUSED


@pytest.mark.parametrize("age", [301, -302])
def test_a_stale_delivery_is_not_believed_but_fal_is_asked(
    row: FalRequest, signer: Signer, age: int
) -> None:
    stale = make_post(signer, body_of("r1"), timestamp=seconds_ago(age))
    assert receive(row.public_id, SECRET, stale) == Verdict.STALE_TIMESTAMP
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE
    assert row.due_at is not None
    assert not FalAccount.objects.exists()


def test_stale_deliveries_make_us_ask_fal_once_in_ten_seconds(
    row: FalRequest, signer: Signer
) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1"), timestamp=seconds_ago(400)))
    FalRequest.objects.update(due_at=None)
    again = make_post(signer, body_of("r1"), timestamp=seconds_ago(401))
    receive(row.public_id, SECRET, again)
    row.refresh_from_db()
    assert row.due_at is None
    eleven_later = Post(again.headers, again.body, again.now + timedelta(seconds=11))
    receive(row.public_id, SECRET, eleven_later)
    row.refresh_from_db()
    assert row.due_at is not None


def test_a_signed_body_that_cannot_be_read_makes_us_ask_fal(
    row: FalRequest, signer: Signer
) -> None:
    assert receive(row.public_id, SECRET, make_post(signer, b"[" * 100_000)) == Verdict.UNPARSABLE
    row.refresh_from_db()
    assert row.due_at is not None
    assert len(row.deliveries.get().body) == deliveries.KEPT_OF_REFUSED


def test_a_header_id_that_is_not_the_bodys_is_refused(row: FalRequest, signer: Signer) -> None:
    assert receive(row.public_id, SECRET, make_post(signer, body_of("r2"))) == Verdict.ID_MISMATCH


def test_another_requests_delivery_is_refused(row: FalRequest, signer: Signer) -> None:
    other = make_post(signer, body_of("r2"), "r2")
    assert receive(row.public_id, SECRET, other) == Verdict.OTHER_REQUEST
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE


def test_a_row_without_id_does_not_take_the_id_of_another_row(
    row: FalRequest, signer: Signer
) -> None:
    empty = make_awaiting(fal_request_id="", status=Status.UNCERTAIN)
    assert (
        receive(empty.public_id, SECRET, make_post(signer, body_of("r1"))) == Verdict.OTHER_REQUEST
    )
    empty.refresh_from_db()
    assert (empty.status, empty.fal_request_id) == (Status.UNCERTAIN, "")


def test_a_wrong_secret_is_the_same_as_no_request_and_leaves_nothing(
    row: FalRequest, signer: Signer
) -> None:
    posted = make_post(signer, body_of("r1"))
    assert receive(row.public_id, SECRET + "x", posted) is None
    assert receive(uuid4(), SECRET, posted) is None
    assert not Delivery.objects.exists()


def test_a_row_that_was_never_sent_has_no_secret(key_host: KeyHost, signer: Signer) -> None:
    row = make_awaiting(webhook_digest="", status=Status.PENDING, fal_request_id="")
    assert receive(row.public_id, "", make_post(signer, body_of("r1"))) is None


# The URL
