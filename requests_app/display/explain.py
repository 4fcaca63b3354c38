"""A failed or uncertain request in words: what happened, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from requests_app.fal.error_bodies import ErrorBody, parse_error
from requests_app.fal.headers import keeps_input
from requests_app.models import FalRequest, Mode, Observation, Status
from requests_app.rules.storable import storable_text
from requests_app.rules.stream_event import Says, read_event

MAX_FIELDS = 50
MAX_PLACE = 200  # characters
MAX_SENTENCE = 2000  # characters; the whole text is under Raw


@dataclass(frozen=True)
class FieldProblem:
    """One wrong field: ``place`` as the person wrote it (``prompt``, ``images[0].url``)."""

    place: str
    message: str
    kind: str


@dataclass(frozen=True)
class Explanation:
    """``tone`` is "yours" (the request was wrong), "theirs" (fal's or the operator's) or "unknown".

    ``search`` is how an uncertain request is looked for, ``found`` what the last look was worth telling;
    ``looks_at`` is when the next one is due, None: there is none.
    """

    tone: str
    title: str
    sentence: str
    advice: str
    fields: tuple[FieldProblem, ...] = ()
    search: str = ""
    found: str = ""
    looks_at: datetime | None = None


# error_type -> title, advice. Infrastructure words of fal, then those of models.
_KNOWN: Mapping[str, tuple[str, str]] = {
    "request_timeout": (
        "The run took too long",
        "fal stopped it at the app's time limit. Ask for less work, or try again.",
    ),
    "startup_timeout": (
        "No runner was ready in time",
        "The model did not start. Try again in a few minutes.",
    ),
    "runner_scheduling_failure": (
        "fal found no machine for it",
        "Nothing ran. Try again in a few minutes.",
    ),
    "runner_incomplete_response": (
        "The model broke off its answer",
        "Try again; if it repeats, the model is at fault.",
    ),
    "runner_server_error": (
        "The model crashed",
        "Try again; if it repeats with this input, change the input or tell the model's owner.",
    ),
    "queue_too_long": (
        "fal's queue was too long",
        "More requests were waiting than this one allows (Longest queue). Nothing ran: submit it "
        "again later, or allow a longer queue.",
    ),
    "internal_error": ("fal had an internal error", "Try again in a few minutes."),
    "internal_server_error": (
        "The model crashed",
        "Try again; if it repeats with this input, change the input or tell the model's owner.",
    ),
    "generation_timeout": (
        "The model gave up on time",
        "Ask for less (fewer steps, a smaller size) or try again.",
    ),
    "downstream_service_error": (
        "A service behind the model failed",
        "Try again in a few minutes.",
    ),
    "downstream_service_unavailable": (
        "A service behind the model is down",
        "Try again in a few minutes.",
    ),
    "client_disconnected": (
        "The connection to fal was cut",
        "fal stops a direct run or a stream when its caller hangs up. Queue mode survives that.",
    ),
    "client_cancelled": ("It was cancelled", "Run it again when you want the result after all."),
    "bad_request": (
        "fal could not read the request",
        "Check the options and headers, then run it again.",
    ),
    "result_expired": (
        "The result is gone at fal",
        "fal keeps results for a short time only, and it was asked too late. Run it again.",
    ),
    "lost_at_fal": (
        "fal no longer knows the request",
        "Whatever became of it cannot be learnt any more. Run it again if you need the result.",
    ),
    "content_policy_violation": (
        "The content was refused",
        "The model's content policy blocked it. Change the prompt or the picture.",
    ),
    "no_media_generated": (
        "The model made nothing",
        "Change the input; the same input may give the same answer.",
    ),
    "file_download_error": (
        "A file of the input could not be loaded",
        "Make sure that its address opens without a log-in.",
    ),
    "empty_stream": (
        "The stream brought nothing",
        "Try again; if it repeats, run it in queue mode, where the error is told.",
    ),
    "partial_stream": (
        "The stream was closed in the middle of its output",
        "What came until then is kept and shown. Run it again for the whole.",
    ),
    "interrupted": (
        "The connection broke off",
        "What came until then is kept. Run it again for the whole; that costs again.",
    ),
    "hung_up": (
        "The call took longer than this site waits",
        "What came until then is kept. Queue mode waits as long as it takes; an administrator can "
        "raise the limit (STREAM_TIMEOUT).",
    ),
    "event_too_large": (
        "An event of the stream is too large",
        "What came before it is kept. Running it again costs again and ends the same way: ask for less "
        "in one event, or use queue mode, which takes results up to OUTPUT_LIMIT.",
    ),
    "output_too_large": (
        "The result is too large for this site",
        "Running it again costs again and ends the same way: ask for less, or have an administrator "
        "raise OUTPUT_LIMIT.",
    ),
    "unreadable": (
        "The answer cannot be read as a stream",
        "Running it again costs again and may well end the same way. Run and queue mode take an answer "
        "of any kind.",
    ),
    "gateway_error": (
        "A server on the way failed",
        "Look at your usage at fal, then decide whether to run it again.",
    ),
    "redirected": (
        "The address leads elsewhere",
        "Check the endpoint id and its path. If every call ends like this, an administrator has to "
        "check FAL_RUN_URL.",
    ),
    "session_error": (
        "The session ended with an error",
        "Look at the last messages under Events, then connect again.",
    ),
    "concurrent_requests_limit": (
        "Too many requests at once",
        "The account's limit was reached. Queue mode waits its turn instead.",
    ),
}
# What is true of another mode than a stream.
_BY_MODE: Mapping[tuple[str, str], tuple[str, str]] = {
    (Mode.RUN, "interrupted"): (
        "The connection broke off",
        "Nothing of the result came. Look at your usage at fal, then decide whether to run it again. "
        "Queue mode survives a broken connection.",
    ),
    (Mode.REALTIME, "interrupted"): (
        "The connection broke off",
        "What came until then is kept. Connect again to go on.",
    ),
    (Mode.RUN, "hung_up"): (
        "The call took longer than this site waits",
        "Nothing of the result came. Queue mode waits as long as it takes; an administrator can raise "
        "the limit (RUN_TIMEOUT).",
    ),
    (Mode.RUN, "unreadable"): (
        "The answer cannot be read",
        "Running it again costs again and may well end the same way. Queue mode fetches the result of "
        "one run as often as needed.",
    ),
}
_BY_CODE: Mapping[int, tuple[str, str]] = {
    401: (
        "fal did not accept this installation's key",
        "Nothing is wrong with the request. Whoever runs Faldeck has to set a valid FAL_KEY; then run "
        "it again.",
    ),
    403: (
        "fal refused this installation's account",
        "The balance may be used up, or the key may not use this endpoint. Whoever runs Faldeck has "
        "to look at the account at fal; then run it again.",
    ),
    404: ("fal does not know this address", "Check the endpoint id and its path."),
    413: ("The input is too large", "Send files by address instead of inside the input."),
    422: ("The input was not accepted", "Correct it and run it again."),
    429: (
        "Too many requests at once",
        "The account's limit was reached. Queue mode waits its turn instead.",
    ),
    504: ("It took too long", "Try again, or give it a longer start timeout."),
}
# A session that was not opened, by HTTP status; None: it was closed by a code of the socket's.
_SESSION: Mapping[int | None, tuple[str, str]] = {
    401: (
        "fal did not accept the key or the token",
        "An administrator has to check FAL_KEY; then connect again.",
    ),
    403: (
        "fal refused the connection",
        "The key may not open this endpoint, or it has no realtime at this path. Check the path, "
        "then connect again.",
    ),
    404: (
        "There is no realtime endpoint at this address",
        "Check the endpoint id and its path, then connect again.",
    ),
    429: ("Too many sessions or calls at once", "Wait a little, then connect again."),
    None: (
        "fal closed the session by its rules",
        "Check the key and the account's limits, then connect again.",
    ),
}
_YOURS = ("fal rejected the request", "Correct the request; repeating it unchanged will not help.")
_MID_STREAM = (
    "The model failed in the middle of the stream",
    "All that came is kept and shown; the events in red under Events tell of the error.",
)
_THEIRS = ("It failed at fal", "Try again; if it repeats, look at the logs and the raw answer.")


def explain(row: FalRequest, body: bytes, told: Observation | None = None) -> Explanation | None:
    """Why a row is failed or uncertain; None for every other row.

    ``body`` is fal's own answer, ``told`` the newest observation that fal's list was the source of.
    """
    if row.status == Status.UNCERTAIN:
        return _uncertain(row, told)
    if row.status != Status.FAILED:
        return None
    body = body if _holds_error(row, body) else b""
    error = parse_error(row.error_code or 0, {}, body) if body else ErrorBody("")
    title, advice = _words(row, error)
    return Explanation(
        tone="yours" if row.was_user_error else "theirs",
        title=title,
        sentence=storable_text(
            row.error or (error.detail if body else "") or "No reason was given.", MAX_SENTENCE
        ),
        advice=advice,
        fields=_fields(error),
    )


def _holds_error(row: FalRequest, body: bytes) -> bool:
    """What is kept of a stream that began is its output, unless the last event told of the error."""
    if row.mode != Mode.STREAM or (row.error_code or 0) >= 400:
        return True
    return read_event("", body.decode("utf-8", "replace")).says is Says.ERROR


def _words(row: FalRequest, error: ErrorBody) -> tuple[str, str]:
    types = [row.error_type, error.error_type or "", *(field.type for field in error.fields)]
    for name in types:
        if words := _BY_MODE.get((row.mode, name)) or _KNOWN.get(name):
            return words
        if name.startswith("runner_connection") or name == "runner_disconnected":
            return "fal lost the machine it ran on", "Try again; nothing was wrong with the input."
    if row.mode == Mode.STREAM and row.error_code == 200:  # it began well: only an event told
        return _MID_STREAM
    if row.mode == Mode.REALTIME and row.error_type == "refused" and row.error_code in _SESSION:
        return _SESSION[row.error_code]
    return _BY_CODE.get(row.error_code or 0, _YOURS if row.was_user_error else _THEIRS)


def _fields(error: ErrorBody) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(
            storable_text(field.place, MAX_PLACE) or "the whole input",
            storable_text(field.msg, MAX_SENTENCE),
            storable_text(field.type, MAX_PLACE),
        )
        for field in error.fields[:MAX_FIELDS]
    )


def _uncertain(row: FalRequest, told: Observation | None) -> Explanation:
    return Explanation(
        tone="unknown",
        title="Nobody knows whether fal took this request",
        sentence=(row.error or "It was sent, and no readable answer came back.")[:MAX_SENTENCE],
        advice=(
            "It may be running, and it may be paid. It is never sent again by itself. "
            "If a webhook arrives, or fal's list shows it, that settles this. Else look at your usage at "
            "fal, then decide."
        ),
        search=_search(row),
        found=told.note if told and told.kind != "list_read" else "",
        looks_at=row.due_at,
    )


def _search(row: FalRequest) -> str:
    """How it is looked for in fal's list of finished requests, if it is."""
    if row.due_at is not None:
        return (
            "It is looked for in fal's list of finished requests, which has it only once it has ended. "
            "If exactly one there can be this request, its result is fetched."
        )
    if not keeps_input(row.options):
        return (
            "It cannot be looked for in fal's list of finished requests: it was sent with the wish that "
            "fal keeps no input, and nothing else tells it from others."
        )
    return "It is no longer looked for in fal's list of finished requests: after a day the search ends."
