"""Events become messages: each once, together when they come together, and none of another team."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import (
    Batch,
    BulkAction,
    FalKey,
    FalRequest,
    Notice,
    NoticeEvent,
    NoticeHours,
    NoticeRule,
    NoticeState,
    Team,
)
from requests_app.notices import keeping
from requests_app.notices.finding import rate_is_over
from requests_app.notices.firing import look
from tests.builders import make_queued, make_request
from tests.notices.conftest import MakeRule

NOW = timezone.now


def failed(team: Team, person: User, **columns: Any) -> FalRequest:
    """A request that failed a moment ago."""
    row = make_request(team=team, person=person, endpoint_id=columns.pop("endpoint_id", "acme/img"))
    lifecycle.ask_cancel(row.pk, person=person, now=NOW())
    usual = {"status": "failed", "error": "No runner.", "error_type": "runner_error"}
    FalRequest.objects.filter(pk=row.pk).update(**{**usual, **columns})
    return row


def counts() -> list[int]:
    return list(Notice.objects.order_by("pk").values_list("count", flat=True))


def test_an_event_is_told_once_and_those_that_follow_join_the_message_that_waits(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    make_rule("failed")
    failed(team, owner)
    assert look(NOW()) == 1
    failed(team, owner)
    assert look(NOW()) == 1
    assert look(NOW()) == 0
    assert counts() == [2]
    first = Notice.objects.get()
    # Once it is on its way, the next one waits for the cooldown.
    Notice.objects.update(state=NoticeState.SENDING, tries=1)
    failed(team, owner)
    look(NOW())
    assert counts() == [2, 1]
    second = Notice.objects.exclude(pk=first.pk).get()
    assert second.due_at == first.created_at + timedelta(minutes=5)
    assert NoticeEvent.objects.count() == 3


def test_filters_narrow_a_rule_and_other_teams_do_not_count(
    make_rule: MakeRule, team: Team, owner: User, teammate: User
) -> None:
    rules = {
        "exact": make_rule("failed", pattern="acme/img"),
        "beginning": make_rule("failed", pattern="acme/*"),
        "elsewhere": make_rule("failed", pattern="acme/im"),
        "error": make_rule("failed", error_type="runner_error"),
        "other error": make_rule("failed", error_type="timeout"),
        "mine": make_rule("failed", only_of=owner),
        "off": make_rule("failed", is_on=False),
        "later": make_rule("failed", since=NOW() + timedelta(hours=1)),
    }
    failed(team, teammate)
    failed(team, owner, endpoint_id="acme/video", error_type="timeout")
    failed(Team.objects.create(name="Other"), owner)
    lifecycle.ask_cancel(make_request(team=team, person=owner).pk, person=owner, now=NOW())
    look(NOW())
    told = {name: NoticeEvent.objects.filter(rule=rule).count() for name, rule in rules.items()}
    assert told == {
        "exact": 1, "beginning": 2, "elsewhere": 0, "error": 1, "other error": 1, "mine": 1, "off": 0, "later": 0,
    }  # fmt: skip


def test_what_happened_while_no_worker_ran_is_found_up_to_a_day_later(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    make_rule("failed", since=NOW() - timedelta(days=3))
    for hours in (1, 30):
        failed(team, owner, ended_at=NOW() - timedelta(hours=hours))
    NoticeHours.objects.create(team=team, looked_at=NOW() - timedelta(days=2))
    assert look(NOW()) == 1
    assert (NOW() - NoticeHours.objects.get().looked_at).total_seconds() < 60


def test_more_than_one_look_can_read_are_all_told_in_the_end(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    make_rule("failed")
    row = failed(team, owner)
    copies = [
        FalRequest(team=team, person=owner, endpoint_id="acme/img", mode="queue", status="failed", created_at=NOW(), ended_at=NOW())
        for _ in range(250)
    ]  # fmt: skip
    FalRequest.objects.bulk_create(copies)
    assert row.pk
    assert [look(NOW()), look(NOW()), look(NOW())] == [200, 51, 0]
    assert counts() == [251]


def test_requests_that_are_uncertain_or_queued_for_too_long_are_told_once(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    make_rule("uncertain", minutes=10)
    make_rule("queue", minutes=10)
    ago = NOW() - timedelta(minutes=11)
    for number, (status, at) in enumerate(
        [("uncertain", ago), ("uncertain", NOW()), ("in_queue", ago), ("in_queue", NOW())]
    ):
        row = make_queued(team=team, person=owner, request_id=f"req-{number}")
        FalRequest.objects.filter(pk=row.pk).update(status=status, sent_at=at, accepted_at=at)
    assert look(NOW()) == 2
    assert look(NOW()) == 0
    assert sorted(NoticeEvent.objects.values_list("key", flat=True))[0].startswith("queue:")


@pytest.mark.parametrize(
    ("failed", "total", "percent", "least", "is_over"),
    [
        (5, 10, 49, 10, True), (5, 10, 50, 10, False), (6, 10, 50, 10, True), (9, 9, 50, 10, False),
        (0, 0, 0, 1, False), (1, 1, 0, 1, True), (0, 100, 0, 1, False), (10, 10, 99, 10, True),
    ],
)  # fmt: skip
def test_a_rate_is_over_only_beyond_its_percentage_and_of_enough_requests(
    failed: int, total: int, percent: int, least: int, is_over: bool
) -> None:
    assert rate_is_over(failed, total, percent=percent, least=least) is is_over


def test_a_rate_is_told_when_it_rises_and_again_only_after_it_has_fallen(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    rule = make_rule("rate", minutes=10, percent=40, least=4, pattern="acme/*")
    rows = [failed(team, owner) for _ in range(2)]
    failed(team, owner, endpoint_id="other/img")
    failed(team, owner, ended_at=NOW() - timedelta(minutes=20))
    assert look(NOW()) == 0
    done = [failed(team, owner, status="completed") for _ in range(2)]
    assert [look(NOW()), look(NOW())] == [1, 0]
    assert NoticeEvent.objects.get().line == "2 of 4 requests failed within 10 min."
    FalRequest.objects.filter(pk__in=[row.pk for row in rows]).update(status="completed")
    assert look(NOW()) == 0
    assert not NoticeRule.objects.get(pk=rule.pk).is_alarmed
    FalRequest.objects.filter(pk__in=[row.pk for row in done]).update(status="failed")
    assert [look(NOW()), look(NOW())] == [1, 0]


def test_ends_of_batches_and_bulk_actions_and_refused_keys_are_told_once(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    for event in ("batch", "bulk", "key"):
        make_rule(event)
    moment = {"created_at": NOW(), "ended_at": NOW()}
    Batch.objects.create(team=team, person=owner, endpoint_id="acme/img", text="{}", state="finished", total=3, completed=2, failed=1, **moment)  # fmt: skip
    BulkAction.objects.create(team=team, person=owner, token="t", verb="cancel", state="stopped", total=2, succeeded=2, **moment)  # fmt: skip
    FalKey.objects.create(team=team, name="main", created_at=NOW(), changed_at=NOW(), last_error="fal does not know it.", last_error_at=NOW())  # fmt: skip
    assert [look(NOW()), look(NOW())] == [3, 0]
    lines = sorted(NoticeEvent.objects.values_list("line", flat=True))
    assert lines == [
        "Cancel: 2 done, 0 skipped, 0 failed of 2.",
        "The key main.",
        "acme/img: 2 completed, 1 failed, 0 cancelled of 3.",
    ]


def test_quiet_hours_put_a_message_off_unless_its_rule_is_for_all_hours(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    quiet, loud = make_rule("failed"), make_rule("failed", in_quiet=True)
    now = NOW()
    keeping.set_quiet(team, zone="UTC", quiet_from=now.time(), quiet_to=(now - timedelta(hours=1)).time())  # fmt: skip
    failed(team, owner)
    look(now)
    assert Notice.objects.get(rule=quiet).due_at > now + timedelta(hours=22)
    assert Notice.objects.get(rule=loud).due_at < now + timedelta(minutes=1)


def test_a_rule_that_is_switched_off_sends_nothing_more_and_tells_nothing_of_meanwhile(
    make_rule: MakeRule, team: Team, owner: User
) -> None:
    rule = make_rule("failed")
    failed(team, owner)
    look(NOW())
    keeping.switch_rule(rule, is_on=False, now=NOW())
    assert Notice.objects.get().answer == "The rule was switched off."
    failed(team, owner)
    keeping.switch_rule(rule, is_on=True, now=NOW())
    assert look(NOW()) == 0
