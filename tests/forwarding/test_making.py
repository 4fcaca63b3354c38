"""What happened becomes messages: each delivery and each end once for each destination that wants it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.forwarding.making import LONGEST, look
from requests_app.forwarding.outbox import take_due
from requests_app.models import Delivery, FalRequest, ForwardDestination, ForwardMessage, Team
from requests_app.webhooks.again import settle_again
from requests_app.webhooks.deliveries import KEPT_OF_REFUSED, Verdict, receive
from tests.builders import SECRET, hear, make_awaiting, make_post, make_queued, make_result
from tests.forwarding.scene import make_destination
from tests.signing import KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(key_host: KeyHost, team: Team, owner: User) -> FalRequest:
    return make_awaiting(team=team, person=owner)


def completed(team: Team, owner: User, **columns: Any) -> FalRequest:
    row = make_queued(f"r-{FalRequest.objects.count()}", team=team, person=owner, **columns)
    hear(row, make_result(output={"text": "s3cret output"}))
    row.refresh_from_db()
    return row


def events() -> list[str]:
    return list(ForwardMessage.objects.order_by("pk").values_list("event", flat=True))


# fal's deliveries


def test_a_genuine_delivery_is_sent_on_as_it_came_and_the_same_bytes_once(
    row: FalRequest, team: Team, signer: Signer
) -> None:
    make_destination(team, wants_completed=False)
    make_destination(team, name="off", is_on=False)
    make_destination(team, name="others", pattern="other/*")
    make_destination(Team.objects.create(name="Other"), name="foreign")
    post = make_post(signer, body_of("r1", payload={"text": "x" * (KEPT_OF_REFUSED + 5)}))
    for _ in range(2):
        receive(row.public_id, SECRET, post)
    message = ForwardMessage.objects.get()
    assert (message.event, message.destination.name) == ("fal.delivery", "crm")
    [taken] = take_due(timezone.now(), 5, running={})
    assert taken.body == post.body
    assert taken.headers == dict(post.headers)


def test_one_that_tells_what_is_known_is_sent_on_too_and_whole(
    row: FalRequest, team: Team, signer: Signer
) -> None:
    body = body_of("r1", payload={"text": "x" * (KEPT_OF_REFUSED + 5)})
    receive(row.public_id, SECRET, make_post(signer, body))
    make_destination(team)
    moment = str(int(timezone.now().timestamp()) - 60)  # never the second of the first one
    post = make_post(signer, body, timestamp=moment)
    assert receive(row.public_id, SECRET, post) == Verdict.DUPLICATE
    [taken] = take_due(timezone.now(), 5, running={})
    assert taken.body == post.body


def test_a_forged_one_is_sent_nowhere_until_it_is_settled_again_and_holds(
    row: FalRequest, team: Team, signer: Signer, key_host: KeyHost
) -> None:
    make_destination(team)
    key_host.signers = [Signer()]
    post = make_post(signer, body_of("r1"))
    assert receive(row.public_id, SECRET, post) == Verdict.BAD_SIGNATURE
    assert events() == []
    key_host.signers = [signer]
    stored = Delivery.objects.get()
    later = timezone.now() + timedelta(hours=1)
    assert settle_again(row, stored.pk, by="olga", now=later) == Verdict.ACCEPTED
    assert settle_again(row, stored.pk, by="olga", now=later) is None
    assert events() == ["fal.delivery"]
    [taken] = take_due(timezone.now(), 5, running={})
    assert taken.body == post.body


def test_messages_go_with_the_payload_and_a_delivery_that_is_not_whole_is_never_sent(
    row: FalRequest, team: Team, signer: Signer
) -> None:
    make_destination(team)
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    Delivery.objects.update(body=b"{")
    assert take_due(timezone.now(), 5, running={}) == []
    assert ForwardMessage.objects.get().why == "The delivery is no longer kept."
    lifecycle.remove_payload(row.pk, days=1, now=timezone.now())
    assert look(timezone.now()) == 0
    later = str(int(timezone.now().timestamp()) - 60)
    receive(row.public_id, SECRET, make_post(signer, body_of("r1"), timestamp=later))
    assert not ForwardMessage.objects.exists()


# Our own events


def test_an_end_is_told_once_to_each_that_wants_it_without_input_and_output(
    team: Team, owner: User, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://faldeck.example"
    make_destination(team)
    make_destination(team, name="failures", wants_completed=False)
    make_destination(team, name="others", pattern="other/*")
    row = completed(team, owner)
    completed(Team.objects.create(name="Other"), owner)
    now = timezone.now()
    assert [look(now), look(now)] == [1, 0]
    message = ForwardMessage.objects.get()
    told = json.loads(bytes(message.body))
    assert (told["type"], message.event) == ("request.completed", "request.completed")
    data = told["data"]
    assert (data["id"], data["status"]) == (str(row.public_id), "completed")
    assert data["api_url"] == f"https://faldeck.example/api/v1/requests/{row.public_id}/"
    assert b"s3cret" not in bytes(message.body)


def test_what_ended_before_or_while_it_was_off_is_not_told_and_a_stopped_worker_loses_nothing(
    team: Team, owner: User
) -> None:
    row = completed(team, owner)
    now = timezone.now()
    one = make_destination(team, now=now)
    assert look(now) == 0
    FalRequest.objects.filter(pk=row.pk).update(ended_at=now + timedelta(minutes=1))
    # No worker looks for twenty hours.
    later = now + timedelta(hours=20)
    assert look(later) == 1
    one.refresh_from_db()
    assert one.looked_at == later
    # What is stored late is found, for a while.
    late = completed(team, owner)
    FalRequest.objects.filter(pk=late.pk).update(ended_at=later - timedelta(minutes=5))
    assert look(later + timedelta(seconds=2)) == 1
    old = completed(team, owner)
    ForwardDestination.objects.update(since=now - 3 * LONGEST, looked_at=None)
    FalRequest.objects.filter(pk=old.pk).update(ended_at=later - LONGEST - timedelta(minutes=1))
    assert look(later) == 0


def test_each_kind_of_end_has_its_own_choice(team: Team, owner: User) -> None:
    make_destination(team, wants_completed=False, wants_cancelled=False)
    for status in ("completed", "failed", "cancelled"):
        FalRequest.objects.filter(pk=completed(team, owner).pk).update(status=status)
    assert look(timezone.now()) == 1
    assert events() == ["request.failed"]
