"""The turns at a bulk action: each request once, with an outcome; at the worker's own rate; with the user's right."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.bulk import control, working
from requests_app.models import (
    BulkAction,
    BulkState,
    FalDeletion,
    FalRequest,
    Membership,
    Role,
    Star,
    Status,
    Tagging,
)
from tests.builders import make_person, make_queued, make_request
from tests.bulk.conftest import counts, make_bulk, make_rows, turn


def notes(bulk: BulkAction) -> list[tuple[str, str]]:
    return list(bulk.items.order_by("pk").values_list("outcome", "note"))


def complete(rows: list[FalRequest]) -> None:
    now = timezone.now()
    FalRequest.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Status.COMPLETED, ended_at=now, due_at=None
    )


def test_cancel_ends_what_was_not_sent_and_asks_fal_for_the_rest(team, owner):
    make_request(team=team, person=owner)
    queued = make_queued(team=team, person=owner)
    bulk = make_bulk(team, owner)
    turn(bulk)
    assert notes(bulk) == [
        ("done", "Cancelled before it was sent."),
        ("done", "fal is asked to cancel it."),
    ]
    queued.refresh_from_db()
    assert queued.is_cancelling
    assert (bulk.state, bulk.due_at) == (BulkState.FINISHED, None)


def test_run_again_makes_a_linked_request_with_the_exact_input(team, owner, teammate):
    rows = make_rows(team, owner, 2)
    FalRequest.objects.filter(pk=rows[0].pk).update(
        input_text='{"n": 1.50, "n2": 12345678901234567890}'
    )
    complete(rows)
    bulk = make_bulk(team, teammate, "again")
    turn(bulk)
    assert counts(bulk) == {"done": 2}
    repeats = [item.repeat for item in bulk.items.order_by("pk")]
    assert [repeat.again_of for repeat in repeats] == rows
    assert repeats[0].input_text == '{"n": 1.50, "n2": 12345678901234567890}'
    assert {(one.person, one.status) for one in repeats} == {(teammate, Status.PENDING)}


def test_no_more_requests_wait_to_be_sent_than_the_worker_sends_soon(team, owner, monkeypatch):
    monkeypatch.setattr(working, "MOST_PENDING", 3)
    complete(make_rows(team, owner, 5))
    bulk = make_bulk(team, owner, "again")
    turn(bulk)
    assert counts(bulk) == {"waiting": 2, "done": 3}
    FalRequest.objects.filter(status=Status.PENDING).update(status=Status.IN_QUEUE)
    turn(bulk)
    assert counts(bulk) == {"done": 5}


def test_give_up_ends_uncertain_requests(team, owner):
    row, other = make_rows(team, owner, 2)
    FalRequest.objects.filter(pk=row.pk).update(status=Status.UNCERTAIN)
    bulk = make_bulk(team, owner, "give_up")
    turn(bulk)
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.is_given_up, other.status, bulk.total) == (True, Status.PENDING, 1)


def test_ended_requests_are_read_again_from_fal(team, owner):
    rows = make_rows(team, owner, 3)
    complete(rows[:2])
    FalRequest.objects.filter(pk=rows[0].pk).update(fal_request_id="req-9", due_at=None)
    bulk = make_bulk(team, owner, "reread")
    turn(bulk)
    assert bulk.left_out == [
        ["It has not ended: it is followed anyway.", 1],
        ["It has no id of fal's.", 1],
    ]
    assert counts(bulk) == {"done": 1}
    assert FalRequest.objects.get(pk=rows[0].pk).due_at is not None


def test_a_request_that_changed_meanwhile_is_skipped_with_the_reason(team, owner):
    rows = make_rows(team, owner, 3)
    bulk = make_bulk(team, owner)
    complete(rows[:1])
    rows[1].delete()
    turn(bulk)
    assert notes(bulk) == [
        ("skipped", "It had already ended."),
        ("skipped", "It was deleted before."),
        ("done", "Cancelled before it was sent."),
    ]


def test_an_input_that_may_no_longer_be_sent_fails_with_the_reason(team, owner):
    rows = make_rows(team, owner, 2)
    FalRequest.objects.filter(pk=rows[0].pk).update(input_text="[1]")
    complete(rows)
    bulk = make_bulk(team, owner, "again")
    turn(bulk)
    assert counts(bulk) == {"done": 1, "failed": 1}
    assert "object" in notes(bulk)[0][1]


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, *, at: int) -> list[int]:
    """The cancel of one row raises; returns the rows that were reached."""
    reached: list[int] = []
    ask = lifecycle.ask_cancel

    def cancel(pk: int, **more: Any) -> str:
        reached.append(pk)
        answer = ask(pk, **more)
        if pk == at:
            raise error
        return answer

    monkeypatch.setattr(lifecycle, "ask_cancel", cancel)
    return reached


def test_one_requests_trouble_is_its_own_failure_and_leaves_nothing_half_done(
    team, owner, monkeypatch
):
    rows = make_rows(team, owner, 3)
    failing(monkeypatch, RuntimeError("odd"), at=rows[1].pk)
    bulk = make_bulk(team, owner)
    turn(bulk)
    assert counts(bulk) == {"done": 2, "failed": 1}
    rows[1].refresh_from_db()
    assert rows[1].status == Status.PENDING


def test_a_turn_that_dies_is_undone_whole_and_given_again(team, owner, monkeypatch):
    rows = make_rows(team, owner, 3)
    with monkeypatch.context() as patch:
        failing(patch, DatabaseError("away"), at=rows[2].pk)
        bulk = make_bulk(team, owner)
        with pytest.raises(DatabaseError):
            working.refill(bulk.pk, timezone.now())
    assert counts(bulk) == {"waiting": 3}
    assert FalRequest.objects.filter(status=Status.PENDING).count() == 3
    turn(bulk)
    assert counts(bulk) == {"done": 3}


@pytest.mark.parametrize("change", ["viewer", "removed", "inactive"])
def test_without_the_users_right_it_pauses_and_another_member_can_resume(team, owner, change):
    person = make_person("mia", team=team)
    make_rows(team, owner, 2)
    bulk = make_bulk(team, person)
    mine = Membership.objects.filter(user=person)
    if change == "viewer":
        mine.update(role=Role.VIEWER)
    elif change == "removed":
        mine.delete()
    else:
        type(person).objects.filter(pk=person.pk).update(is_active=False)
    turn(bulk)
    assert (counts(bulk), bulk.state) == ({"waiting": 2}, BulkState.PAUSED)
    assert "may no longer do this" in bulk.note
    assert control.resume(bulk, person=owner, now=timezone.now())
    turn(bulk)
    assert counts(bulk) == {"done": 2}


def test_tags_and_stars_are_given_to_many(team, owner, teammate):
    make_rows(team, owner, 3)
    full = make_request(team=team, person=owner, input={"n": "full"})
    lifecycle.add_tags(
        full.pk, [f"t{number}" for number in range(20)], person=owner, now=timezone.now()
    )
    bulk = make_bulk(team, teammate, "tag", tags=("draft", "hero"))
    turn(bulk)
    assert counts(bulk) == {"done": 3, "failed": 1}
    assert ("failed", "A request has at most 20 tags; it has 20.") in notes(bulk)
    assert Tagging.objects.filter(tag__key="draft").count() == 3
    bulk = make_bulk(team, teammate, "untag", tags=("hero",))
    assert bulk.left_out == [["It does not have the tag.", 1]]
    turn(bulk)
    assert not Tagging.objects.filter(tag__key="hero").exists()
    turn(make_bulk(team, teammate, "star"))
    assert Star.objects.filter(user=teammate).count() == 4
    turn(make_bulk(team, teammate, "unstar"))
    assert not Star.objects.exists()


def test_deletions_ask_fal_where_it_was_chosen_and_say_where_it_cannot_be(team, owner):
    rows = make_rows(team, owner, 2)
    complete(rows)
    FalRequest.objects.filter(pk=rows[0].pk).update(fal_request_id=str(rows[0].public_id))
    bulk = make_bulk(team, owner, "payload", at_fal=True)
    turn(bulk)
    [(_, asked), (_, not_asked)] = notes(bulk)
    assert asked.endswith("fal is asked to delete what it keeps.")
    assert "fal is not asked: fal gave it no id" in not_asked
    assert FalDeletion.objects.get().public_id == rows[0].public_id
    turn(make_bulk(team, owner, "delete"))
    assert FalDeletion.objects.count() == 1


def test_payloads_and_requests_are_deleted_by_managers_alone(team, owner, teammate):
    rows = make_rows(team, owner, 3)
    complete(rows[:2])
    bulk = make_bulk(team, owner, "payload")
    turn(bulk)
    assert counts(bulk) == {"done": 2} and bulk.left_out == [["It has not ended yet.", 1]]
    bulk = make_bulk(team, owner, "delete")
    turn(bulk)
    assert counts(bulk) == {"done": 2}
    assert list(FalRequest.objects.all()) == [rows[2]]
    assert ("done", f"Deleted: acme/img, {rows[0].public_id}.") in notes(bulk)
    complete(rows[2:])
    bulk = make_bulk(team, teammate, "delete")
    turn(bulk)
    assert (bulk.state, counts(bulk)) == (BulkState.PAUSED, {"waiting": 1})
