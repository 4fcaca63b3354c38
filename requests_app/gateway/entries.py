"""What is kept of one call until the database has it, and what fal's reply to it means. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from requests_app.fal.endpoints import REQUEST_ID, EndpointId, Hosts
from requests_app.fal.errors import FalError, NotSent, Refused, Unanswered
from requests_app.fal.replies import Reply, read_receipt
from requests_app.fal.reports import Receipt, Result
from requests_app.fal.result_replies import read_run_result
from requests_app.fal.sse import EventTooLarge, SseDecoder
from requests_app.fal.streams import StreamEvent
from requests_app.fal.transport import MESSAGE
from requests_app.keys import ProgramKey
from requests_app.lifecycle import PassedCall
from requests_app.models import ErrorType, Status
from requests_app.request_input import Draft, InvalidInput, input_text
from requests_app.rules.stream_outcome import StreamOutcome
from requests_app.rules.transitions import CallEnded

BILLED = "Work done until then may be billed."


class EntryKind:
    """What an entry tells."""

    SUBMIT = "submit"
    DIRECT = "direct"
    CANCEL = "cancel"
    RESULT = "result"


class CallEntry(msgspec.Struct):
    """One call. `failure`: not_sent, unanswered, hung_up, stopped, broken (in mid-reply) or too_large;
    `sentence` says more. Times are seconds since 1970; `body` is what came of the reply.
    """

    kind: str
    team_id: int
    person_id: int
    endpoint_id: str
    mode: str
    sent_at: float
    options: dict[str, object] = {}
    input: bytes = b""
    input_size: int = 0
    public_id: str = msgspec.field(default_factory=lambda: str(uuid4()))
    request_id: str = ""
    at: float = 0.0
    status_code: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    is_events: bool = False  # the body is a stream of events
    failure: str = ""
    sentence: str = ""
    fal_key_id: int | None = None  # none: the installation's own
    own_key: str = ""  # the digest of the caller's own key, which went on in place of one of ours
    own_last_four: str = ""
    is_faulted: bool = False  # by the fault lab, or it was on

    @property
    def size(self) -> int:
        return len(self.input) + len(self.body) + 2000

    @property
    def heard_at(self) -> datetime:
        return datetime.fromtimestamp(self.at or self.sent_at, UTC)

    @property
    def reply(self) -> Reply:
        return Reply(self.status_code, self.headers, self.body)


def call_of(entry: CallEntry) -> PassedCall:
    """Return the call as a row has it; an input that cannot be a row's is named and not kept."""
    note = ""
    try:
        if entry.input_size > len(entry.input):
            raise InvalidInput(f"it has {entry.input_size:,} bytes")
        text = input_text(entry.input.decode())
    except UnicodeDecodeError:
        text, note = "{}", "Its input is not kept: it is no text."
    except InvalidInput as error:
        text, note = "{}", f"Its input is not kept: {error}".rstrip(".") + "."
    draft = Draft(entry.endpoint_id, entry.mode, text, dict(entry.options))
    sent_at = datetime.fromtimestamp(entry.sent_at, UTC)
    return PassedCall(
        UUID(entry.public_id),
        draft,
        entry.team_id,
        entry.person_id,
        sent_at,
        note,
        entry.fal_key_id,
        own_key_of(entry),
        is_faulted=entry.is_faulted,
        request_id=direct_id(entry),
    )


def direct_id(entry: CallEntry) -> str:
    """Return fal's id of a direct call; a submit has it in its receipt."""
    told = entry.headers.get("x-fal-request-id", "")
    return told if entry.kind == EntryKind.DIRECT and REQUEST_ID.fullmatch(told) else ""


def own_key_of(entry: CallEntry) -> ProgramKey | None:
    """Return the key of the caller's own that the call was made with."""
    return ProgramKey(entry.own_key, entry.own_last_four) if entry.own_key else None


def outcome_of(entry: CallEntry, hosts: Hosts) -> Receipt | Result | CallEnded | FalError:
    """Return what the call's reply means, whatever it was."""
    if entry.kind == EntryKind.SUBMIT:
        return _submitted(entry, hosts)
    if entry.failure == "not_sent":
        return NotSent(entry.sentence)
    if entry.is_events:
        return _streamed(entry)
    if ended := ended_by(entry.failure, entry.sentence):
        return ended
    try:
        return read_run_result(entry.reply)
    except Refused as refused:
        return refused
    except Unanswered as error:
        sentence = f"{error} {BILLED}"
        return CallEnded(Status.FAILED, ErrorType.GATEWAY_ERROR, sentence, entry.status_code)


def _submitted(entry: CallEntry, hosts: Hosts) -> Receipt | FalError:
    if entry.failure == "not_sent":
        return NotSent(entry.sentence)
    if entry.failure:
        return Unanswered(entry.sentence)
    try:
        return read_receipt(entry.reply, hosts, EndpointId.parse(entry.endpoint_id))
    except FalError as error:
        return error


def ended_by(failure: str, sentence: str) -> CallEnded | None:
    """Return how a direct call ended that has no whole reply; None for one that has."""
    match failure:
        case "":
            return None
        case "hung_up":
            return CallEnded(Status.CANCELLED, "", f"The program hung up. {BILLED}")
        case "stopped":
            return CallEnded(Status.CANCELLED, "", f"We hung up as asked. {BILLED}")
        case "too_large":
            return CallEnded(Status.COMPLETED, "", sentence)
        case _:
            told = f"The call broke off: {sentence} {BILLED}"
            return CallEnded(Status.FAILED, ErrorType.INTERRUPTED, told)


def _streamed(entry: CallEntry) -> Result | CallEnded:
    """Judge a stream by its events, which were kept as they came."""
    outcome = StreamOutcome()
    outcome.take(events_in(entry.body, is_broken=bool(entry.failure)))
    return judged(outcome, entry.failure, entry.sentence)


def events_in(data: bytes, *, is_broken: bool) -> list[StreamEvent]:
    """Return the events of a stream that was kept as it came."""
    decoder = SseDecoder(MESSAGE)
    try:
        return decoder.feed(data) + decoder.close(is_broken=is_broken)
    except EventTooLarge:
        return []


def judged(outcome: StreamOutcome, failure: str, sentence: str) -> Result | CallEnded:
    """Return how a stream ended."""
    ended = ended_by(failure, sentence)
    return outcome.end() if ended is None else outcome.broken_off(ended)
