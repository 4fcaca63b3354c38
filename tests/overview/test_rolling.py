"""Figures that are counted beforehand: always those of the requests, whatever happens in between."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import (
    DAY,
    HOUR,
    MINUTE,
    FalRequest,
    RollUp,
    RollUpMark,
    RollUpProgress,
    Source,
    Team,
)
from requests_app.overview import rolling
from requests_app.overview.counting import counted, counted_one
from requests_app.overview.tally import Tally
from tests.builders import make_draft, make_person, make_receipt, make_result, make_status

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_at(at: datetime, team: Team, person: User, endpoint: str = "acme/img") -> FalRequest:
    return lifecycle.create(make_draft(endpoint_id=endpoint), team=team, person=person, now=at)


def end(row: FalRequest, at: datetime, *, error_type: str | None = None) -> None:
    """fal takes, runs and ends it."""
    attempt = lifecycle.start_attempt(row.pk, now=row.created_at)
    assert attempt
    for seconds, news in enumerate((
        make_receipt(f"req-{row.pk}"),
        make_status("IN_PROGRESS"),
        make_status("COMPLETED"),
        make_result(code=500 if error_type else 200, error=error_type, error_type=error_type),
    )):  # fmt: skip
        then = at + timedelta(seconds=seconds)
        lifecycle.observe(row.pk, news, source=Source.POLL, asked_at=then, now=then)


def stored(
    team: Team, seconds: int, since: datetime = NOON - timedelta(days=90)
) -> dict[Any, Tally]:
    found: dict[Any, Tally] = defaultdict(Tally)
    for row in RollUp.objects.filter(team=team, seconds=seconds, begins__gte=since):
        found[row.user_key, row.endpoint_id].add(Tally.of(row))
    return dict(found)


def true(
    team: Team, since: datetime = NOON - timedelta(days=90), until: Any = None
) -> dict[Any, Tally]:
    return counted(team.pk, since, until or NOON + timedelta(days=90))


def test_every_change_is_in_the_figures_after_the_next_count(team: Team, owner: User) -> None:
    row = make_at(NOON, team, owner)
    rolling.count_all(NOON)
    assert stored(team, MINUTE)[0, "acme/img"].ends.open == 1
    end(row, NOON + timedelta(minutes=90), error_type="runner_server_error")
    rolling.count_all(NOON + timedelta(minutes=95))
    FalRequest.objects.update(cost="0.25", cost_currency="USD")
    lifecycle.add_tags(row.pk, ["draft"], person=owner, now=NOON)
    rolling.count_all(NOON + timedelta(minutes=96))
    [of_all, of_owner] = [stored(team, HOUR)[key, "acme/img"] for key in (0, owner.pk)]
    assert of_all == of_owner
    assert (of_all.ends.faults, of_all.failures) == (1, {"runner_server_error": 1})
    assert (of_all.costs, of_all.priced) == ({"USD": Decimal("0.25")}, 1)
    assert not RollUpMark.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_the_requests_in_whatever_order_things_happen(
    team: Team, owner: User, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating, ending, deleting, counting a piece, and time that passes, at random."""
    monkeypatch.setattr(rolling, "MOST_SPANS", 3)
    monkeypatch.setattr(rolling, "HISTORY", 2)
    chance = random.Random(seed)
    people = [owner, make_person("pat", team=team)]
    now, kept, gone = NOON, [], defaultdict[Any, Tally](Tally)
    for _ in range(60):
        now += timedelta(minutes=chance.choice([0, 1, 7, 55, 600]))
        act = chance.random()
        if act < 0.5:
            made = now - timedelta(minutes=chance.choice([0, 0, 0, 3, 200, 3000]))
            endpoint = chance.choice(["acme/img", "acme/text"])
            kept.append(make_at(made, team, chance.choice(people), endpoint))
        elif act < 0.75 and kept:
            row = kept[chance.randrange(len(kept))]
            if not FalRequest.objects.get(pk=row.pk).is_ended:
                end(row, now, error_type=chance.choice([None, "request_timeout"]))
        elif act < 0.85 and kept:
            row = kept[chance.randrange(len(kept))]
            figures = counted_one(row)
            if lifecycle.delete_request(row.pk, person=owner, now=timezone.now()):
                kept.remove(row)
                for key, tally in figures.items():
                    gone[key].add(tally)
        else:
            rolling.count_piece(now)
    now += timedelta(days=2)
    rolling.count_all(now)
    assert not RollUpMark.objects.exists()
    expected = true(team)
    assert gone
    for key, tally in gone.items():
        expected.setdefault(key, Tally()).add(tally)
    assert stored(team, HOUR) == expected
    assert stored(team, DAY) == expected


def test_a_process_that_stood_still_writes_no_figures(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease went to another process while it counted; what it counted is old by now."""
    make_at(NOON, team, owner)
    rolling._first(NOON)
    counting = rolling.counted_spans

    def stand_still(*args: Any, **only: Any) -> Any:
        found = counting(*args, **only)
        monkeypatch.setattr(rolling, "counted_spans", counting)
        make_at(NOON, team, owner)
        RollUpProgress.objects.update(leased_until=NOON - timedelta(hours=1))
        rolling.count_all(NOON)
        return found

    monkeypatch.setattr(rolling, "counted_spans", stand_still)
    rolling.count_piece(NOON)
    assert stored(team, MINUTE) == true(team)
    assert stored(team, MINUTE)[0, "acme/img"].ends.total == 2


def test_a_count_that_broke_off_is_made_again(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_at(NOON, team, owner)

    def fail(*args: Any) -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(rolling, "_write", fail)
        with pytest.raises(RuntimeError):
            rolling.count_piece(NOON)
    assert not rolling.count_piece(NOON), "the lease still belongs to the process that is gone"
    rolling.count_all(NOON + 2 * rolling.LEASE)
    assert stored(team, MINUTE) == true(team)


def test_requests_of_before_the_counts_are_counted_in_the_background_from_the_newest_down(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "HISTORY", 2)
    for hours in range(12, 0, -1):
        make_at(NOON - timedelta(hours=hours), team, owner)
    RollUpMark.objects.all().delete()
    rolling.count_piece(NOON)
    assert RollUpProgress.objects.get().percent < 100
    assert not stored(team, HOUR)
    rolling.count_piece(NOON)
    assert stored(team, HOUR)[0, "acme/img"].ends.total == 2
    rolling.count_all(NOON)
    assert RollUpProgress.objects.get().percent == 100
    assert stored(team, HOUR) == true(team)
    RollUp.objects.all().delete()
    call_command("rebuild_overview")
    rolling.count_all(NOON)
    assert stored(team, HOUR) == true(team)


def test_figures_by_the_minute_go_when_their_hours_have_figures_of_their_own(
    team: Team, owner: User
) -> None:
    make_at(NOON, team, owner)
    rolling.count_all(NOON)
    rolling.count_all(NOON + timedelta(hours=26))
    assert not stored(team, MINUTE)
    assert stored(team, HOUR) == stored(team, DAY) == true(team)


def test_teams_are_counted_apart(team: Team, owner: User, stranger: User) -> None:
    theirs = Team.objects.get(name="Other")
    make_at(NOON, theirs, stranger)
    rolling.count_all(NOON)
    assert not stored(team, MINUTE)
    assert stored(theirs, MINUTE)[0, "acme/img"].ends.total == 1
