"""What failed in an older version gets its group in the background, from the newest down."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import tasks
from requests_app.error_groups import deciding, history
from requests_app.models import ErrorTally, FalRequest
from tests.builders import fresh
from tests.error_groups.conftest import count_all, fail, only_group


@pytest.fixture
def older(team, owner, monkeypatch):
    """Seven failed rows as an older version left them, three a piece."""
    monkeypatch.setattr(history, "PIECE", 3)
    rows = [fail(team, owner, f"Worker {number} died") for number in range(7)]
    ErrorTally.objects.all().delete()
    FalRequest.objects.update(error_key=None)
    return rows


def test_it_goes_from_the_newest_down_until_none_is_left(older):
    assert history.percent() < 100
    for grouped in (3, 6, 7):
        assert history.group_piece()
        keyed = FalRequest.objects.filter(error_key__isnull=False)
        assert sorted(keyed.values_list("pk", flat=True)) == [row.pk for row in older[-grouped:]]
    assert not history.group_piece()
    assert history.percent() == 100
    assert only_group().count == 7


def test_it_makes_the_keys_that_the_lifecycle_makes(older):
    keys = {row.error_key for row in older}
    while history.group_piece():
        pass
    assert {fresh(row).error_key for row in older} == keys


def test_old_failures_do_not_reopen_what_was_resolved(older, owner):
    history.group_piece()
    deciding.resolve(only_group(), person=owner, now=timezone.now())
    while history.group_piece():
        pass
    group = only_group()
    assert (group.state, group.count) == ("resolved", 7)


def test_a_row_that_an_older_process_failed_is_found_and_counted_once(older, team, owner):
    while history.group_piece():
        pass
    row = fail(team, owner, "Worker 9 died")
    ErrorTally.objects.all().delete()
    FalRequest.objects.filter(pk=row.pk).update(error_key=None)
    for _ in range(3):
        tasks._group_some()
    count_all()
    assert fresh(row).error_key and history.percent() == 100
