"""The journal is added up: counts, hours, users, what comes again, and the bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.error_groups import counting, deciding
from requests_app.models import (
    ErrorDecision,
    ErrorGroup,
    ErrorHour,
    ErrorPerson,
    ErrorTally,
    FalRequest,
    GroupState,
)
from requests_app.upkeep import retention
from tests.error_groups.conftest import count_all, fail, only_group


def test_a_group_has_the_count_the_users_and_the_hours(team, owner, teammate):
    for person in (owner, owner, teammate):
        last = fail(team, person)
    group = only_group()
    assert (group.team, group.endpoint_id, group.error_type) == (team, "acme/img", "died")
    assert (group.sentence, group.state) == ("The runner died", GroupState.OPEN)
    assert (group.count, group.people) == (3, 2)
    assert group.first_seen <= group.last_seen == last.ended_at
    assert sum(ErrorHour.objects.values_list("count", flat=True)) == 3
    assert dict(ErrorPerson.objects.values_list("person", "count")) == {owner.pk: 2, teammate.pk: 1}
    assert not ErrorTally.objects.exists()


def test_teams_and_endpoints_do_not_mix(team, owner, stranger):
    theirs = stranger.memberships.get().team
    fail(team, owner)
    fail(team, owner, endpoint_id="acme/vid")
    fail(theirs, stranger)
    count_all()
    assert sorted(ErrorGroup.objects.values_list("team", "endpoint_id", "count")) == sorted(
        [(team.pk, "acme/img", 1), (team.pk, "acme/vid", 1), (theirs.pk, "acme/img", 1)]
    )


def test_what_comes_again_after_it_was_resolved_is_open_again_and_says_so(team, owner):
    fail(team, owner)
    group = only_group()
    assert deciding.resolve(group, person=owner, now=timezone.now(), note="fixed the prompt")
    count_all()
    assert only_group().state == GroupState.RESOLVED
    again = fail(team, owner)
    group = only_group()
    assert group.state == GroupState.OPEN and group.is_regressed
    assert (group.regressed_at, group.resolved_by) == (again.ended_at, owner)
    assert [one.kind for one in group.decisions.order_by("pk")] == ["resolved", "regressed"]


def test_a_failure_of_before_the_decision_that_is_counted_later_opens_nothing(team, owner):
    fail(team, owner)
    group = only_group()
    fail(team, owner)
    deciding.resolve(group, person=owner, now=timezone.now())
    group = only_group()
    assert (group.state, group.count) == (GroupState.RESOLVED, 2)


def test_an_ignored_group_stays_ignored(team, owner):
    fail(team, owner)
    deciding.ignore(only_group(), person=owner, now=timezone.now())
    fail(team, owner)
    assert (only_group().state, only_group().count) == (GroupState.IGNORED, 2)


def test_retention_takes_what_it_deletes_out_of_the_counts(team, owner, teammate):
    old, young = fail(team, owner), fail(team, teammate)
    count_all()
    gone = timezone.now() - timedelta(days=40)
    FalRequest.objects.filter(pk=old.pk).update(created_at=gone, ended_at=gone, due_at=None)
    team.rows_days = 30
    team.save()
    list(retention.prune(timezone.now(), [team]))
    assert list(FalRequest.objects.values_list("pk", flat=True)) == [young.pk]
    group = only_group()
    assert (group.count, group.people) == (1, 1)


def test_a_decided_group_stays_when_its_requests_go_and_is_forgotten_after_a_while(team, owner):
    row = fail(team, owner)
    deciding.resolve(only_group(), person=owner, now=timezone.now())
    FalRequest.objects.update(due_at=None)
    assert lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    group = only_group()
    assert (group.count, group.people, group.state) == (0, 0, GroupState.RESOLVED)
    counting.forget_old(timezone.now())
    assert ErrorGroup.objects.exists()
    counting.forget_old(timezone.now() + counting.KEEP_EMPTY + timedelta(days=1))
    assert not ErrorGroup.objects.exists() and not ErrorDecision.objects.exists()


def test_hours_that_no_page_shows_are_deleted_and_the_count_stays(team, owner):
    fail(team, owner)
    group = only_group()
    counting.forget_old(timezone.now() + counting.KEEP_HOURS + timedelta(hours=2))
    assert not ErrorHour.objects.exists() and only_group().count == group.count == 1


def words(count):
    """Sentences that no rule makes alike."""
    return [f"problem {'a' * (number + 1)}" for number in range(count)]


def test_beyond_the_bound_of_a_kind_the_rest_is_one_group(team, owner, monkeypatch):
    monkeypatch.setattr(counting, "MOST_OF_A_KIND", 2)
    rows = [fail(team, owner, sentence) for sentence in words(5)]
    fail(team, owner, endpoint_id="acme/vid")
    count_all()
    groups = ErrorGroup.objects.filter(endpoint_id="acme/img").order_by("is_rest")
    assert [(one.is_rest, one.count) for one in groups] == [(False, 1), (False, 1), (True, 3)]
    assert ErrorGroup.objects.filter(endpoint_id="acme/vid", is_rest=False).exists()
    rest = groups.last()
    assert FalRequest.objects.filter(team=team, error_key=rest.key).count() == 3
    # A known sentence of the rest that comes again is the rest's, and a deleted row leaves it.
    fail(team, owner, words(5)[-1])
    FalRequest.objects.update(due_at=None)
    assert lifecycle.delete_request(rows[-1].pk, person=owner, now=timezone.now())
    count_all()
    rest.refresh_from_db()
    assert rest.count == 3 == FalRequest.objects.filter(error_key=rest.key).count()


def test_beyond_the_bound_of_a_team_the_rest_is_one_group_of_the_team(team, owner, monkeypatch):
    monkeypatch.setattr(counting, "MOST_GROUPS", 3)
    for number, sentence in enumerate(words(6)):
        fail(team, owner, sentence, endpoint_id=f"acme/e{number % 2}")
    count_all()
    rest = ErrorGroup.objects.get(is_rest=True)
    assert (rest.endpoint_id, rest.error_type, rest.count) == ("", "", 3)
    assert ErrorGroup.objects.count() == 4


def test_deleted_before_it_was_counted_it_leaves_nothing(team, owner, monkeypatch):
    monkeypatch.setattr(counting, "PIECE", 1)  # the two entries are added up one after the other
    row = fail(team, owner)
    FalRequest.objects.update(due_at=None)
    assert lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    count_all()
    assert not ErrorGroup.objects.exists() and not ErrorTally.objects.exists()


@pytest.mark.parametrize("piece", [1, 3, 500])
def test_counts_are_those_of_the_rows_however_the_journal_is_cut(
    team, owner, teammate, monkeypatch, piece
):
    monkeypatch.setattr(counting, "PIECE", piece)
    rows = [fail(team, (owner, teammate)[n % 2], f"kind {'ab'[n % 2]}") for n in range(8)]
    FalRequest.objects.update(due_at=None)
    lifecycle.delete_request(rows[0].pk, person=owner, now=timezone.now())
    count_all()
    for group in ErrorGroup.objects.all():
        mine = FalRequest.objects.filter(team=group.team, error_key=group.key)
        assert group.count == mine.count()
        assert group.people == mine.values("person").distinct().count()
        assert sum(group.hours.values_list("count", flat=True)) == group.count
