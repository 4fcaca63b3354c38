"""A request has the key of its group, and the journal an entry, from the moment it fails."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import ErrorGroup, ErrorTally, FalRequest, Source, Status
from requests_app.rules.error_sentence import key_of
from tests.builders import fresh, hear, make_queued, make_request, make_result, make_status
from tests.error_groups.conftest import count_all, fail, only_group


def test_alike_failures_get_one_key_whatever_differs_in_the_sentence(team, owner, teammate):
    rows = [fail(team, owner, "Worker 1 died"), fail(team, teammate, "Worker 22 died")]
    other = fail(team, owner, "No such model")
    assert {row.status for row in rows} == {Status.FAILED}
    assert {row.error_key for row in rows} == {
        key_of(team.pk, "acme/img", "died", "Worker <n> died")
    }
    assert other.error_key not in (None, rows[0].error_key)
    assert sum(ErrorTally.objects.values_list("delta", flat=True)) == 3


def test_what_ends_well_or_is_cancelled_has_no_key(team, owner):
    done = make_queued(team=team, person=owner)
    hear(done, make_result())
    waiting = make_request(team=team, person=owner)
    lifecycle.ask_cancel(waiting.pk, person=owner, now=timezone.now())
    assert {fresh(row).error_key for row in (done, waiting)} == {None}
    assert not ErrorTally.objects.exists()


def test_refused_fields_are_grouped_by_place_and_type(team, owner):
    def refuse(number, value, request_id):
        row = make_queued(request_id, team=team, person=owner)
        told = {
            "loc": ["body", "images", number, "url"],
            "msg": f"Bad URL {value}",
            "type": "url_parsing",
        }
        result = make_result(code=422, error="x", error_type="invalid")
        body = json.dumps({"detail": [told]}).encode()
        hear(row, type(result)(422, {}, "application/json", body, result.error))
        return fresh(row).error_key

    assert refuse(0, "an ox", "a") == refuse(7, "a fox", "b")
    assert only_group().sentence == "images[*].url: url_parsing"


def test_a_name_of_a_user_who_gave_up_makes_no_group_of_its_own(team, owner, teammate):
    for person in (owner, teammate):
        row = make_request(team=team, person=person)
        attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
        assert attempt
        lifecycle.mark_uncertain(row.pk, "cut", now=timezone.now())
        assert lifecycle.give_up(row.pk, person=person, now=timezone.now())
    assert only_group().count == 2


def test_a_reason_that_is_told_after_the_end_moves_the_request(team, owner):
    row = make_queued(team=team, person=owner)
    hear(row, make_status("COMPLETED", error="Error"))
    hear(row, make_result(code=500, error="Error"))
    count_all()
    before = fresh(row)
    assert before.status == Status.FAILED and before.error_key
    hear(row, make_status("COMPLETED", error="The disk is full", error_type="disk_full"))
    after = fresh(row)
    assert after.error_type == "disk_full" and after.error_key != before.error_key
    group = only_group()
    assert (group.key, group.count, group.error_type) == (after.error_key, 1, "disk_full")


def test_what_is_rolled_back_leaves_no_entry(team, owner):
    row = make_queued(team=team, person=owner)
    with pytest.raises(RuntimeError), transaction.atomic():
        hear(row, make_result(code=500, error="The runner died"))
        raise RuntimeError
    assert fresh(row).error_key is None and not ErrorTally.objects.exists()


def test_a_deleted_request_is_counted_no_more(team, owner):
    rows = [fail(team, owner) for _ in range(3)]
    assert only_group().count == 3
    FalRequest.objects.update(due_at=None)
    assert lifecycle.delete_request(rows[0].pk, person=owner, now=timezone.now())
    assert only_group().count == 2
    for row in rows[1:]:
        assert lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    count_all()
    assert not ErrorGroup.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time anyway")
def test_two_failures_of_one_group_do_not_wait_for_each_other(team, owner):
    """The first transaction stays open until the second is over."""
    first, second = (make_queued(name, team=team, person=owner) for name in ("a", "b"))
    fail(team, owner)
    count_all()
    is_over = threading.Event()

    def fail_beside():
        hear(
            second,
            make_result(code=500, error="The runner died", error_type="died"),
            source=Source.POLL,
        )
        connection.close()
        is_over.set()

    with transaction.atomic():
        hear(
            first,
            make_result(code=500, error="The runner died", error_type="died"),
            source=Source.POLL,
        )
        beside = threading.Thread(target=fail_beside, daemon=True)
        beside.start()
        assert is_over.wait(60)
    beside.join(60)
    assert only_group().count == 3
