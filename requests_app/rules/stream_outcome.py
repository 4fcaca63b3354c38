"""Pure: judge the outcome of a stream from all its events.

fal closes the stream of a failed model as cleanly as any other, so only the events show the failure. An
error stays an error whatever follows it; the output is the last event that has output.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import msgspec

from requests_app.fal import StreamEvent
from requests_app.fal.error_bodies import ErrorBody, parse_error
from requests_app.fal.reports import Rest, Result
from requests_app.fal.transport import BEGINNING, HELD
from requests_app.models.error_type import ErrorType
from requests_app.models.request import Status
from requests_app.rules.stream_event import Said, Says, State, is_goodbye, read_event
from requests_app.rules.transitions import CallEnded

NO_REASON = "The model reported an error in mid-stream and gave no reason."


class _Kept(msgspec.Struct, frozen=True):
    """An event that may be the output."""

    text: str
    content_type: str
    is_words: bool  # text: neither object nor list


class StreamOutcome:
    """Takes every event of a stream in order; `count` is their number."""

    def __init__(self) -> None:
        self.count = 0
        self._said: _Kept | None = None  # the newest output or error
        self._note: _Kept | None = None
        self._error: ErrorBody | None = None
        self._are_words: bool | None = (
            None  # whether the outputs so far are text; None: no output yet
        )
        self._state = State.UNTOLD
        self._ends_in_part = False

    def take(self, events: Sequence[StreamEvent]) -> list[Says]:
        """Take the next events and return the class of each."""
        return [self._take(event) for event in events]

    def _take(self, event: StreamEvent) -> Says:
        self.count += 1
        said = read_event(event.name, event.data, is_cut=event.is_cut)
        says = self._in_context(said, event.data)
        self._ends_in_part = says is Says.PART
        kept = _Kept(event.data, said.content_type, not isinstance(said.value, dict | list))
        if says is Says.ERROR:
            self._take_error(said, kept)
        elif says is Says.OUTPUT and (event.data.strip() or not self._said):
            self._said, self._state, self._are_words = kept, said.state, kept.is_words
        elif says is Says.NOTE:
            self._note = kept
        if says in (Says.NOTE, Says.NOTHING):
            self._hear(said.state)
        return says

    def _in_context(self, said: Said, text: str) -> Says:
        """Reclassify text: a closing word after JSON outputs and white space without text outputs are none."""
        if said.says is not Says.OUTPUT or said.content_type != "text/plain":
            return said.says
        if not text.strip():
            return Says.OUTPUT if self._are_words else Says.NOTHING
        return Says.NOTE if self._are_words is False and is_goodbye(text) else Says.OUTPUT

    def _take_error(self, said: Said, kept: _Kept) -> None:
        """Keep the first error with a text as the reason: later ones are its consequences."""
        if self._error is None or self._error.detail == NO_REASON:
            self._error = _error_of(said.error)
        if kept.text.strip() or not self._said:
            self._said = kept

    def _hear(self, state: State) -> None:
        """Update the state from an event without output. Only a member can complete a partial output."""
        if state is State.WHOLE or (state is State.CLOSING and self._state is State.RUNNING):
            self._state = State.WHOLE
        elif state is State.PARTIAL or (state is State.RUNNING and self._are_words is None):
            self._state = state

    @property
    def came(self) -> Result | None:
        """The newest event with an output or an error, else the newest note."""
        kept = self._said or self._note
        return _result(kept) if kept else None

    def end(self) -> Result | CallEnded:
        """Judge the stream after fal has closed it. A failed stream keeps its output."""
        came = self.came
        if came and self._error:
            return replace(came, error=self._error)
        if self._ends_in_part:
            what = f"in the middle of event {self.count:,}, of which only a part came"
            return self._partial(f"The stream was closed {what}.", came)
        if came is None:
            what = "any output" if self.count else "a single event"
            return CallEnded(
                Status.FAILED, ErrorType.EMPTY_STREAM, f"The stream ended without {what}."
            )
        if self._state not in (State.PARTIAL, State.RUNNING):
            return came
        events = f"{self.count:,} event{'' if self.count == 1 else 's'}"
        where = (
            "before an output came" if self._are_words is None else "in the middle of its output"
        )
        return self._partial(f"The stream ended after {events}, {where}.", came)

    def broken_off(self, ended: CallEnded) -> Result | CallEnded:
        """Judge the stream after the call broke off: its own error if one came, else `ended`."""
        if (came := self.came) and self._error:
            return replace(came, error=self._error)
        return replace(ended, came=came)

    def _partial(self, sentence: str, came: Result | None) -> CallEnded:
        return CallEnded(Status.FAILED, ErrorType.PARTIAL_STREAM, sentence, came=came)


def _error_of(told: Any) -> ErrorBody:
    """Make an error of what an event reported; a text is the reason itself."""
    if isinstance(told, str):
        return ErrorBody(told.strip() or NO_REASON)
    body = json.dumps(told).encode("utf-8", "replace")
    error = parse_error(200, {}, body, wordless=NO_REASON)
    word = told.get("error") if isinstance(told, dict) else None
    if isinstance(word, str) and word.strip() and word not in error.detail:
        return replace(error, detail=f"{word}: {error.detail}")
    return error


def _result(kept: _Kept) -> Result:
    """Make a result; split a large one into a beginning and a rest, like a fetched result."""
    body = kept.text.encode("utf-8", "replace")
    if len(body) <= HELD:
        return Result(200, {}, kept.content_type, body)
    rest = Rest(BytesIO(body), BEGINNING, len(body) - BEGINNING)
    return Result(200, {}, kept.content_type, body[:BEGINNING], rest=rest)
