"""Whatever comes in whatever order: the rules that hold for every decision.

The pure rules alone, thousands of decisions a second; `test_model_based` plays with the writer and
the database.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from requests_app.models import AT_FAL, ENDED, LIVE, Status
from requests_app.rules.transitions import CANCELLED_TYPE, CallEnded, Change, Gone, Picture, decide
from tests.news import common, direct_ends, reports
from tests.sampling import count

STEPS = count("DECISIONS", 50_000)  # decisions, all examples together


class Rules(RuleBasedStateMachine):
    """`decide` alone: the picture becomes what the change says."""

    steps = 0

    @initialize(status=st.sampled_from(sorted(LIVE)))
    def begin(self, status: str) -> None:
        self.picture, self.ends, self.absorbed = Picture(status=status), 0, 0

    @rule(burst=st.lists(common, min_size=20, max_size=40), status=st.sampled_from(sorted(LIVE)))
    def hear_many(self, burst: list[Any], status: str) -> None:
        for news in burst:
            if self.absorbed > 2:  # enough of this request: turn to another
                self.begin(status)
            self.hear(news)

    @rule(news=reports | direct_ends)
    def hear_one(self, news: Any) -> None:
        self.hear(news)

    def hear(self, news: Any) -> None:
        Rules.steps += 1
        before, change = self.picture, decide(self.picture, news)
        if before.is_ended:
            self.absorbed += 1
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
        assert change.kind in {"accepted", "status", "found", "finished", "ended"}
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
    if isinstance(news, CallEnded):
        return news.status == Status.CANCELLED
    told = CANCELLED_TYPE in (getattr(news, "error_type", None), _type_of(news))
    return (
        told or getattr(news, "status_code", 0) == 499 or "499" in str(getattr(news, "error", ""))
    )


def _type_of(news: Any) -> str | None:
    return getattr(getattr(news, "error", None), "error_type", None)


def test_the_rules_hold_for_any_news_in_any_order() -> None:
    Rules.steps = 0
    while Rules.steps < STEPS:  # how many an example takes is up to chance
        before = Rules.steps
        play(Rules, settings=settings(max_examples=120, stateful_step_count=50, deadline=None))
        assert Rules.steps > before
