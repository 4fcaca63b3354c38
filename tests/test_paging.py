"""Keyset pages: every row once, in order, whatever arrives meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet

from requests_app.models import FalRequest, Team
from requests_app.paging import InvalidCursor, Page, page_of
from tests.builders import make_request


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    """Seven rows, newest first."""
    return [make_request(team=team, person=owner) for _ in range(7)][::-1]


@dataclass
class Keys:
    """What matches."""

    rows: QuerySet[FalRequest]

    def newest(self, most: int, *, below: int | None = None) -> list[int]:
        rows = self.rows if below is None else self.rows.filter(pk__lt=below)
        return list(rows.order_by("-pk").values_list("pk", flat=True)[:most])

    def oldest(self, most: int, *, above: int) -> list[int]:
        rows = self.rows.filter(pk__gt=above).order_by("pk")
        return list(rows.values_list("pk", flat=True)[:most])


def page(cursor: str = "", matching: QuerySet[FalRequest] | None = None) -> Page:
    everything = FalRequest.objects.all()
    wanted = everything if matching is None else matching
    return page_of(
        Keys(wanted),
        within=everything,
        load=lambda keys: everything.filter(pk__in=keys),
        params=dict(parse_qsl(cursor)),
        size=3,
    )


def test_it_walks_down_and_up_again_without_gap_or_repeat(rows: list[FalRequest]) -> None:
    first = page()
    second = page(first.older)
    third = page(second.older)
    assert [*first.rows, *second.rows, *third.rows] == rows
    assert third.older == ""
    assert page(third.newer).rows == second.rows
    assert page(second.newer).rows == first.rows


def test_only_the_first_page_is_first(rows: list[FalRequest]) -> None:
    first = page()
    assert first.is_first
    assert not page(first.older).is_first
    assert page(page(first.older).newer).is_first


def test_new_rows_shift_nothing_on_older_pages(
    rows: list[FalRequest], team: Team, owner: User
) -> None:
    older = page().older
    make_request(team=team, person=owner)
    assert page(older).rows == rows[3:6]


def test_a_short_page_at_the_top_becomes_the_first_page(
    rows: list[FalRequest], team: Team, owner: User
) -> None:
    top = make_request(team=team, person=owner)
    assert page(f"newer={rows[0].public_id}").rows == [top, *rows[:2]]


def test_the_edge_row_may_have_stopped_matching(rows: list[FalRequest]) -> None:
    matching = FalRequest.objects.exclude(pk=rows[2].pk)
    assert page(f"older={rows[2].public_id}", matching).rows == rows[3:6]


def test_an_exactly_full_page_has_no_older_one(rows: list[FalRequest]) -> None:
    matching = FalRequest.objects.filter(pk__in=[row.pk for row in rows[:3]])
    assert page("", matching).older == ""


def test_the_page_below_the_last_row_leads_back(rows: list[FalRequest]) -> None:
    below = page(f"older={rows[-1].public_id}")
    assert below.rows == []
    assert not below.is_first


@pytest.mark.parametrize("cursor", ["older=1", "newer=", "older=zzz", "newer=%00"])
def test_a_cursor_that_is_none_is_refused(rows: list[FalRequest], cursor: str) -> None:
    params = dict(parse_qsl(cursor, keep_blank_values=True))
    everything = FalRequest.objects.all()
    with pytest.raises(InvalidCursor):
        page_of(
            Keys(everything),
            within=everything,
            load=lambda keys: everything.filter(pk__in=keys),
            params=params,
        )


def test_a_cursor_of_another_team_is_worth_nothing(
    rows: list[FalRequest], team: Team, stranger: User
) -> None:
    membership = stranger.memberships.get()  # type: ignore[attr-defined]
    foreign = make_request(team=membership.team, person=stranger)
    with pytest.raises(InvalidCursor):
        ours = FalRequest.objects.filter(team=team)
        page_of(
            Keys(ours),
            within=ours,
            load=lambda keys: ours.filter(pk__in=keys),
            params={"older": str(foreign.public_id)},
        )
