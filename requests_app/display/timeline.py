"""The life of a request as steps with times, durations and sources. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from requests_app.models import ENDED, FalRequest, Mode, Observation, Source, Status

Plan = list[tuple[str, datetime | None, Observation | None]]
DERIVED = "derived: the end, less the inference time that fal told"
MOST_NOTES = 5  # per stage, the newest; the Events tab has all
SOURCE_WORDS: dict[str, str] = {
    Source.US: "Faldeck",
    Source.SUBMIT_REPLY: "fal's reply to the submit",
    Source.POLL: "status poll",
    Source.STATUS_STREAM: "fal's status stream",
    Source.STREAM: "the call's own reply",
    Source.WEBHOOK: "webhook",
    Source.LIST: "fal's list of finished requests",
    Source.PERSON: "user",
    Source.GATEWAY: "the program's own call",
}


@dataclass
class Step:
    """One stage. ``state``: done, now or ahead; ``took``: since the stage before; ``known_by``:
    source.
    """

    name: str
    at: datetime | None
    state: str
    took: timedelta | None = None
    known_by: str = ""
    tone: str = ""
    is_derived: bool = False  # computed from other facts, not observed
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Note:
    """A sentence between two stages: a cancel was asked for, fal put it back into the queue, …"""

    text: str
    at: datetime
    known_by: str


def known_by(source: str) -> str:
    """Return the source of an observation in words."""
    return SOURCE_WORDS.get(Source(source), source) if source in Source.values else source


def steps(row: FalRequest, observations: Sequence[Observation]) -> list[Step]:
    """Return created → submitted → queued → started → ended; ``observations`` are the row's, oldest
    first.
    """
    plan = _plan(row, observations)
    stages = _stages(row, plan)
    if row.started_at_is_derived:
        _mark_derived(stages)
    _measure(stages)
    _mark_present(row, stages)
    told = {seen.pk for _, at, seen in plan if at and seen}
    _attach_notes(stages, [seen for seen in observations if seen.pk not in told])
    return stages


def _plan(row: FalRequest, heard: Sequence[Observation]) -> Plan:
    """Return each stage with its time and the observation that reports it."""
    plan: Plan = [
        ("Created", row.created_at, _first(heard, Status.PENDING)),
        ("Submitted", row.sent_at, _first(heard, Status.SUBMITTING)),
    ]
    if row.mode == Mode.QUEUE:
        plan.append(("Queued", row.accepted_at, _first(heard, Status.IN_QUEUE)))
    seen_starting = None if row.started_at_is_derived else _first(heard, Status.IN_PROGRESS)
    plan.append(("Started", row.started_at, seen_starting))
    plan.append((_end_name(row), row.ended_at, _first(heard, *ENDED)))
    return plan


def _stages(row: FalRequest, plan: Plan) -> list[Step]:
    reached = [number for number, stage in enumerate(plan) if stage[1]]
    return [
        Step(
            name,
            at,
            "done" if at else "ahead",
            known_by=known_by(seen.source) if at and seen else "",
            tone=row.status if at and number == len(plan) - 1 else "",
        )
        for number, (name, at, seen) in enumerate(plan)
        # A stage that passed unobserved is left out: its time is unknown.
        if at or (not row.is_ended and number > max(reached, default=-1))
    ]


def _mark_derived(stages: list[Step]) -> None:
    for step in stages:
        if step.name == "Started":
            step.is_derived, step.known_by = True, DERIVED


def _end_name(row: FalRequest) -> str:
    return row.get_status_display().capitalize() if row.is_ended else "Ended"


def _first(heard: Sequence[Observation], *statuses: str) -> Observation | None:
    return next((seen for seen in heard if seen.status in statuses), None)


def _measure(stages: list[Step]) -> None:
    previous: datetime | None = None
    for step in stages:
        if step.at and previous:
            # Two clocks may disagree by a moment; "-0.1 s" would only confuse.
            step.took = max(step.at - previous, timedelta())
        previous = step.at or previous


def _mark_present(row: FalRequest, stages: list[Step]) -> None:
    """Mark the next stage as the current one; an uncertain request has none."""
    if not row.is_ended and row.status != Status.UNCERTAIN:
        waiting = next((step for step in stages if not step.at), None)
        if waiting:
            waiting.state = "now"


def _attach_notes(stages: list[Step], heard: Sequence[Observation]) -> None:
    """Attach each note to the last stage reached before it."""
    done = [step for step in stages if step.at]
    for seen in heard:
        if not seen.note or not done:
            continue
        before = [step for step in done if step.at and step.at <= seen.heard_at]
        notes = (before or done)[-1 if before else 0].notes
        notes.append(Note(seen.note, seen.heard_at, known_by(seen.source)))
        del notes[:-MOST_NOTES]
