"""The trends of groups: parts of the time up to now, with what is too old left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from requests_app.error_groups.shelf import GroupFilters, group_of_row, trends
from requests_app.models import ErrorGroup, ErrorHour
from tests.builders import make_request

NOW = datetime(2026, 11, 30, 12, 34, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_failures_fall_into_the_part_of_their_hour(team):
    group = ErrorGroup.objects.create(team=team, key=1, first_seen=NOW, last_seen=NOW)
    other = ErrorGroup.objects.create(team=team, key=2, first_seen=NOW, last_seen=NOW)
    noon = NOW.replace(minute=0)
    for hours, count in ((0, 1), (5, 2), (6, 4), (23, 8), (24, 16), (167, 32), (168, 64)):
        ErrorHour.objects.create(group=group, hour=noon - hours * HOUR, count=count)
    found = trends([group, other], NOW, part=6 * HOUR, parts=28)
    trend = found[group.pk]
    assert trend.counts == (32, *[0] * 22, 16, 8, 0, 4, 3)
    assert (trend.day, trend.week, trend.total) == (15, 63, 63)
    assert (trend.starts[0], trend.starts[-1]) == (noon - 167 * HOUR, noon - 5 * HOUR)
    assert found[other.pk].total == 0


def test_a_row_without_a_key_has_no_group(team, owner):
    assert group_of_row(make_request(team=team, person=owner), NOW) is None


def test_a_changed_filter_leads_to_the_first_page():
    asked = GroupFilters.of({"state": "all", "endpoint": "acme/img", "page": "3", "sort": "count"})
    assert asked.page == 3
    assert asked.query() == {"state": "all", "endpoint": "acme/img", "sort": "count"}
    assert asked.query(page=4)["page"] == "4"
