"""A stored delivery is settled again by the rules of an incoming one, and counts once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from requests_app.models import Delivery, FalAccount, FalRequest, Status
from requests_app.models.request import RequestOrigin
from requests_app.webhooks import deliveries
from requests_app.webhooks.again import settle_again
from requests_app.webhooks.deliveries import Verdict, receive
from tests.builders import SECRET, hear, make_awaiting, make_post, make_result
from tests.signing import USER_ID, KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(key_host: KeyHost) -> FalRequest:
    return make_awaiting()


def refused(row: FalRequest, key_host: KeyHost, signer: Signer, **signing: Any) -> Delivery:
    """A genuine delivery that came while fal's keys could not be had; now they can."""
    key_host.is_down = True
    assert receive(row.public_id, SECRET, make_post(signer, body_of("r1"), **signing)) == "no_keys"
    key_host.is_down = False
    deliveries.key_cache.cache_clear()
    return row.deliveries.get()


def again(stored: Delivery, *, later: timedelta = timedelta(hours=3)) -> str | None:
    row = FalRequest.objects.get(pk=stored.request_id)
    verdict = settle_again(row, stored.pk, by="olga", now=timezone.now() + later)
    stored.refresh_from_db()
    return verdict


def test_what_could_not_be_verified_is_applied_hours_later_and_once(row, key_host, signer):
    stored = refused(row, key_host, signer)
    assert again(stored) == stored.verdict == Verdict.ACCEPTED
    assert stored.note == "Settled again by olga."
    row.refresh_from_db()
    assert row.status == Status.COMPLETED
    assert FalAccount.objects.get().user_id == USER_ID
    assert again(stored) is None
    assert row.observations.filter(kind="ended").count() == row.deliveries.count() == 1


def test_a_forged_one_stays_refused_with_the_keys_of_now(row, key_host, signer):
    stored = refused(row, key_host, Signer())
    assert again(stored) == stored.verdict == Verdict.BAD_SIGNATURE
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE
    key_host.signers = [Signer()]  # fal's keys have changed: what held once does not hold now
    assert again(stored, later=timedelta(days=2)) == Verdict.BAD_SIGNATURE
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE and not FalAccount.objects.exists()


def test_a_genuine_one_does_not_hold_with_keys_that_have_changed(row, key_host, signer):
    stored = refused(row, key_host, signer)
    key_host.signers = [Signer()]
    assert again(stored) == Verdict.BAD_SIGNATURE
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE


def test_one_that_was_old_when_it_came_is_not_believed_later(row, key_host, signer):
    old = str(int(timezone.now().timestamp()) - 900)
    stored = refused(row, key_host, signer, timestamp=old)
    assert again(stored) == Verdict.STALE_TIMESTAMP
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE
    assert again(stored) is None


def test_one_of_another_account_or_request_is_refused_as_before(row, key_host, signer, settings):
    stored = refused(row, key_host, signer)
    settings.FAL_USER_ID = "configured"
    assert again(stored) == Verdict.FOREIGN_ACCOUNT
    settings.FAL_USER_ID = USER_ID  # it was a slip
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id="r9")
    assert again(stored) == Verdict.OTHER_REQUEST
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id="r1")
    assert again(stored) == Verdict.ACCEPTED


def test_an_end_that_is_known_stays(row, key_host, signer):
    stored = refused(row, key_host, signer)
    hear(row, make_result(code=422, error="no"))
    assert again(stored) == Verdict.CONTRADICTS
    row.refresh_from_db()
    assert row.status == Status.FAILED


@pytest.mark.parametrize(
    "columns", [{"body": b"cut"}, {"verdict": "accepted"}, {"verdict": "missing_header"}]
)
def test_what_is_not_whole_or_has_its_verdict_is_left_alone(row, key_host, signer, columns):
    stored = refused(row, key_host, signer)
    Delivery.objects.filter(pk=stored.pk).update(**columns)
    assert again(stored) is None
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE and stored.note != "Settled again by olga."


@pytest.mark.parametrize("columns", [{"origin": RequestOrigin.IMPORTED}, {"webhook_digest": ""}])
def test_a_delivery_from_the_file_of_a_run_is_never_settled(row, key_host, signer, columns):
    stored = refused(row, key_host, signer)
    FalRequest.objects.filter(pk=row.pk).update(**columns)
    assert again(stored) is None
    assert not FalAccount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_pressed_by_many_at_once_it_counts_once(key_host: KeyHost, signer: Signer) -> None:
    row = make_awaiting()
    stored = refused(row, key_host, signer)
    gate = threading.Barrier(8)

    def press() -> None:
        gate.wait()
        try:
            settle_again(row, stored.pk, by="olga", now=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored.refresh_from_db()
    assert stored.verdict == Verdict.ACCEPTED
    assert row.observations.filter(kind="ended").count() == 1
