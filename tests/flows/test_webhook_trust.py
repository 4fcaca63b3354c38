"""Whose webhooks they are: the account, fal's keys, and many deliveries at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from requests_app.keys import environment_key
from requests_app.models import (
    FalAccount,
    FalRequest,
    Status,
)
from requests_app.webhooks import deliveries
from requests_app.webhooks.deliveries import Post, Verdict, receive
from tests.builders import SECRET, make_awaiting, make_post, make_tampered_post
from tests.signing import USER_ID, KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(key_host: KeyHost) -> FalRequest:
    return make_awaiting()


def verdicts(row: FalRequest) -> list[str]:
    return list(row.deliveries.order_by("id").values_list("verdict", flat=True))


# The account


def test_the_first_genuine_delivery_pins_the_account(row: FalRequest, signer: Signer) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    assert deliveries.pinned_account(environment_key()) == USER_ID
    second = make_awaiting(fal_request_id="r2")
    foreign = make_post(signer, body_of("r2"), "r2", user_id="someone-else")
    assert receive(second.public_id, SECRET, foreign) == Verdict.FOREIGN_ACCOUNT
    second.refresh_from_db()
    assert second.status == Status.IN_QUEUE


def test_the_configured_account_counts_more_than_a_learnt_one(
    row: FalRequest, signer: Signer, settings: Any
) -> None:
    settings.FAL_USER_ID = "configured"
    assert (
        receive(row.public_id, SECRET, make_post(signer, body_of("r1"))) == Verdict.FOREIGN_ACCOUNT
    )
    assert not FalAccount.objects.exists()


def test_a_new_key_of_the_same_account_is_learnt_again(
    row: FalRequest, signer: Signer, settings: Any
) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    settings.FAL_KEY = "another:key"
    assert deliveries.pinned_account(environment_key()) == ""
    second = make_awaiting(fal_request_id="r2")
    posted = make_post(signer, body_of("r2"), "r2")
    assert receive(second.public_id, SECRET, posted) == Verdict.ACCEPTED
    assert deliveries.pinned_account(environment_key()) == USER_ID
    assert FalAccount.objects.count() == 2


# fal's keys


def test_a_changed_key_is_found_by_looking_again(
    row: FalRequest, key_host: KeyHost, signer: Signer
) -> None:
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    key_host.signers = [new := Signer()]
    second = make_awaiting(fal_request_id="r2")
    body = body_of("r2")
    now = timezone.now() + timedelta(seconds=61)  # a minute after the last look
    posted = Post(new.headers("r2", body), body, now)
    assert receive(second.public_id, SECRET, posted) == Verdict.ACCEPTED
    assert key_host.asked == 2


def test_a_flood_of_forgeries_asks_for_the_keys_once_a_minute(
    row: FalRequest, key_host: KeyHost
) -> None:
    for _ in range(100):
        receive(row.public_id, SECRET, make_post(Signer(), body_of("r1")))
    assert key_host.asked == 1


def test_known_keys_serve_while_their_host_is_down(
    row: FalRequest, key_host: KeyHost, signer: Signer
) -> None:
    receive(row.public_id, SECRET, make_post(Signer(), body_of("r1")))  # the keys are known now
    key_host.is_down = True
    body = body_of("r1")
    later = timezone.now() + timedelta(hours=23)
    stamp = str(int(later.timestamp()))
    posted = Post(signer.headers("r1", body, timestamp=stamp), body, later)
    assert receive(row.public_id, SECRET, posted) == Verdict.ACCEPTED


def test_without_any_key_nothing_is_decided(
    row: FalRequest, key_host: KeyHost, signer: Signer
) -> None:
    key_host.is_down = True
    assert receive(row.public_id, SECRET, make_post(signer, body_of("r1"))) == Verdict.NO_KEYS
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE
    assert verdicts(row) == ["no_keys"]


def test_a_small_order_key_in_the_set_signs_nothing(row: FalRequest, key_host: KeyHost) -> None:
    class Poisoned(Signer):
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41}

    key_host.signers.append(Poisoned())
    forged = make_tampered_post(Signer(), signature="01" + "00" * 63)
    assert receive(row.public_id, SECRET, forged) == Verdict.BAD_SIGNATURE


# Together


@pytest.mark.django_db(transaction=True)
def test_one_delivery_sent_thirty_times_at_once_counts_once(
    key_host: KeyHost, signer: Signer
) -> None:
    row = make_awaiting(fal_request_id="", status=Status.SUBMITTING)
    posted = make_post(signer, body_of("r1"))
    found = at_once(30, lambda: receive(row.public_id, SECRET, posted))
    assert sorted(found) == ["accepted", *["duplicate"] * 29]
    assert row.observations.filter(kind="ended").count() == 1
    assert FalAccount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_rows_that_claim_one_request_id_at_once_end_with_one_owner(
    key_host: KeyHost, signer: Signer
) -> None:
    rows = [make_awaiting(fal_request_id="", status=Status.UNCERTAIN) for _ in range(2)]
    waiting = iter(rows)
    posted = make_post(signer, body_of("r1"))
    found = at_once(2, lambda: receive(next(waiting).public_id, SECRET, posted))
    assert sorted(found) == ["accepted", "other_request"]
    assert FalRequest.objects.filter(fal_request_id="r1").count() == 1


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Call it in so many threads at the same moment."""
    found: list[Any] = []
    gate = threading.Barrier(count)

    def work() -> None:
        gate.wait()
        try:
            found.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_the_delivery_and_its_effect_are_committed_together(
    row: FalRequest, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(deliveries, "_keep", broken)
    with pytest.raises(RuntimeError):
        receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE
    assert not FalAccount.objects.exists()
