"""Pure: classify one stream event as an output, an error, a note about the work, or nothing.

fal defines no events for progress, the end or keep-alive: the words below are those that models and
their servers use.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from requests_app.rules.stream_error import error_in, is_broken_off

SENTINELS = {
    "[done]", "[end]", "[eof]", "[stop]", "<|endoftext|>", "<|im_end|>", "<|eot_id|>", "</s>",
}  # fmt: skip
KEEP_ALIVE = {"ping", "pong", "heartbeat", "keepalive", "noop", "comment"}
CLOSING = {
    "bye", "close", "closed", "closing", "complete", "completed", "contentblockstop", "done", "end",
    "ended", "endofstream", "eof", "finish", "finished", "messagestop", "ok", "stop", "stopped",
    "streamend", "succeeded", "success",
}  # fmt: skip
_ASIDE = {  # kinds of events that accompany the output
    "connected", "debug", "info", "init", "log", "logs", "metadata", "metrics", "open", "opened",
    "progress", "queued", "ready", "start", "started", "stats", "status", "trace", "usage",
}  # fmt: skip
_BESIDE = CLOSING | _ASIDE
# Members about the work or about the event itself.
_ABOUT = {
    "created", "createdat", "current", "done", "donereason", "error", "errors", "eta",
    "event", "eventid", "final", "finished", "finishreason", "heartbeat", "id", "index", "isdone",
    "isfinal", "isfinished", "islast", "ispartial", "keepalive", "last", "log", "logs", "metrics",
    "numsteps", "ok", "op", "partial", "percent", "percentage", "phase", "ping", "position",
    "progress", "queueposition", "requestid", "role", "runid", "seq", "sequence", "sequencenumber", "sessionid",
    "stage", "state", "status", "step", "steps", "stopreason", "stopsequence", "success", "taskid",
    "time", "timestamp", "timings", "total", "totalsteps", "ts", "type", "usage",
}  # fmt: skip
_ABOUT_IN_FULL = {  # skipped also when they hold objects or lists
    "error", "errors", "log", "logs", "metrics", "progress", "timings", "usage",
}  # fmt: skip
_WRAPPERS = {"chunk", "contentblock", "data", "delta", "message", "payload"}
_WORDS = {
    "description",
    "message",
    "msg",
    "note",
    "reason",
    "title",
}  # of closing events: these members are no output
_KINDS = frozenset({"type", "event", "op", "done", "finished", "is_final"})  # members that tell it
_RUNNING = {  # status words for work in progress
    "generating", "incomplete", "inprogress", "inqueue", "partial", "pending", "processing", "queued",
    "running", "started", "starting", "streaming", "working",
}  # fmt: skip
_PARTIAL_FLAGS = {"partial", "ispartial", "incomplete"}
_WHOLE_FLAGS = {"done", "final", "finished", "isdone", "isfinal", "isfinished", "islast"}
_STATES = _PARTIAL_FLAGS | _WHOLE_FLAGS | {"status"}  # members that tell the state

SHORT = 40  # characters of a closing word
# Characters; a larger event is parsed only if a word in it may change its class.
LARGE = 1024 * 1024
_TELLING = (
    "error", "exception", "detail", "fail", "status", "type", "partial", "done", "final", "success",
    "event",
)  # fmt: skip
_TELLING_KEY = re.compile(rf'"[\w-]*({"|".join(_TELLING)})', re.IGNORECASE)
_DEPTH = 4  # nested wrappers that are searched
_quick_parse = msgspec.json.Decoder().decode  # a third of the time of json.loads


class Says(StrEnum):
    """The class of an event."""

    OUTPUT = "output"
    ERROR = "error"
    NOTE = "note"  # progress, usage, the end; counts as the output only when no output comes
    NOTHING = "nothing"  # empty, a keep-alive, [DONE]
    PART = "part"  # the event is incomplete: the stream ended inside it


class State(StrEnum):
    """What an event says about the completeness of the output."""

    UNTOLD = ""
    PARTIAL = "partial"  # this output is incomplete
    RUNNING = "running"  # the work continues
    WHOLE = "whole"
    CLOSING = "closing"  # no more events come, which says nothing about the output


class Said(msgspec.Struct, frozen=True):
    """A classified event. `error`: what reports a failure, "" when it has no text."""

    says: Says
    value: Any  # the text itself when it is not JSON
    content_type: str
    error: Any = None
    state: State = State.UNTOLD


def may_tell(text: str) -> bool:
    """Whether a key or value of the JSON text begins with a word that may change its class."""
    # The pattern looks on from every quote: 20 us for a short message, a sixth of a round trip.
    if text.isascii():
        lowered = text.lower()
        if not any(word in lowered for word in _TELLING):
            return False
    return _TELLING_KEY.search(text) is not None


def read_event(name: str, text: str, *, is_cut: bool = False) -> Said:
    """Classify an event of this name and text; `is_cut`: the text is incomplete."""
    if len(text) > LARGE and not name and not is_cut and not may_tell(text):
        is_json = text.lstrip()[:1] in '{["'
        return Said(Says.OUTPUT, None, "application/json" if is_json else "text/plain")
    value, content_type = _parsed(text)
    kind = _kind(name, value)
    if is_cut and _is_part(kind, value):
        return Said(Says.PART, value, content_type)
    error = _error(name, kind, value)
    says = _says(kind, value) if error is None else Says.ERROR
    return Said(says, value, content_type, error, _state(kind, value))


def is_goodbye(text: str) -> bool:
    """Return whether a text is only a closing or keep-alive word, which a model's output may be as well."""
    return _norm(text) in CLOSING | KEEP_ALIVE


