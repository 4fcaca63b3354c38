"""What a submit says of duplicates: the same input again is a conflict, unless it is allowed."""

from __future__ import annotations

from threading import Thread

import pytest
from django.db import connection

from requests_app.models import FalRequest
from tests.api.conftest import Caller
from tests.api.test_requests import BODY


def test_the_same_input_again_is_a_conflict_that_names_the_request(owner: Caller) -> None:
    first = owner.post(body=BODY).json()
    again = owner.post(body=BODY)
    assert again.status_code == 409
    assert again.json()["id"] == first["id"] and "is running" in again.json()["detail"]
    assert FalRequest.objects.count() == 1
    assert owner.post(body=BODY | {"allow_duplicate": True}).status_code == 201
    assert FalRequest.objects.count() == 2


def test_a_key_used_after_a_conflict_stands_for_the_same_call(owner: Caller) -> None:
    owner.post(body=BODY)
    key = {"Idempotency-Key": "order-18"}
    assert owner.post(body=BODY, **key).status_code == 409
    made = owner.post(body=BODY | {"allow_duplicate": True}, **key)
    assert made.status_code == 201
    again = owner.post(body=BODY, **key)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])


@pytest.mark.django_db(transaction=True)
def test_of_the_same_calls_at_once_one_makes_a_request(owner: Caller) -> None:
    codes: list[int] = []

    def call() -> None:
        try:
            codes.append(owner.post(body=BODY).status_code)
        finally:
            connection.close()

    threads = [Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201, 409, 409, 409, 409, 409]
    assert FalRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_the_same_calls_with_one_key_at_once_all_are_the_same_request(owner: Caller) -> None:
    told: list[tuple[int, str]] = []

    def call() -> None:
        try:
            reply = owner.post(body=BODY, **{"Idempotency-Key": "order-19"})
            told.append((reply.status_code, reply.json()["id"]))
        finally:
            connection.close()

    threads = [Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for code, _ in told) == [200, 200, 200, 201]
    assert len({public_id for _, public_id in told}) == 1
