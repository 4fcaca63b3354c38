"""Webhooks at the worst moment, in number: racing the submit's reply, each other, and polls.

RACES makes it more; the goals are stated for 10,000 races and 1,000 requests, and for 500 and 50 in continuous integration.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from requests_app.models import FalAccount, FalRequest, Status, Team
from requests_app.webhooks.deliveries import Verdict, receive
from requests_app.worker.sweep import sweep
from tests.builders import SECRET, make_awaiting, make_post, make_request
from tests.flows.racing_fal import ORDERS, RacingFal, receipt
from tests.sampling import count
from tests.signing import KeyHost, Signer, body_of
from tests.worker.conftest import loop as loop

pytestmark = pytest.mark.django_db(transaction=True)

RACES = count("RACES", 500)
REPEATED = RACES // 10
TIMES = 31  # as often as fal repeats a delivery
AT_ONCE = 15  # the pool of PostgreSQL has 20 connections, and the worker loop takes some


@pytest.fixture
def racing(key_host: KeyHost, signer: Signer, settings: Any) -> Iterator[RacingFal]:
    fal = RacingFal(signer, seed=11)
    settings.FAL_QUEUE_URL, settings.PUBLIC_URL = fal.url, "http://localhost"
    yield fal
    fal.close()


@pytest.mark.long
@pytest.mark.timeout(60 + RACES)
def test_webhooks_that_race_the_submits_reply_all_find_their_request(
    racing: RacingFal, loop: Any, team: Team, owner: User
) -> None:
    with transaction.atomic():
        rows = [make_request(team=team, person=owner) for _ in range(RACES)]
    # More than once: of many lost replies in a row we conclude that fal is away, and wait a moment.
    end = time.monotonic() + 30 + RACES / 10
    while len(racing.answers) < RACES:
        assert time.monotonic() < end, len(racing.answers)
        loop.run(sweep())
        time.sleep(0.5)
    statuses = Counter(answer.result() for answer in racing.answers)
    loop.stop()  # the last replies are stored now
    assert statuses == {200: RACES}
    assert set(racing.orders) == set(ORDERS)
    assert racing.submits == {str(row.public_id): 1 for row in rows}
    found = {str(row.public_id): row for row in with_ends()}
    for public_id, request_id in racing.given.items():
        row = found[public_id]
        assert (row.status, row.fal_request_id) == (Status.COMPLETED, request_id)
        assert bytes(row.output) == b'{"of": "%s"}' % request_id.encode()
        assert row.ends == 1


@pytest.mark.slow
@pytest.mark.timeout(60 + RACES)
def test_each_delivery_many_times_at_once_beside_polls_ends_its_request_once(
    racing: RacingFal, loop: Any, signer: Signer
) -> None:
    rows = [open_at(racing, f"r{number}") for number in range(REPEATED)]
    posts = {row.pk: make_post(signer, webhook_of(row), row.fal_request_id) for row in rows}
    order = [row for row in rows for _ in range(TIMES)]
    polls = threading.Thread(target=loop.run, args=[sweep()])
    verdicts: dict[int, Counter[Any]] = {row.pk: Counter() for row in rows}

    def deliver(row: FalRequest) -> None:
        try:
            verdicts[row.pk][receive(row.public_id, SECRET, posts[row.pk])] += 1
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        polls.start()
        list(pool.map(deliver, order))
    polls.join()
    loop.stop()
    for row in with_ends():
        assert (row.status, row.ends) == (Status.COMPLETED, 1)
        assert sum(verdicts[row.pk].values()) == TIMES
        assert set(verdicts[row.pk]) <= {Verdict.ACCEPTED, Verdict.DUPLICATE}
        assert verdicts[row.pk][Verdict.ACCEPTED] <= 1  # none, where a poll was first
    assert FalAccount.objects.count() == 1


def open_at(fal: RacingFal, request_id: str) -> FalRequest:
    """A request that fal has finished: a webhook and a look will say so in the same instant."""
    urls = receipt(fal.url, request_id)
    return make_awaiting(
        fal_request_id=request_id, due_at=timezone.now(), accepted_at=timezone.now(),
        **{name: urls[name] for name in ("status_url", "response_url", "cancel_url")},
    )  # fmt: skip


def webhook_of(row: FalRequest) -> bytes:
    return body_of(row.fal_request_id, payload={"of": row.fal_request_id})


def with_ends() -> Any:
    """Every row, and how often it was said to have ended."""
    ended = Count("observations", filter=Q(observations__kind="ended"))
    return FalRequest.objects.annotate(ends=ended)
