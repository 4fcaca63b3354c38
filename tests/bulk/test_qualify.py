"""Which requests an action is for: every status and kind of row, and the reason why it is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.bulk.qualify import Act, preview, qualifying, why_not
from requests_app.models import BulkVerb, FalRequest, IdempotencyKey, Mode, Status
from tests.builders import make_request

NOW = timezone.now()
SENDABLE = {"status": Status.COMPLETED, "ended_at": NOW}

# What the row is like; what each action says of it, "" for those it is for
CASES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"status": Status.PENDING}, "", "not ended", "not uncertain"),
    ({"status": Status.SUBMITTING}, "", "not ended", "not uncertain"),
    ({"status": Status.IN_QUEUE}, "", "not ended", "not uncertain"),
    ({"status": Status.IN_PROGRESS}, "", "not ended", "not uncertain"),
    (
        {"status": Status.IN_QUEUE, "cancel_asked_at": NOW},
        "being cancelled",
        "not ended",
        "not uncertain",
    ),
    ({"status": Status.UNCERTAIN}, "is uncertain", "", ""),
    (SENDABLE, "already ended", "", "not uncertain"),
    ({"status": Status.FAILED}, "already ended", "", "not uncertain"),
    ({"status": Status.CANCELLED}, "already ended", "", "not uncertain"),
    ({**SENDABLE, "payload_removed_at": NOW}, "already ended", "removed", "not uncertain"),
    ({**SENDABLE, "mode": Mode.REALTIME}, "already ended", "realtime", "not uncertain"),
    ({**SENDABLE, "mode": Mode.STREAM}, "already ended", "", "not uncertain"),
]


@pytest.mark.parametrize(("columns", "cancel", "again", "give_up"), CASES)
def test_each_kind_of_row_qualifies_or_is_left_out_with_its_reason(
    team, owner, columns, cancel, again, give_up
):
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(**columns)
    verbs = (BulkVerb.CANCEL, BulkVerb.AGAIN, BulkVerb.GIVE_UP)
    for verb, reason in zip(map(Act, verbs), (cancel, again, give_up), strict=True):
        said = why_not(row, verb)
        assert (reason in said) if reason else said == ""
        rows = FalRequest.objects.filter(pk=row.pk)
        assert qualifying(rows, verb).exists() is (not reason)
        seen = preview(rows, verb)
        assert (seen.eligible, seen.left_out) == ((0, [(said, 1)]) if reason else (1, []))


def test_the_preview_counts_each_row_once_and_names_the_endpoints(team, owner):
    for columns, *_ in CASES:
        row = make_request(team=team, person=owner, endpoint_id="acme/img")
        FalRequest.objects.filter(pk=row.pk).update(**columns)
    make_request(team=team, person=owner, endpoint_id="acme/other")
    FalRequest.objects.filter(endpoint_id="acme/other").update(**SENDABLE)
    for verb in BulkVerb:
        assert preview(FalRequest.objects.all(), Act(verb)).total == len(CASES) + 1
    seen = preview(FalRequest.objects.all(), Act(BulkVerb.AGAIN))
    assert seen.endpoints == [("acme/img", 5), ("acme/other", 1)]
    assert seen.uncertain == 1


def why(row: FalRequest, verb: str, *tags: str, person: Any = None) -> str:
    return why_not(row, Act(BulkVerb(verb), tags, person and person.pk))


def test_tags_and_stars_are_for_those_that_they_change(team, owner, teammate):
    row = make_request(team=team, person=owner, tags="plain=1")
    lifecycle.add_tags(row.pk, ["draft"], person=owner, now=NOW)
    lifecycle.set_star(row.pk, person=owner, is_on=True)
    assert "already" in why(row, "tag", "draft")
    assert why(row, "tag", "draft", "hero") == why(row, "tag", "plain=1") == ""
    assert "does not have" in why(row, "untag", "hero")
    assert "does not have" in why(row, "untag", "plain=1")
    assert why(row, "untag", "draft", "hero") == ""
    assert "starred" in why(row, "star", person=owner)
    assert why(row, "star", person=teammate) == why(row, "unstar", person=owner) == ""
    assert "no star" in why(row, "unstar", person=teammate)


def test_what_is_deleted_has_ended_and_waits_for_nothing(team, owner):
    row = make_request(team=team, person=owner)
    of_row = FalRequest.objects.filter(pk=row.pk)
    assert "not ended" in why(row, "payload") and "not ended" in why(row, "delete")
    of_row.update(**SENDABLE)
    assert why(row, "payload") == "" and "still asks fal" in why(row, "delete")
    of_row.update(due_at=None, payload_removed_at=NOW)
    assert "before" in why(row, "payload") and why(row, "delete") == ""
    IdempotencyKey.objects.create(team=team, key="k", body_digest="d", request=row)
    assert "last 24 hours" in why(row, "delete")
    of_row.update(created_at=NOW - timedelta(hours=25))
    assert why(row, "delete") == ""
