"""How a term that is being typed may go on: keys, and values that the team's own rows have.

Every answer reads a bounded number of rows, the newest ones: what is suggested is what is in use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.functions import Substr

from requests_app.models import Batch, ErrorGroup, FalKey, Mode, RequestOrigin, Status, Tag
from requests_app.rules.error_sentence import id_of
from requests_app.search.language import HAS, MAX_LENGTH, OF_ROWS, SIDES, Term
from requests_app.search.scope import Scope

MOST = 12  # completions
MOST_ENDPOINTS = 5  # beside keys
NEWEST = 60  # rows whose inputs or outputs are read
NEWEST_FAILED = 200
NEWEST_BATCHES = 200
NEWEST_GROUPS = 200
MOST_TAGS = 200
MOST_TEXT = 16 * 1024  # characters of an input or output: of a longer one nothing is suggested
MOST_VALUE = 60
DEEPEST = 6


@dataclass(frozen=True)
class Completion:
    """A whole term, or the beginning of one (`status:`, `input.`), and what it is."""

    text: str
    about: str = ""


KEYS = {
    "status:": "failed, active, ended…",
    "endpoint:": "an id, or a part of it with *",
    "by:": "who submitted it; me",
    "after:": "created in the last 2d, 12h, or since a day",
    "before:": "created before then",
    "duration:": "from creation to the end: >30s, <2m",
    "cost:": "what it cost: >0.5, <1, none",
    "error:": "a word of the error, or its type",
    "input.": "a field of the input: input.seed:42",
    "output.": "a field of the output",
    "mode:": "queue, run, stream, realtime",
    "source:": "page, api, gateway, batch, again",
    "key:": "the fal key it was sent with; none: the installation's",
    "seed:": "fal's seed, or the input's",
    "batch:": "a batch's name or id",
    "tag:": "a tag of the team's, or what fal was told",
    "has:": "what the output holds: media, image, video…",
    "starred:": "yes: what you have starred",
    "group:": "what failed alike: a group of errors",
    "id:": "the beginning of our id or fal's",
}
_TIMES = {
    "1h": "the last hour",
    "24h": "the last day",
    "7d": "the last week",
    "30d": "the last month",
}
_DURATIONS = {">10s": "longer than", ">1m": "", ">10m": "", "<2s": "shorter than", "<500ms": ""}

_COSTS = {
    ">0.1": "more than",
    ">1": "",
    ">10": "",
    "<0.01": "less than",
    "none": "not known",
}


def complete(scope: Scope, typed: str) -> list[Completion]:
    """Return how the term may go on; nothing for one that is too long."""
    if len(typed) > MAX_LENGTH:
        return []
    if not scope.sees and _is_of_payloads(typed):
        return []
    minus, typed = ("-", typed[1:]) if typed.startswith("-") else ("", typed)
    key, colon, value = typed.partition(":")
    if not colon:
        found = _beginnings(scope, typed)
    else:
        found = _values(scope, key.lower(), value.replace('"', ""))
    return [Completion(minus + one.text, one.about) for one in found[:MOST]]


def _is_of_payloads(typed: str) -> bool:
    key, colon, _ = typed.removeprefix("-").lower().partition(":")
    return key not in OF_ROWS if colon else "." in key


def _beginnings(scope: Scope, typed: str) -> list[Completion]:
    side, dot, path = typed.lower().partition(".")
    if dot and side in SIDES:
        paths = dict.fromkeys(where for where, _ in _fields(scope, side))
        return [Completion(f"{side}.{one}:") for one in paths if _is_in(path, one)]
    keys = [
        Completion(key, about)
        for key, about in KEYS.items()
        if key.startswith(typed.lower()) and (scope.sees or key.rstrip(":") in OF_ROWS)
    ]
    if len(typed) < 2 or keys:
        return keys
    names = _matching(typed, scope.endpoints or [])[:MOST_ENDPOINTS]
    return [Completion(str(Term("endpoint", one)), "endpoint") for one in names]


def _values(scope: Scope, key: str, value: str) -> list[Completion]:
    side, dot, path = key.partition(".")
    if dot and side in SIDES:
        seen = [text for where, text in _fields(scope, side) if text and where.lower() == path]
        return [Completion(str(Term(key, one))) for one in _matching(value, seen)]
    read = _VALUES.get(key)
    if read is None:
        return []
    before, comma, last = value.rpartition(",") if key in _LISTS else ("", "", value)
    return [
        Completion(str(Term(key, f"{before}{comma}{one}")), about)
        for one, about in read(scope).items()
        if _is_in(last, one)
    ]


def _statuses(scope: Scope) -> dict[str, str]:
    groups = {"active": "all that have not ended", "ended": "all that have"}
    return {**dict.fromkeys(Status.values, ""), **groups}


def _people(scope: Scope) -> dict[str, str]:
    people = get_user_model()._default_manager.filter(memberships__team=scope.team)
    names = people.order_by("username").values_list("username", flat=True)
    return {"me": scope.me, **dict.fromkeys(names, "")}


def _keys(scope: Scope) -> dict[str, str]:
    keys = FalKey.objects.filter(team=scope.team).order_by("name")
    names = keys.values_list("name", flat=True)[:MOST_TAGS]
    return {**dict.fromkeys(names, ""), "none": "the installation's"}


def _batches(scope: Scope) -> dict[str, str]:
    newest = Batch.objects.filter(team=scope.team).order_by("-id")
    names = newest.values_list("name", "endpoint_id")[:NEWEST_BATCHES]
    return {name: endpoint for name, endpoint in names if name}


def _tags(scope: Scope) -> dict[str, str]:
    tags = Tag.objects.filter(team=scope.team).order_by("is_fals", "key")
    return {
        name: "fal's" if is_fals else ""
        for name, is_fals in tags.values_list("name", "is_fals")[:MOST_TAGS]
    }


def _errors(scope: Scope) -> dict[str, str]:
    failed = scope.rows.filter(status=Status.FAILED).order_by("-pk")
    types = failed.values_list("error_type", flat=True)[:NEWEST_FAILED]
    return dict.fromkeys(filter(None, types), "")


def _groups(scope: Scope) -> dict[str, str]:
    groups = ErrorGroup.objects.filter(team=scope.team).order_by("-last_seen")
    named = groups.values_list("key", "sentence", "error_type")[:NEWEST_GROUPS]
    return {id_of(key): (sentence or kind)[:MOST_VALUE] for key, sentence, kind in named}


# whose values may have commas
_LISTS = ("status", "mode", "source", "key", "endpoint", "by", "tag", "has")
_VALUES: dict[str, Callable[[Scope], dict[str, str]]] = {
    "status": _statuses,
    "mode": lambda scope: dict.fromkeys(Mode.values, ""),
    "by": _people,
    "endpoint": lambda scope: dict.fromkeys(scope.endpoints or [], ""),
    "source": lambda scope: {value: label for value, label in RequestOrigin.choices if value},
    "key": _keys,
    "batch": _batches,
    "tag": _tags,
    "group": _groups,
    "starred": lambda scope: {"yes": "what you have starred", "no": "the rest"},
    "has": lambda scope: {name: "any of the others" if name == "media" else "" for name in HAS},
    "error": _errors,
    "after": lambda scope: {**_TIMES, scope.now.date().isoformat(): "today, in UTC"},
    "before": lambda scope: {scope.now.date().isoformat(): "today, in UTC", "1d": "", "7d": ""},
    "duration": lambda scope: _DURATIONS,
    "cost": lambda scope: _COSTS,
}


def _is_in(typed: str, value: str) -> bool:
    return typed.strip("*").lower() in value.lower()


def _matching(typed: str, values: Iterable[str]) -> list[str]:
    """Return the different ones that have what is typed; first those that begin with it."""
    found = [one for one in dict.fromkeys(values) if _is_in(typed, one)]
    return sorted(found, key=lambda one: not one.lower().startswith(typed.lower()))


def _fields(scope: Scope, side: str) -> Iterator[tuple[str, str]]:
    """Yield the dotted path and the value, as text, of fields of the newest rows."""
    column = {"input": "input_text", "output": "output"}[side]
    start = Substr(column, 1, MOST_TEXT + 1)
    for body in scope.rows.order_by("-pk").values_list(start, flat=True)[:NEWEST]:
        text = body if isinstance(body, str) else bytes(body or b"").decode("utf-8", "replace")
        if text and len(text) <= MOST_TEXT:
            yield from _scalars(_parsed(text), "", 0)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _scalars(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, child in value.items():
            # A name with such signs cannot be typed as a key.
            if name and not any(sign in name for sign in ' ":.'):
                yield from _scalars(child, f"{path}.{name}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for child in value:
            yield from _scalars(child, path, depth + 1)
    elif path and value is not None:
        text = str(value).lower() if isinstance(value, bool) else value
        is_short = len(text) <= MOST_VALUE and '"' not in text and text.strip()
        yield path, text if is_short and not text.startswith("data:") else ""
