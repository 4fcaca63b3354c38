"""Whatever comes in whatever order: the rules that hold for every request.

One machine plays with the pure rules alone, thousands of steps a second; a smaller one with the
writer and the database.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from requests_app import lifecycle
from requests_app.fal import NotSent, Refused
from requests_app.lifecycle import Heard
from requests_app.models import AT_FAL, ENDED, LIVE, FalRequest, Source, Status, Team
from requests_app.transitions import CANCELLED_TYPE, Change, Ended, Gone, Picture, decide
from tests.builders import (
    make_log,
    make_receipt,
    make_request,
    make_result,
    make_status,
    make_webhook,
)

WORDS = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "PAUSED", ""]
ODD_TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20)

reports = st.one_of(
    st.builds(make_receipt, position=st.none() | st.integers(0, 2**70)),
    st.builds(
        make_status,
        st.sampled_from(WORDS),
        queue_position=st.none() | st.integers(0, 5) | st.just(2**70),
        error_type=st.sampled_from([None, "runner_error", CANCELLED_TYPE]),
        metrics=st.dictionaries(ODD_TEXTS, st.floats(0, 9) | ODD_TEXTS, max_size=2),
        logs=st.lists(st.builds(make_log, ODD_TEXTS), max_size=2).map(tuple),
    ),
    st.builds(
        make_result,
        code=st.sampled_from([200, 422, 499, 500]),
        error=st.none() | ODD_TEXTS.filter(bool),
        error_type=st.sampled_from([None, CANCELLED_TYPE, "x" * 200, "\ud800"]),
    ),
    st.builds(
        make_webhook,
        status=st.sampled_from(["OK", "ERROR", "LATER"]),
        payload_bytes=st.sampled_from([None, b"", b'{"a": 1}', b"\xff", b'{"detail": "\\ud800"}']),
        error=st.none() | ODD_TEXTS | st.just("Invalid status code: 499"),
    ),
    st.builds(Gone, st.sampled_from(["request", "result"])),
)  # fmt: skip
direct_ends = st.builds(Ended, st.sampled_from(["failed", "cancelled"]), st.just("cut"), ODD_TEXTS)


class Rules(RuleBasedStateMachine):
    """`decide` alone: the picture becomes what the change says."""

    @initialize(status=st.sampled_from(sorted(LIVE)))
    def begin(self, status: str) -> None:
        self.picture, self.ends = Picture(status=status), 0

    @rule(news=reports | direct_ends)
    def hear(self, news: Any) -> None:
        before, change = self.picture, decide(self.picture, news)
        if before.is_ended:
            assert change is None
        if change is None:
            return
        self.check(before, news, change)
        self.ends += change.ends
        columns = change.columns
        self.picture = Picture(
            status=change.status,
            fal_request_id=columns.get("fal_request_id", before.fal_request_id),
            queue_position=columns.get("queue_position", before.queue_position),
            finished=before.finished or change.finishes,
            cancel_asked=before.cancel_asked,
            cancel_answer=before.cancel_answer,
        )

    @precondition(lambda self: not self.picture.is_ended)
    @rule(answer=st.sampled_from(["", "requested", "removed", "already_completed", "not_found"]))
    def ask_to_cancel(self, answer: str) -> None:
        old = self.picture
        self.picture = Picture(
            old.status, old.fal_request_id, old.queue_position, old.finished, True, answer
        )

    def check(self, before: Picture, news: Any, change: Change) -> None:
        assert change.kind in {"accepted", "status", "finished", "ended"}
        assert change.note.strip() or change.ends
        assert change.ends == (change.kind == "ended")
        assert change.status in AT_FAL | ENDED  # news never makes a row unsent or uncertain
        if change.status == Status.CANCELLED:
            assert says_cancelled(before, news)
        if change.status == Status.FAILED:
            assert "error" in change.columns
        if change.status == Status.COMPLETED:
            assert "output" in change.columns

    @invariant()
    def ends_once(self) -> None:
        assert getattr(self, "ends", 0) <= 1

    @invariant()
    def a_running_or_ended_request_has_no_place_in_the_queue(self) -> None:
        picture = getattr(self, "picture", None)
        if picture and picture.is_ended:
            assert picture.queue_position is None


def says_cancelled(before: Picture, news: Any) -> bool:
    """Whether these words of fal's (or our own hanging up) may be shown as "cancelled"."""
    if isinstance(news, Gone):
        return before.cancel_asked and before.cancel_answer in ("requested", "removed")
    if isinstance(news, Ended):
        return news.status == Status.CANCELLED
    told = CANCELLED_TYPE in (getattr(news, "error_type", None), _type_of(news))
    return (
        told or getattr(news, "status_code", 0) == 499 or "499" in str(getattr(news, "error", ""))
    )


def _type_of(news: Any) -> str | None:
    return getattr(getattr(news, "error", None), "error_type", None)


def test_the_rules_hold_for_any_news_in_any_order() -> None:
    play(Rules, settings=settings(max_examples=150, stateful_step_count=25, deadline=None))


