"""What listens to one call as it passes, and tells the record of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from requests_app.fal.errors import FalError
from requests_app.fal.replies import Reply, read_cancel
from requests_app.fal.streams import EVENT_STREAM
from requests_app.gateway.addresses import Address, Operation
from requests_app.gateway.callers import Caller
from requests_app.gateway.entrance import OwnKey
from requests_app.gateway.entries import CallEntry, EntryKind
from requests_app.gateway.headers import Raw, options_in
from requests_app.gateway.live import LiveCall
from requests_app.gateway.memory import Copy, MemoryBudget
from requests_app.gateway.owners import Owners
from requests_app.gateway.recording import Recording
from requests_app.models import Mode
from requests_app.request_input import MAX_INPUT_BYTES

MEGABYTE = 1024 * 1024
RECORDED = 64 * MEGABYTE  # of one output
PENDING = 16 * MEGABYTE  # of a stream that the record has not read yet
SMALL = 4 * MEGABYTE  # of the reply to a submit or a cancel
STOPPED = "The gateway was stopped."


class SharedParts:
    """What all calls of one event loop share."""

    def __init__(self, recording: Recording, owners: Owners, database: Any) -> None:
        self.recording, self.owners, self.database = recording, owners, database
        self.budget = MemoryBudget(256 * MEGABYTE)


class Witness:
    """Listens and tells nothing: of calls that are not recorded."""

    def input(self, piece: bytes) -> None:
        """Hear a piece of the caller's body."""

    def sent(self) -> None:
        """Hear that the whole body has been read."""

    def head(self, status_code: int, headers: Mapping[str, str]) -> None:
        """Hear the head of fal's reply."""

    def piece(self, piece: bytes) -> None:
        """Hear a piece of fal's reply, as it came."""

    def whole(self) -> None:
        """Hear that all of fal's reply has come; its end goes to the caller next."""

    def never_sent(self) -> None:
        """Hear that the caller left before its body was whole, so that fal has no call of it."""

    async def end(self, failure: str = "", sentence: str = "") -> None:
        """Hear how it ended; "" for a whole reply."""

    def cut_down(self) -> None:
        """Hear that the loop ends now."""


class _Recorder(Witness):
    def __init__(self, parts: SharedParts, entry: CallEntry, most: int) -> None:
        self.parts, self.entry = parts, entry
        self._input = Copy(parts.budget, MAX_INPUT_BYTES)
        self._reply = Copy(parts.budget, most)

    def input(self, piece: bytes) -> None:
        self._input.add(piece)

    def sent(self) -> None:
        self.entry.input, self.entry.input_size = self._input.bytes(), self._input.size

    def head(self, status_code: int, headers: Mapping[str, str]) -> None:
        self.entry.status_code, self.entry.headers = status_code, dict(headers)
        if (length := headers.get("content-length", "")).isdigit():
            self._reply.expect(int(length))

    def piece(self, piece: bytes) -> None:
        self._reply.add(piece)

    def whole(self) -> None:
        if self._reply.is_whole:
            self._note(body=self._reply.bytes())

    def never_sent(self) -> None:
        self._input.drop()

    async def end(self, failure: str = "", sentence: str = "") -> None:
        self._finish(failure, sentence)
        self.parts.recording.offer(self.entry)

    def cut_down(self) -> None:
        self._finish("broken", STOPPED)
        self.parts.recording.put_down(self.entry)

    def _note(self, **known: Any) -> None:
        """Have the call written down for when this process is killed."""
        self.parts.recording.note(replace(self.entry, at=time.time(), **known))

    def _finish(self, failure: str, sentence: str) -> None:
        entry = self.entry
        if entry.at:
            return  # what was kept has been handed over
        if not failure and not self._reply.is_whole:
            failure = "too_large"
            sentence = f"The output of {self._reply.size:,} bytes was passed on and is not kept."
        entry.at, entry.failure, entry.sentence = time.time(), failure, sentence
        entry.body = self._reply.bytes()
        self._input.drop()
        self._reply.drop()


class SubmitWitness(_Recorder):
    """Of a submit: fal's reply tells the id, and from then on our own poller follows it."""

    def sent(self) -> None:
        super().sent()
        self._note(failure="broken", sentence=STOPPED)

    async def end(self, failure: str = "", sentence: str = "") -> None:
        await super().end(failure, sentence)
        told = Reply(self.entry.status_code, {}, self.entry.body).members or {}
        request_id = told.get("request_id")
        # Of a key of the caller's own the database tells which row stands for it.
        if isinstance(request_id, str) and not failure and not self.entry.own_key:
            entry = self.entry
            self.parts.owners.learn(request_id, entry.team_id, entry.fal_key_id, entry.person_id)


