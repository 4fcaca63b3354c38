"""A request that is found in fal's list at the very moment when something else settles it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import Listed
from requests_app.lifecycle import lost_submits
from requests_app.models import FalRequest, Status
from requests_app.rules.lost_submit import LostSubmit
from requests_app.webhooks.deliveries import Verdict, receive
from tests.builders import SECRET, make_awaiting, make_post
from tests.sampling import count
from tests.signing import KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db(transaction=True)

RACES = count("RACES", 500) // 10


def make_lost(number: int) -> FalRequest:
    return make_awaiting(
        fal_request_id="", status=Status.UNCERTAIN, sent_at=timezone.now(),
        input_text=f'{{"number": {number}}}',
    )  # fmt: skip


def look(row: FalRequest, request_id: str) -> None:
    assert row.sent_at
    lost = LostSubmit(row.endpoint_id, json.loads(row.input_text), row.sent_at)
    found = [Listed(request_id, row.endpoint_id, sent_at=row.sent_at)]
    lifecycle.match_lost_submit(row.pk, lost, found, now=timezone.now())


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """All of them in the same instant; what each returned."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_webhook_ends_it_once_whichever_is_first(key_host: KeyHost, signer: Signer) -> None:
    for number in range(RACES):
        row, request_id = make_lost(number), f"r{number}"
        post = make_post(signer, body_of(request_id), request_id)
        verdict, _ = at_once(
            partial(receive, row.public_id, SECRET, post), partial(look, row, request_id)
        )
        assert verdict == Verdict.ACCEPTED
        now = FalRequest.objects.get(pk=row.pk)
        assert (now.status, now.fal_request_id) == (Status.COMPLETED, request_id)
        kinds = list(row.observations.order_by("id").values_list("kind", flat=True))
        assert kinds in (["found", "ended"], ["ended"])


def test_a_person_who_gives_up_and_a_look_agree_on_one_end(owner: User) -> None:
    for number in range(RACES):
        row = make_lost(number)
        gave_up, _ = at_once(
            partial(lifecycle.give_up, row.pk, person=owner, now=timezone.now()),
            partial(look, row, f"r{number}"),
        )
        now = FalRequest.objects.get(pk=row.pk)
        expected = Status.FAILED if gave_up else Status.IN_PROGRESS
        assert (now.status, now.fal_request_id) == (expected, f"r{number}")


def test_of_two_rows_that_want_the_same_id_exactly_one_gets_it(db: None) -> None:
    for number in range(RACES):
        rows = [make_lost(number), make_lost(number)]
        at_once(
            *[partial(lost_submits._adopt, row.pk, f"r{number}", timezone.now()) for row in rows]
        )
        after = FalRequest.objects.filter(pk__in=[row.pk for row in rows])
        assert sorted(row.status for row in after) == [Status.IN_PROGRESS, Status.UNCERTAIN]
