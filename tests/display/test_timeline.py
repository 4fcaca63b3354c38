"""The life of a request as steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from requests_app.display.timeline import MOST_NOTES, steps
from requests_app.models import FalRequest, Mode, Observation, Source, Status

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def heard(number: int, status: str, seconds: float, *, source=Source.US, note="") -> Observation:
    return Observation(
        pk=number, status=status, source=source, note=note, heard_at=at(seconds), kind="status"
    )


def test_an_ended_request_shows_each_stage_with_its_time_and_how_we_know():
    row = FalRequest(
        status=Status.COMPLETED,
        created_at=at(0), sent_at=at(1), accepted_at=at(1.5), started_at=at(4), ended_at=at(9),
    )  # fmt: skip
    told = steps(
        row,
        [
            heard(1, Status.PENDING, 0, source=Source.PERSON),
            heard(2, Status.SUBMITTING, 1),
            heard(3, Status.IN_QUEUE, 1.5, source=Source.SUBMIT_REPLY),
            heard(4, Status.IN_PROGRESS, 4, source=Source.POLL),
            heard(5, Status.COMPLETED, 9, source=Source.WEBHOOK),
        ],
    )
    assert [step.name for step in told] == [
        "Created",
        "Submitted",
        "Queued",
        "Started",
        "Completed",
    ]
    assert [step.took and step.took.total_seconds() for step in told] == [None, 1, 0.5, 2.5, 5]
    assert told[3].known_by == "status poll"
    assert told[4].known_by == "webhook"
    assert (told[4].state, told[4].tone) == ("done", Status.COMPLETED)


def test_a_live_request_shows_what_it_waits_for_and_what_is_ahead():
    row = FalRequest(status=Status.IN_QUEUE, created_at=at(0), sent_at=at(1), accepted_at=at(2))
    assert [(step.name, step.state) for step in steps(row, [])] == [
        ("Created", "done"), ("Submitted", "done"), ("Queued", "done"),
        ("Started", "now"), ("Ended", "ahead"),
    ]  # fmt: skip


def test_an_uncertain_request_waits_for_nothing():
    row = FalRequest(status=Status.UNCERTAIN, created_at=at(0), sent_at=at(1))
    assert "now" not in [step.state for step in steps(row, [])]


def test_a_stage_nobody_saw_is_left_out():
    row = FalRequest(status=Status.FAILED, created_at=at(0), sent_at=at(1), ended_at=at(2))
    assert [step.name for step in steps(row, [])] == ["Created", "Submitted", "Failed"]


def test_a_direct_call_has_no_queue():
    row = FalRequest(mode=Mode.STREAM, status=Status.SUBMITTING, created_at=at(0), sent_at=at(1))
    assert [step.name for step in steps(row, [])] == ["Created", "Submitted", "Started", "Ended"]


def test_clocks_that_disagree_give_no_negative_duration():
    row = FalRequest(status=Status.IN_QUEUE, created_at=at(5), sent_at=at(4))
    assert steps(row, [])[1].took == timedelta()


def test_other_news_stands_under_the_stage_it_fell_into():
    row = FalRequest(status=Status.IN_QUEUE, created_at=at(0), sent_at=at(1), accepted_at=at(2))
    told = steps(
        row,
        [
            heard(1, Status.PENDING, 0, note="Created by jo."),
            heard(2, Status.IN_QUEUE, 2, note="fal took the request."),
            heard(3, Status.IN_QUEUE, 3, note="jo asked to cancel.", source=Source.PERSON),
        ],
    )
    assert [[note.text for note in step.notes] for step in told[:3]] == [
        [], [], ["jo asked to cancel."],
    ]  # fmt: skip


def test_many_notes_are_cut_to_the_newest():
    row = FalRequest(status=Status.IN_QUEUE, created_at=at(0), accepted_at=at(1), sent_at=at(1))
    news = [heard(n, Status.IN_QUEUE, n + 2, note=f"{n}") for n in range(20)]
    assert [note.text for note in steps(row, news)[2].notes] == ["15", "16", "17", "18", "19"]
    assert MOST_NOTES == 5


def test_a_start_that_nobody_saw_is_marked_as_derived():
    row = FalRequest(
        status=Status.COMPLETED, started_at_is_derived=True,
        created_at=at(0), sent_at=at(1), accepted_at=at(1.5), started_at=at(4), ended_at=at(9),
    )  # fmt: skip
    finished = heard(4, Status.IN_PROGRESS, 9, source=Source.POLL, note="fal has finished.")
    started = next(step for step in steps(row, [finished]) if step.name == "Started")
    assert started.is_derived
    assert "inference time" in started.known_by
    assert [note.text for step in steps(row, [finished]) for note in step.notes] == [
        "fal has finished."
    ]