class Writer(RuleBasedStateMachine):
    """The verbs and the database: people, senders, pollers and webhooks in any order."""

    team: Team
    person: User

    @initialize(mode=st.sampled_from(["queue", "queue", "run", "stream"]), is_at_fal=st.booleans())
    def begin(self, mode: str, is_at_fal: bool) -> None:
        # One row at fal at a time may have the id that all reports speak of.
        FalRequest.objects.exclude(fal_request_id="").update(fal_request_id="")
        self.row = make_request(team=self.team, person=self.person, mode=mode)
        self.now = timezone.now() + timedelta(seconds=1)
        self.claims = self.posts = 0
        self.leases: list[UUID] = []
        self.end: tuple[Any, ...] | None = None
        if is_at_fal and mode == "queue":
            self.claim()
            lifecycle.observe(
                self.row.pk, make_receipt(), source=Source.SUBMIT_REPLY, asked_at=self.now
            )
            self.now += timedelta(seconds=5)

    def look(self) -> FalRequest:
        return FalRequest.objects.get(pk=self.row.pk)

    @rule(seconds=st.sampled_from([0, 1, 30, 90]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def claim(self) -> None:
        before = self.look().status
        if claim := lifecycle.claim(self.row.pk, now=self.now):
            self.leases.append(claim.lease)
            assert before == Status.PENDING
            self.posts += 1

    @rule(status=st.sampled_from([429, 401, 422]))
    def refused(self, status: int) -> None:
        if self.look().status == Status.SUBMITTING:
            self.posts -= 1  # nothing was taken
            error = Refused("no", status_code=status)
            lifecycle.refused(self.row.pk, error, lease=self.leases[-1], now=self.now)

    @rule()
    def not_sent(self) -> None:
        if self.look().status == Status.SUBMITTING:
            self.posts -= 1
            error = NotSent("no route")
            lifecycle.not_sent(self.row.pk, error, lease=self.leases[-1], now=self.now)

    @precondition(lambda self: len(self.leases) > 1)
    @rule()
    def news_of_an_earlier_attempt(self) -> None:
        before = FalRequest.objects.filter(pk=self.row.pk).values().get()
        error = Refused("busy", status_code=429)
        lifecycle.refused(self.row.pk, error, lease=self.leases[-2], now=self.now)
        lifecycle.not_sent(self.row.pk, NotSent("no route"), lease=self.leases[-2], now=self.now)
        assert FalRequest.objects.filter(pk=self.row.pk).values().get() == before

    @rule()
    def no_answer(self) -> None:
        lifecycle.uncertain(self.row.pk, "reset", now=self.now)

    @rule()
    def lapsed(self) -> None:
        if self.look().status == Status.SUBMITTING:
            lifecycle.lapsed(self.row.pk, now=self.now)

    @precondition(lambda self: self.posts)
    @rule(news=reports, source=st.sampled_from([Source.POLL, Source.WEBHOOK, Source.STATUS_STREAM]))
    def hear(self, news: Any, source: str) -> None:
        was_ended = self.look().is_ended
        heard = lifecycle.observe(self.row.pk, news, source=source, asked_at=self.now, now=self.now)
        assert not (was_ended and heard == Heard.NEWS and self.look().status != self.end[1])  # type: ignore[index]

    @rule()
    def ask_cancel(self) -> None:
        lifecycle.ask_cancel(self.row.pk, person=self.person, now=self.now)

    @rule()
    def give_up(self) -> None:
        lifecycle.give_up(self.row.pk, person=self.person, now=self.now)

    @rule(wish=st.booleans(), failed=st.booleans())
    def look_at_it(self, wish: bool, failed: bool) -> None:
        lease = FalRequest.objects.lease(self.row.pk, self.now, timedelta(seconds=100))
        if lease and self.look().status in AT_FAL:
            if wish:
                lifecycle.make_due(self.row.pk, now=self.now)
            later = self.now + timedelta(seconds=5)
            lifecycle.release(self.row.pk, lease, later, failed=failed)

    @rule()
    def restart(self) -> None:
        lifecycle.resume(now=self.now, alone=True)

    @invariant()
    def it_was_sent_at_most_once(self) -> None:
        assert getattr(self, "posts", 0) <= 1

    @invariant()
    def an_end_never_changes(self) -> None:
        if not hasattr(self, "row"):
            return
        row = self.look()
        end = (row.ended_at, row.status, row.error, bytes(row.output or b""))
        if self.end is not None:
            assert end == self.end
        elif row.is_ended:
            assert row.ended_at is not None
            self.end = end

    @invariant()
    def every_status_has_its_observation(self) -> None:
        if not hasattr(self, "row"):
            return
        row, told = self.look(), self.row.observations.order_by("id").last()
        assert told is not None
        assert (row.seq, row.status) == (told.pk, told.status)

    @invariant()
    def a_live_row_is_due_at_some_time_unless_it_is_uncertain(self) -> None:
        if not hasattr(self, "row"):
            return
        row = self.look()
        if row.status == Status.UNCERTAIN:
            assert row.due_at is None
        elif not row.is_ended:
            assert row.due_at is not None
            assert row.leased_until is None or row.lease is not None


@pytest.mark.django_db
def test_the_writer_keeps_its_promises_in_any_order(team: Team, owner: User) -> None:
    class OfThisTeam(Writer):
        pass

    OfThisTeam.team, OfThisTeam.person = team, owner
    play(
        OfThisTeam,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
