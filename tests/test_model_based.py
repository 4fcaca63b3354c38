"""Whatever comes in whatever order: the rules that hold for every request, with the writer and the
database. `test_decisions_in_any_order` plays with the pure rules alone.
"""

from __future__ import annotations

import json
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
from requests_app.fal import Listed, NotSent, Refused
from requests_app.fal.error_bodies import says_nothing
from requests_app.lifecycle import Effect
from requests_app.models import AT_FAL, FalRequest, Source, Status, Team
from requests_app.rules.lost_submit import LostSubmit
from tests.builders import make_receipt, make_request
from tests.news import reports
from tests.sampling import count

STEPS = count("STEPS", 1000)  # rules carried out, all examples together


class Writer(RuleBasedStateMachine):
    """The verbs and the database: people, senders, pollers and webhooks in any order."""

    team: Team
    person: User
    steps = 0
    checks = -1  # the first is before the first step

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
            self.start_attempt()
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
    def start_attempt(self) -> None:
        before = self.look().status
        if attempt := lifecycle.start_attempt(self.row.pk, now=self.now):
            self.leases.append(attempt.lease)
            assert before == Status.PENDING
            self.posts += 1

    @rule(status=st.sampled_from([429, 401, 422]))
    def refused(self, status: int) -> None:
        if self.look().status == Status.SUBMITTING:
            self.posts -= 1  # nothing was taken
            error = Refused("no", status_code=status)
            lifecycle.note_refused(self.row.pk, error, lease=self.leases[-1], now=self.now)

    @rule()
    def not_sent(self) -> None:
        if self.look().status == Status.SUBMITTING:
            self.posts -= 1
            error = NotSent("no route")
            lifecycle.note_not_sent(self.row.pk, error, lease=self.leases[-1], now=self.now)

    @precondition(lambda self: len(self.leases) > 1)
    @rule()
    def news_of_an_earlier_attempt(self) -> None:
        before = FalRequest.objects.filter(pk=self.row.pk).values().get()
        error = Refused("busy", status_code=429)
        lifecycle.note_refused(self.row.pk, error, lease=self.leases[-2], now=self.now)
        lifecycle.note_not_sent(
            self.row.pk, NotSent("no route"), lease=self.leases[-2], now=self.now
        )
        assert FalRequest.objects.filter(pk=self.row.pk).values().get() == before

    @rule()
    def no_answer(self) -> None:
        lifecycle.mark_uncertain(self.row.pk, "reset", now=self.now)

    @rule(request_ids=st.lists(st.sampled_from(["req-1", "req-2"]), unique=True))
    def looked_for(self, request_ids: list[str]) -> None:
        before = self.look()
        found = [Listed(request_id, before.endpoint_id) for request_id in request_ids]
        lost = LostSubmit(before.endpoint_id, json.loads(before.input_text), self.now)
        lifecycle.match_lost_submit(before.pk, lost, found, now=self.now)
        if self.look().fal_request_id != before.fal_request_id:
            assert (before.status, [self.look().fal_request_id]) == (Status.UNCERTAIN, request_ids)

    @rule()
    def lease_expires(self) -> None:
        if self.look().status == Status.SUBMITTING:
            lifecycle.expire_lease(self.row.pk, now=self.now)

    @precondition(lambda self: self.posts)
    @rule(news=reports, source=st.sampled_from([Source.POLL, Source.WEBHOOK, Source.STATUS_STREAM]))
    def hear(self, news: Any, source: str) -> None:
        was_ended = self.look().is_ended
        heard = lifecycle.observe(self.row.pk, news, source=source, asked_at=self.now, now=self.now)
        assert not (was_ended and heard == Effect.NEWS and self.look().status != self.end[0][1])  # type: ignore[index]

    @rule()
    def ask_cancel(self) -> None:
        lifecycle.ask_cancel(self.row.pk, person=self.person, now=self.now)

    @rule()
    def give_up(self) -> None:
        lifecycle.give_up(self.row.pk, person=self.person, now=self.now)

    @rule(wish=st.booleans(), failed=st.booleans())
    def look_at_it(self, wish: bool, failed: bool) -> None:
        lease = FalRequest.objects.take_lease(self.row.pk, self.now, timedelta(seconds=100))
        if lease and self.look().status in AT_FAL:
            if wish:
                lifecycle.make_due(self.row.pk, now=self.now)
            later = self.now + timedelta(seconds=5)
            lifecycle.release(lifecycle.Release(self.row.pk, lease, later, failed))

    @rule()
    def restart(self) -> None:
        lifecycle.resume(now=self.now, alone=True)

    @invariant()
    def is_counted(self) -> None:
        self.checks += 1

    def teardown(self) -> None:
        type(self).steps += max(0, self.checks)

    @invariant()
    def it_was_sent_at_most_once(self) -> None:
        assert getattr(self, "posts", 0) <= 1

    @invariant()
    def an_end_never_changes(self) -> None:
        if not hasattr(self, "row"):
            return
        row = self.look()
        end = (row.ended_at, row.status)
        output = bytes(row.output or b"")
        if self.end is not None:
            # What comes to light after an end fills an empty output or reason, and replaces none.
            assert end == self.end[0]
            assert self.end[1] in (b"", output)
            assert self.end[2] == row.error or says_nothing(self.end[2])
        if row.is_ended:
            assert row.ended_at is not None
            self.end = (end, output, row.error)

    @invariant()
    def every_status_has_its_observation(self) -> None:
        if not hasattr(self, "row"):
            return
        row, told = self.look(), self.row.observations.order_by("id").last()
        assert told is not None
        assert (row.seq, row.status) == (told.pk, told.status)

    @invariant()
    def a_live_row_is_due_at_some_time(self) -> None:
        if not hasattr(self, "row"):
            return
        row = self.look()
        if not row.is_ended:
            assert row.due_at is not None
            assert row.leased_until is None or row.lease is not None


@pytest.mark.django_db
def test_the_writer_keeps_its_promises_in_any_order(team: Team, owner: User) -> None:
    class OfThisTeam(Writer):
        pass

    OfThisTeam.team, OfThisTeam.person = team, owner
    while OfThisTeam.steps < STEPS:  # how many an example takes is up to chance
        before = OfThisTeam.steps
        play(
            OfThisTeam,
            settings=settings(
                max_examples=50,
                stateful_step_count=40,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert OfThisTeam.steps > before