def _parsed(text: str) -> tuple[Any, str]:
    try:
        return _quick_parse(text), "application/json"
    except (ValueError, RecursionError):
        pass
    try:  # what is stricter there: NaN, half of a surrogate pair, a number beyond a float
        return json.loads(text), "application/json"
    except (ValueError, RecursionError):
        return text, "text/plain"


def _is_part(kind: str, value: Any) -> bool:
    """Return whether an unfinished event is incomplete; a closed object or list is not."""
    is_whole = isinstance(value, dict | list) or _is_sentinel(value)
    return not is_whole and kind not in KEEP_ALIVE


def _error(name: str, kind: str, value: Any) -> Any:
    error = error_in(name, value)
    if error is None and kind in CLOSING and isinstance(value, dict):
        return value if is_broken_off(value.get("reason")) else None
    return error


def _says(kind: str, value: Any) -> Says:
    if value in (None, "") or kind in KEEP_ALIVE or _is_sentinel(value):
        return Says.NOTHING
    if value in ({}, []):
        return Says.NOTHING if kind in CLOSING else Says.NOTE
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        is_output = any(_carries(choice) for choice in value["choices"])
    elif kind in _BESIDE:
        is_output = _carries_beside(kind, value)
    else:
        is_output = _carries(value)
    return Says.OUTPUT if is_output else Says.NOTE


def _is_sentinel(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in SENTINELS


def _kind(name: str, value: Any) -> str:
    """Return the event's name, else its type member."""
    if _norm(name) not in ("", "message", "data", "event"):
        return _norm(name)
    if not isinstance(value, dict):
        return ""
    if _KINDS.isdisjoint(value):
        return ""
    told = (value.get(key) for key in ("type", "event", "op"))
    named = next((_norm(word) for word in told if isinstance(word, str) and word), "")
    is_done = any(value.get(key) is True for key in ("done", "finished", "is_final"))
    return named or ("done" if is_done else "")


def _carries(value: Any, depth: int = _DEPTH) -> bool:
    """Return whether an event has output. Inside an output every member counts as content."""
    if not isinstance(value, dict) or not depth:
        return value not in (None, "", [], {})
    for key, child in value.items():
        name = _norm(key)
        inner = depth - 1 if name in _WRAPPERS else 0
        if not _is_about(name, child) and _carries(child, inner):
            return True
    return False


def _is_about(name: str, child: Any) -> bool:
    return name in _ABOUT_IN_FULL or (name in _ABOUT and not isinstance(child, dict | list))


def _carries_beside(kind: str, value: Any) -> bool:
    """Like `_carries` for closing and accompanying events: figures, ids and short words are no output."""
    if isinstance(value, dict):
        return any(_is_telling(key, child) and _carries(child) for key, child in value.items())
    if isinstance(value, str):
        return kind in CLOSING and len(value) > SHORT
    return isinstance(value, list)


def _is_telling(key: str, child: Any) -> bool:
    name = _norm(key)
    is_mark = name in _WORDS or name.endswith(("id", "duration", "count"))
    return isinstance(child, str | list | dict) and not is_mark and not _is_about(name, child)


def _state(kind: str, value: Any) -> State:
    """Return the state that the members tell, else CLOSING if the kind is a closing one."""
    if isinstance(value, dict):
        told = {name: child for key, child in value.items() if (name := _norm(key)) in _STATES}
        if told and (state := _told_state(told)):
            return state
    is_closing = kind in CLOSING or _is_sentinel(value)
    return State.CLOSING if is_closing else State.UNTOLD


def _told_state(told: dict[str, Any]) -> State:
    if any(told.get(flag) is True for flag in _PARTIAL_FLAGS):
        return State.PARTIAL
    flags = [told[flag] for flag in _WHOLE_FLAGS if isinstance(told.get(flag), bool)]
    word = _norm(status) if isinstance(status := told.get("status"), str) else ""
    if True in flags or word in CLOSING or any(told.get(flag) is False for flag in _PARTIAL_FLAGS):
        return State.WHOLE
    return State.RUNNING if flags or word in _RUNNING else State.UNTOLD


def _norm(word: str) -> str:
    """Keep letters and digits, in lower case."""
    return _normed(word[:60])  # cut before the cache, which keeps what it is asked for


@lru_cache(maxsize=4096)
def _normed(word: str) -> str:
    """Cached: the same names come in every event."""
    return re.sub(r"[\W_]+", "", word).lower()
