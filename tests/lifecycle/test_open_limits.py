"""How many requests may be open at once, wherever they are made, also by callers at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import feeding
from requests_app.bulk import working
from requests_app.forms.submit import new_token
from requests_app.lifecycle import TooManyOpen
from requests_app.lifecycle.items import WAITS
from requests_app.models import ApiToken, Batch, BatchItem, BulkAction, FalRequest, Team
from requests_app.relay.opening import TooManySessions, claim_session
from tests.builders import hear, make_draft, make_person, make_queued, make_request, make_result

NEW = reverse("requests:new")
SENTENCE = "2 requests open, and 2 may be open at once"


@pytest.fixture
def full(settings: Any, team: Team, owner: Any) -> FalRequest:
    """A team that has as many open as it may have: two. One of them."""
    settings.OPEN_PER_TEAM = 2
    make_request(team=team, person=owner)
    return make_queued(team=team, person=owner)


def test_what_has_ended_makes_room(full, team, owner):
    with pytest.raises(TooManyOpen, match=f"This team has {SENTENCE}"):
        make_request(team=team, person=owner)
    hear(full, make_result())
    assert make_request(team=team, person=owner).pk
    other = Team.objects.create(name="B")
    assert make_request(team=other, person=make_person("ben", team=other)).pk


def test_one_user_leaves_room_for_the_others(settings, team, owner, teammate):
    settings.OPEN_PER_USER = 1
    make_request(team=team, person=owner)
    with pytest.raises(TooManyOpen, match="You have 1 requests open"):
        make_request(team=team, person=owner)
    assert make_request(team=team, person=teammate).pk


def form(**more: str) -> dict[str, str]:
    typed = {"endpoint_id": "acme/img", "mode": "queue", "input": '{"prompt": "typed words"}'}
    return {**typed, "token": new_token(), **more}


def test_the_form_says_it_and_keeps_what_was_typed(full, as_owner):
    reply = as_owner.post(NEW, form())
    assert (reply.status_code, reply["Retry-After"]) == (429, "10")
    assert SENTENCE in reply.text and "typed words" in reply.text
    part = as_owner.post(NEW, form(), headers={"HX-Request": "true"})
    assert (part.status_code, SENTENCE in part.json()["detail"]) == (429, True)
    again = as_owner.post(reverse("requests:again", args=[full.public_id]), {"token": new_token()})
    assert (again.status_code, SENTENCE in again.text) == (429, True)
    assert FalRequest.objects.count() == 2


def test_programs_are_told_and_a_repeated_call_is_still_answered(settings, team, owner):
    client = Client(headers={"Authorization": f"Bearer {ApiToken.issue(owner, team)}"})
    settings.OPEN_PER_TEAM = 1
    body: Any = {"endpoint_id": "acme/img", "input": {"prompt": "x"}, "allow_duplicate": True}
    sent = {
        "data": body,
        "content_type": "application/json",
        "headers": {"Idempotency-Key": "k" * 16},
    }
    first = client.post("/api/v1/requests/", **sent)
    assert first.status_code == 201
    refused = client.post("/api/v1/requests/", body, content_type="application/json")
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")
    assert "1 may be open at once" in refused.json()["detail"]
    assert client.post("/api/v1/requests/", **sent).status_code == 200
    again = client.post(
        f"/api/v1/requests/{first.json()['id']}/again/", content_type="application/json"
    )
    assert again.status_code == 429


def test_a_session_and_an_action_on_many_are_told_too(full, team, owner):
    with pytest.raises(TooManySessions, match=SENTENCE):
        claim_session(make_draft(mode="realtime"), team=team, person=owner)
    now = timezone.now()
    bulk = BulkAction.objects.create(
        team=team, person=owner, token="t", verb="again", state="running", created_at=now
    )
    done = working._again(bulk, FalRequest.objects.get(pk=full.pk), now)
    assert (done.outcome, SENTENCE in done.note) == ("failed", True)


def test_a_batch_waits_and_says_why(full, team, owner):
    now = timezone.now()
    batch = Batch.objects.create(
        team=team, person=owner, started_by=owner, endpoint_id="acme/img", text="{}", columns=[],
        created_at=now, state="running", total=3, waiting=3, concurrency=3,
    )  # fmt: skip
    BatchItem.objects.bulk_create(BatchItem(batch=batch, number=n, values="") for n in (1, 2, 3))
    assert feeding.refill(batch.pk, now) == 0
    batch.refresh_from_db()
    assert batch.note.startswith(WAITS) and SENTENCE in batch.note
    hear(full, make_result())
    assert feeding.refill(batch.pk, now) == 1
    batch.refresh_from_db()
    assert (batch.open, batch.waiting) == (1, 2)
    FalRequest.objects.update(status="completed", ended_at=now)
    assert feeding.refill(batch.pk, now) == 2
    batch.refresh_from_db()
    assert batch.note == ""


@pytest.mark.django_db(transaction=True)
def test_callers_at_the_same_time_do_not_pass_the_limit_together(settings):
    settings.OPEN_PER_TEAM = 5
    team = Team.objects.create(name="A")
    owner = make_person("ann", team=team)
    outcomes: list[str] = []
    barrier = threading.Barrier(12)

    def submit() -> None:
        try:
            barrier.wait(60)
            make_request(team=team, person=owner)
            outcomes.append("made")
        except TooManyOpen:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(outcomes) == ["made"] * 5 + ["refused"] * 7
    assert lifecycle.count_open(team.pk, owner.pk).of_team == 5
