"""Reports stored together leave the rows as reports stored one by one do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app import lifecycle
from requests_app.lifecycle import Effect, RowReport
from requests_app.models import FalRequest, Source, Team
from tests.builders import fresh, make_log, make_queued, make_status

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = (
    "status", "queue_position", "metrics", "error", "error_type", "cancel_answer", "tries",
    "output_size",
)  # fmt: skip

NEWS: dict[str, Callable[[], Any]] = {
    "a place in the queue": lambda: make_status("IN_QUEUE", queue_position=2),
    "the same place": lambda: make_status("IN_QUEUE", queue_position=3),
    "it runs": lambda: make_status("IN_PROGRESS"),
    "it runs and logs": lambda: make_status("IN_PROGRESS", logs=(make_log("step 1"),)),
    "done": lambda: make_status("COMPLETED", metrics={"inference_time": 1.5}),
    "failed": lambda: make_status("COMPLETED", error="No", error_type="internal_error"),
    "a new word": lambda: make_status("PAUSED"),
    "an odd metric": lambda: make_status("COMPLETED", metrics={"inference_time": float("nan")}),
}


def queued(team: Team, owner: User, name: str, how_many: int) -> list[FalRequest]:
    return [make_queued(f"{name}-{n}", team=team, person=owner) for n in range(how_many)]


def report_of(row: FalRequest, news: Any, *, age_s: float = 0) -> RowReport:
    asked_at = timezone.now() - timedelta(seconds=age_s)
    return RowReport(row.pk, news, Source.POLL, asked_at)


def shown(row: FalRequest) -> list[Any]:
    now = fresh(row)
    said = row.observations.exclude(kind="sent")  # which names its attempt
    heard = said.order_by("id").values_list("kind", "source", "status", "note", "data")
    logs = row.log_lines.order_by("id").values_list("message", flat=True)
    times = [
        getattr(now, name) is None for name in ("started_at", "finished_at", "ended_at", "due_at")
    ]
    return [*(getattr(now, name) for name in SHOWN), times, list(heard), list(logs)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_rows_heard_of_together_end_as_rows_heard_of_one_by_one(
    team: Team, owner: User, seed: int
) -> None:
    chance, names = random.Random(seed), list(NEWS)
    alone, together = (queued(team, owner, name, 6) for name in ("alone", "together"))
    for _ in range(4):
        told = [NEWS[chance.choice(names)] for _ in alone]
        ages = [chance.choice([0, 0, 60]) for _ in alone]  # s: some answers are older than others
        for row, news, age_s in zip(alone, told, ages, strict=True):
            report = report_of(row, news(), age_s=age_s)
            lifecycle.observe(row.pk, report.news, source=report.source, asked_at=report.asked_at)
        lifecycle.observe_many([
            report_of(row, news(), age_s=age_s)
            for row, news, age_s in zip(together, told, ages, strict=True)
        ])  # fmt: skip
        assert [shown(row) for row in together] == [shown(row) for row in alone]


def test_two_reports_of_one_row_are_told_apart(team: Team, owner: User) -> None:
    [row] = queued(team, owner, "twice", 1)
    first, second = make_status("IN_PROGRESS"), make_status("COMPLETED")
    heard = lifecycle.observe_many([report_of(row, first), report_of(row, second)])
    assert [one.effect for one in heard] == [Effect.NEWS, Effect.NEWS]
    assert fresh(row).finished_at is not None


def test_what_is_known_is_not_written(team: Team, owner: User) -> None:
    rows = queued(team, owner, "known", 5)
    known = NEWS["the same place"]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        heard = lifecycle.observe_many([report_of(row, known()) for row in rows])
    assert [one.effect for one in heard] == [Effect.KNOWN] * 5
    assert len(asked) == 1


def test_what_is_known_to_who_asked_needs_no_query(team: Team, owner: User) -> None:
    rows = queued(team, owner, "known", 5)
    reports = [replace(report_of(row, NEWS["the same place"]()), seen=row) for row in rows]
    with CaptureQueriesContext(connection) as asked:
        lifecycle.observe_many(reports)
    assert not asked.captured_queries
    assert not any(lifecycle.brings_news(one.seen, one.news) for one in reports if one.seen)


def test_one_that_cannot_be_stored_leaves_all_as_they_were(team: Team, owner: User) -> None:
    rows = queued(team, owner, "bad", 3)
    before = [shown(row) for row in rows]
    rows[1].delete()
    with pytest.raises(KeyError):
        lifecycle.observe_many([report_of(row, make_status("IN_PROGRESS")) for row in rows])
    assert [shown(rows[0]), shown(rows[2])] == [before[0], before[2]]


def test_rows_with_one_news_are_one_write_each_with_its_own_version_and_time(
    team: Team, owner: User
) -> None:
    rows = queued(team, owner, "many", 20)
    reports = [
        report_of(row, make_status("IN_PROGRESS"), age_s=-number) for number, row in enumerate(rows)
    ]
    with CaptureQueriesContext(connection) as asked:
        heard = lifecycle.observe_many(reports)
    assert len(asked) <= 6  # the two reads, the transaction, the observations and the rows
    for row, report, one in zip(rows, reports, heard, strict=True):
        now, newest = fresh(row), row.observations.latest("pk")
        assert now.seq == newest.pk == one.seq
        assert now.observed_at == newest.asked_at == report.asked_at
