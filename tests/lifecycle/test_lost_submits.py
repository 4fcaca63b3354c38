"""What a look into fal's list makes of an uncertain row."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import Listed, Refused, Unanswered
from requests_app.lifecycle import lost_submits
from requests_app.models import FalRequest, Mode, Source, Status, Team
from requests_app.rules.lost_submit import LostSubmit
from tests.builders import fresh, hear, make_queued, make_receipt, make_request, make_webhook

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(team: Team, owner: User) -> FalRequest:
    return make_lost(team, owner)


def make_lost(team: Team, person: User, **draft: Any) -> FalRequest:
    """An uncertain row."""
    row = make_request(team=team, person=person, **draft)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the line went dead", now=timezone.now())
    return fresh(row)


def look(row: FalRequest, *ids: str, is_timed: bool = True) -> FalRequest:
    """fal lists requests with these ids that may be the row."""
    assert row.sent_at
    sent_at = row.sent_at if is_timed else None
    found = [Listed(request_id, row.endpoint_id, sent_at=sent_at) for request_id in ids]
    lost = LostSubmit(row.endpoint_id, json.loads(row.input_text), row.sent_at)
    lifecycle.match_lost_submit(row.pk, lost, found, now=timezone.now())
    return fresh(row)


def told(row: FalRequest) -> list[str]:
    """What is on record from the list."""
    heard = row.observations.filter(source=Source.LIST).order_by("id")
    return list(heard.values_list("kind", flat=True))


def test_what_fal_was_asked_not_to_keep_is_not_looked_for(team: Team, owner: User) -> None:
    assert make_lost(team, owner).due_at
    assert make_lost(team, owner, store_io=False).due_at is None


def test_the_one_request_it_can_be_becomes_the_rows_and_is_looked_at_at_once(
    lost: FalRequest,
) -> None:
    row = look(lost, "r-1")
    assert (row.status, row.fal_request_id) == (Status.IN_PROGRESS, "r-1")
    assert row.due_at and row.due_at <= timezone.now()
    assert told(row) == ["found"]
    assert row.accepted_at is None  # nobody knows when


def test_one_that_another_row_has_is_not_taken(lost: FalRequest, team: Team, owner: User) -> None:
    make_queued("r-1", team=team, person=owner, input={"prompt": "another"})
    assert look(lost, "r-1").status == Status.UNCERTAIN
    assert look(lost, "r-1", "r-2").fal_request_id == "r-2"


def test_two_it_can_be_are_told_once_and_neither_is_taken(lost: FalRequest) -> None:
    for _ in range(3):
        assert look(lost, "r-1", "r-2").status == Status.UNCERTAIN
    assert told(lost) == ["list_unclear"]
    [seen] = lost.observations.filter(kind="list_unclear")
    assert seen.data == {"request_ids": ["r-1", "r-2"]}


def twin_of(row: FalRequest, person: User, team: Team, **columns: Any) -> FalRequest:
    """Another row of the same input, differently written."""
    value = dict(reversed(json.loads(row.input_text).items()))
    twin = make_request(team=team, person=person, input=value)
    defaults = {"sent_at": row.sent_at, "status": Status.UNCERTAIN, "due_at": None}
    FalRequest.objects.filter(pk=twin.pk).update(**(defaults | columns))
    return fresh(twin)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"status": Status.SUBMITTING},
        {"status": Status.SUBMITTING, "sent_at": timezone.now() - timedelta(hours=3)},
        {"sent_at": timezone.now() - timedelta(hours=3)},
        {"status": Status.FAILED, "error_type": "given_up"},
        {"status": Status.COMPLETED, "fal_request_id": "r-9"},
        {"status": Status.IN_PROGRESS, "mode": Mode.RUN},
    ],
)
def test_a_twin_leaves_it_open_whose_a_listed_request_is(
    lost: FalRequest, team: Team, owner: User, columns: dict[str, Any]
) -> None:
    twin_of(lost, owner, team, **columns)
    assert look(lost, "r-1").status == Status.UNCERTAIN
    [seen] = lost.observations.filter(kind="list_unclear")
    assert seen.data == {"request_ids": []}


@pytest.mark.parametrize(
    "columns",
    [
        {"status": Status.PENDING, "sent_at": None},
        {"status": Status.COMPLETED, "sent_at": timezone.now() - timedelta(minutes=5)},
        {"status": Status.FAILED, "sent_at": timezone.now() - timedelta(minutes=5)},
        {"endpoint_id": "acme/other"},
        {"input_text": '{"prompt": "another"}'},
        {"input_text": "", "status": Status.COMPLETED},  # removed by retention
        {"mode": Mode.REALTIME, "status": Status.COMPLETED},
    ],
)
def test_what_cannot_have_made_the_listed_request_is_no_twin(
    lost: FalRequest, team: Team, owner: User, columns: dict[str, Any]
) -> None:
    twin_of(lost, owner, team, **columns)
    assert look(lost, "r-1").fal_request_id == "r-1"


def test_without_times_in_the_list_whatever_was_ever_sent_alike_is_a_twin(
    lost: FalRequest, team: Team, owner: User
) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    twin_of(lost, owner, team, status=Status.COMPLETED, sent_at=long_ago)
    assert look(lost, "r-1", is_timed=False).status == Status.UNCERTAIN
    assert look(lost, "r-1").fal_request_id == "r-1"


def test_a_twin_of_another_team_counts_and_is_not_told_of(lost: FalRequest, stranger: User) -> None:
    other = Team.objects.get(name="Other")
    twin = twin_of(lost, stranger, other)
    assert look(lost, "r-1", "r-2").status == look(twin, "r-1").status == Status.UNCERTAIN
    for seen in lost.observations.filter(source=Source.LIST):
        assert "r-1" not in json.dumps([seen.note, seen.data])


def test_two_lost_twins_stay_lost_even_when_there_is_one_request_for_each(
    lost: FalRequest, team: Team, owner: User
) -> None:
    twin = make_lost(team, owner)
    for row in (lost, twin):
        assert look(row, "r-1", "r-2").status == Status.UNCERTAIN


def test_nothing_found_changes_and_tells_nothing(lost: FalRequest) -> None:
    before = FalRequest.objects.filter(pk=lost.pk).values().get()
    look(lost)
    assert FalRequest.objects.filter(pk=lost.pk).values().get() == before


def test_a_person_who_gave_up_meanwhile_is_believed(lost: FalRequest, owner: User) -> None:
    lifecycle.give_up(lost.pk, person=owner, now=timezone.now())
    row = look(lost, "r-1")
    assert (row.status, row.error_type) == (Status.FAILED, "given_up")


def test_what_the_list_has_of_a_request_that_was_given_up_is_linked_as_evidence(
    lost: FalRequest, owner: User
) -> None:
    lifecycle.give_up(lost.pk, person=owner, now=timezone.now())
    assert fresh(lost).due_at is not None  # it is looked for all the same
    row = look(lost, "r-1")
    assert (row.status, row.error_type, row.fal_request_id) == (Status.FAILED, "given_up", "r-1")
    assert "fal ran it" in row.observations.get(kind="evidence").note
    assert row.due_at is not None and row.due_at <= timezone.now()  # fal is asked for the rest
    assert look(lost, "r-1", "r-2").fal_request_id == "r-1"


def test_a_webhook_that_was_first_is_believed_and_one_that_comes_later_ends_it(
    lost: FalRequest, team: Team, owner: User
) -> None:
    hear(lost, make_webhook("r-1"), source=Source.WEBHOOK)
    assert look(lost, "r-2").fal_request_id == "r-1"
    later = make_lost(team, owner, input={"prompt": "later"})
    look(later, "r-7")
    assert lifecycle.is_for_row(fresh(later), make_webhook("r-7"))
    hear(later, make_webhook("r-7"), source=Source.WEBHOOK)
    assert fresh(later).status == Status.COMPLETED


def test_a_reply_that_was_thought_lost_confirms_what_was_found(lost: FalRequest) -> None:
    look(lost, "r-1")
    hear(lost, make_receipt("r-1"), source=Source.SUBMIT_REPLY)
    row = fresh(lost)
    assert (row.status, row.fal_request_id) == (Status.IN_PROGRESS, "r-1")


def test_submitted_again_later_the_first_is_still_found(
    lost: FalRequest, team: Team, owner: User
) -> None:
    FalRequest.objects.filter(pk=lost.pk).update(sent_at=timezone.now() - timedelta(minutes=10))
    make_queued("r-2", team=team, person=owner, again_of=lost)
    row = look(fresh(lost), "r-1")
    assert (row.status, row.fal_request_id) == (Status.IN_PROGRESS, "r-1")


def test_an_id_that_another_row_got_a_moment_ago_is_left_to_it(
    lost: FalRequest, team: Team, owner: User
) -> None:
    make_queued("r-1", team=team, person=owner, input={"prompt": "another"})
    lost_submits._adopt(lost.pk, "r-1", timezone.now())  # decided before the other row got it
    row = fresh(lost)
    assert (row.status, row.fal_request_id) == (Status.UNCERTAIN, "")


NO_RIGHT = Refused("fal refused (403): no admin scope", status_code=403)
AWAY = Unanswered("fal did not answer: the time ran out.")


def test_trouble_with_the_list_is_told_once_and_its_end_too(lost: FalRequest) -> None:
    def trouble(error: Any, now: datetime) -> None:
        lifecycle.note_list_unreadable(lost.pk, error, now=now)

    now = timezone.now()
    for error in (NO_RIGHT, NO_RIGHT, AWAY, AWAY):
        trouble(error, now)
    for _ in range(2):
        look(lost)
    trouble(AWAY, now)
    assert told(lost) == ["list_refused", "list_unanswered", "list_read", "list_unanswered"]
    assert "no admin scope" in lost.observations.get(kind="list_refused").note
    assert fresh(lost).status == Status.UNCERTAIN


def test_what_has_ended_hears_of_no_trouble(lost: FalRequest) -> None:
    hear(lost, make_webhook("r-1"), source=Source.WEBHOOK)
    lifecycle.note_list_unreadable(lost.pk, NO_RIGHT, now=timezone.now())
    assert told(lost) == []