class CancelWitness(_Recorder):
    """Of a cancel: fal's answer is stored, so that nothing asks a second time."""

    async def end(self, failure: str = "", sentence: str = "") -> None:
        self._finish(failure, sentence)
        kind = ""  # nothing is known of it, and a user may still cancel
        with suppress(FalError):
            kind = read_cancel(self.entry.reply).kind
        if failure or not kind:
            self.parts.recording.give_up(self.entry)
            return
        self.entry.sentence = kind
        self.parts.recording.offer(self.entry)

    def whole(self) -> None:
        """Write nothing down: fal tells by the request's end that it was cancelled."""

    def cut_down(self) -> None:
        """Say nothing: whether fal took it is not known."""


class ResultWitness(_Recorder):
    """Of a fetch with a key that we do not have: the reply may be the only sight of the result."""

    def __init__(self, parts: SharedParts, entry: CallEntry) -> None:
        super().__init__(parts, entry, RECORDED)

    async def end(self, failure: str = "", sentence: str = "") -> None:
        self._finish(failure, sentence)
        if self.entry.failure:
            self.parts.recording.give_up(self.entry)
        else:
            self.parts.recording.offer(self.entry)

    def cut_down(self) -> None:
        """Say nothing: it is no result that breaks off."""


class DirectWitness(_Recorder):
    """Of a run or a stream: shown while it lasts, its reply is its output."""

    def __init__(self, parts: SharedParts, entry: CallEntry, hang_up: Callable[[], None]) -> None:
        super().__init__(parts, entry, RECORDED)
        self._live = LiveCall(entry, Copy(parts.budget, PENDING), parts.database, hang_up)

    def sent(self) -> None:
        super().sent()
        self._note(failure="broken", sentence=STOPPED)
        self._live.open_later()

    def head(self, status_code: int, headers: Mapping[str, str]) -> None:
        super().head(status_code, headers)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type == EVENT_STREAM and 200 <= status_code < 300:
            self.entry.mode, self.entry.is_events = Mode.STREAM, True
            self._reply = self._live.copy
            self._live.follow()

    def piece(self, piece: bytes) -> None:
        super().piece(piece)
        self._live.heard()

    def whole(self) -> None:
        if not self.entry.is_events:  # the record has taken a part of the stream already
            super().whole()

    async def end(self, failure: str = "", sentence: str = "") -> None:
        if await self._live.end(failure, sentence, lambda: self._finish(failure, sentence)):
            self.parts.recording.give_up(self.entry)
            self._input.drop()
            self._reply.drop()
            return
        await super().end(failure, sentence)


def witness_of(
    parts: SharedParts, address: Address, caller: Caller, headers: Raw, query: Mapping[str, str],
    hang_up: Callable[[], None], *, fal_key_id: int | None, own: OwnKey | None = None,
    is_faulted: bool = False,
) -> Witness:  # fmt: skip
    """Return who listens to this call."""
    operation = address.operation
    told = (Operation.SUBMIT, Operation.DIRECT, Operation.CANCEL)
    if operation not in told and not (own and operation is Operation.RESULT):
        return Witness()
    direct = Mode.STREAM if address.is_stream else Mode.RUN
    kinds = {
        Operation.SUBMIT: EntryKind.SUBMIT,
        Operation.CANCEL: EntryKind.CANCEL,
        Operation.RESULT: EntryKind.RESULT,
    }
    entry = CallEntry(
        kind=kinds.get(operation, EntryKind.DIRECT),
        team_id=caller.team_id,
        person_id=caller.user_id,
        endpoint_id=str(address.endpoint),
        mode=direct if operation is Operation.DIRECT else Mode.QUEUE,
        sent_at=time.time(),
        options=options_in(headers, query),
        request_id=address.request_id,
        fal_key_id=fal_key_id,
        own_key=own.digest if own else "",
        own_last_four=own.last_four if own else "",
        is_faulted=is_faulted,
    )
    if operation is Operation.SUBMIT:
        return SubmitWitness(parts, entry, SMALL)
    if operation is Operation.CANCEL:
        return CancelWitness(parts, entry, SMALL)
    if operation is Operation.RESULT:
        return ResultWitness(parts, entry)
    return DirectWitness(parts, entry, hang_up)
