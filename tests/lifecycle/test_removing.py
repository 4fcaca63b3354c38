"""What a user deletes of an ended request: its payload, or all of it; and what else named it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import (
    FalRequest,
    Frame,
    LogLine,
    Observation,
    SearchEntry,
    Status,
    Tag,
    Tagging,
)
from requests_app.search import Matches, Scope, parse_search
from tests.builders import (
    fresh,
    hear,
    make_log,
    make_queued,
    make_request,
    make_result,
    make_status,
)


@pytest.fixture
def ended(team, owner):
    """A request that has run, with all that can hang on one."""
    row = make_queued(team=team, person=owner, input={"prompt": "a lighthouse"})
    hear(row, make_status("COMPLETED", logs=[make_log("one lighthouse")]))
    hear(row, make_result(output={"text": "a lighthouse"}))
    Frame.objects.create(request=row, number=1, offset_ms=1, data="x", size=1)
    lifecycle.add_tags(row.pk, ["draft"], person=owner, now=timezone.now())
    FalRequest.objects.filter(pk=row.pk).update(due_at=None)
    row = fresh(row)
    assert row.is_ended
    return row


def found(team, text):
    return Matches(Scope(team.pk, "olga", sees=True), parse_search(text)).newest(10)


def test_a_user_deletes_the_payload_and_the_history_says_who(team, owner, ended):
    before = ended.seq
    assert found(team, "lighthouse") == [ended.pk]
    assert lifecycle.delete_payload(ended.pk, person=owner, now=timezone.now())
    assert not lifecycle.delete_payload(ended.pk, person=owner, now=timezone.now())
    row = fresh(ended)
    assert (row.input_text, row.output, row.summary, row.status) == ("", None, "", Status.COMPLETED)
    assert row.payload_removed_at and row.frames_removed_at and row.seq > before
    assert not LogLine.objects.exists() and not Frame.objects.exists()
    assert found(team, "lighthouse") == [] and found(team, "tag:draft") == [row.pk]
    assert Observation.objects.filter(
        kind="removed", note__startswith="olga deleted input"
    ).exists()


def test_a_deleted_request_is_gone_and_its_repeats_stay(team, owner, ended):
    words = {"prompt": "a lighthouse"}
    repeat = make_request(team=team, person=owner, again_of=ended, input=words)
    assert lifecycle.delete_request(ended.pk, person=owner, now=timezone.now())
    assert not FalRequest.objects.filter(pk=ended.pk).exists()
    assert fresh(repeat).again_of is None
    assert not SearchEntry.objects.filter(pk=ended.pk).exists()
    assert found(team, "lighthouse") == [repeat.pk]
    # The tag is the repeat's as well.
    assert Tag.objects.count() == Tagging.objects.count() == 1


def test_what_has_not_ended_or_has_a_step_left_stays(team, owner, ended):
    live = make_request(team=team, person=owner)
    assert not lifecycle.delete_request(live.pk, person=owner, now=timezone.now())
    assert not lifecycle.delete_payload(live.pk, person=owner, now=timezone.now())
    FalRequest.objects.filter(pk=ended.pk).update(due_at=timezone.now())
    assert not lifecycle.delete_request(ended.pk, person=owner, now=timezone.now())
    assert FalRequest.objects.count() == 2
