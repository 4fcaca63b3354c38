"""Validate a request before it is stored. Form and API share these rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isinf
from types import MappingProxyType
from typing import Any

from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.fal.headers import InvalidHeader, build_headers, understand
from requests_app.fal.options import BY_NAME
from requests_app.fal.realtime_url import (
    InvalidBuffering,
    InvalidRealtimePath,
    check_buffering,
    realtime_path,
)
from requests_app.models import SUBMITTABLE, Mode
from requests_app.rules.json_bounds import (
    BOUNDS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    OverBound,
    ensure_bounded,
)
from requests_app.rules.tag_names import BadTags, tag_names

SPACE = " \t\n\r"  # JSON's white space; str.strip() would also accept a no-break space
SESSION_AUTH = ("token", "key")
MAX_INPUT_BYTES = MAX_BYTES
ENVELOPE = 1000  # values of an API body besides its input


class InvalidDraft(ValueError):
    """The draft is invalid. `errors` maps field names to sentences."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(text for texts in errors.values() for text in texts))
        self.errors = errors


class InvalidInput(ValueError):
    """The input is not a JSON object; the sentence says what and where.

    `line` and `column` count from 1 and are None when the place is not known.
    """

    def __init__(self, sentence: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(sentence)
        self.line, self.column = line, column


class TooMuchInput(InvalidInput):
    """The input exceeds a limit, which the sentence names."""


@dataclass(frozen=True)
class Draft:
    """A valid request: an endpoint id, the JSON text of an object, platform options, tags."""

    endpoint_id: str
    mode: str
    input_text: str
    options: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] | None = None  # our own; None: those of the request that it repeats


def parse_draft(
    *,
    endpoint_id: str,
    mode: str,
    input: str,
    options: Mapping[str, Any],
    tags: Iterable[str] | None = None,
) -> Draft:
    """Validate all fields. Raises InvalidDraft with every error found."""
    errors: dict[str, list[str]] = {}
    endpoint = text = ""
    try:
        endpoint = str(EndpointId.parse(endpoint_id))
    except InvalidEndpointId as error:
        errors["endpoint_id"] = [str(error)]
    try:
        text = input_text(input)
    except InvalidInput as error:
        errors["input"] = [str(error)]
    if mode not in SUBMITTABLE:
        errors["mode"] = [f"The mode is one of {', '.join(SUBMITTABLE)}."]
    own_tags = None
    try:
        own_tags = None if tags is None else tag_names(tags)
    except BadTags as error:
        errors["own_tags"] = [str(error)]
    understood = _understood(options, mode, errors)
    if errors:
        raise InvalidDraft(errors)
    return Draft(endpoint, mode, text, understood, own_tags)


def parse_session(
    *,
    endpoint_id: str,
    path: str,
    max_buffering: int | None,
    auth: str,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Draft:
    """A realtime session that may be opened. Raises InvalidDraft with every error found."""
    errors: dict[str, list[str]] = {}
    try:
        endpoint = EndpointId.parse(endpoint_id)
    except InvalidEndpointId as error:
        errors["endpoint_id"] = [str(error)]
    try:
        path = realtime_path(path)
    except InvalidRealtimePath as error:
        errors["path"] = [str(error)]
    try:
        check_buffering(max_buffering)
    except InvalidBuffering as error:
        errors["max_buffering"] = [str(error)]
    if auth not in SESSION_AUTH:
        errors["auth"] = [f"The authentication is one of {', '.join(SESSION_AUTH)}."]
    understood = _understood(options, Mode.REALTIME, errors)
    if errors:
        raise InvalidDraft(errors)
    how = {"path": path, "max_buffering": max_buffering, "auth": auth}
    return Draft(str(endpoint), Mode.REALTIME, "{}", how | understood)


def _understood(
    options: Mapping[str, Any], mode: str, errors: dict[str, list[str]]
) -> dict[str, Any]:
    """Return the platform options as they are stored; add each invalid one to `errors`."""
    given = {name: value for name, value in options.items() if value not in (None, "", {})}
    wrong: dict[str, list[str]] = {}
    for name, value in given.items():  # one by one, to report every error at once
        wrong |= _option_errors({name: value}) or _out_of_place(name, mode)
    wrong = wrong or _option_errors(given)  # together, to find contradictions
    errors.update(wrong)
    return {} if wrong else understand(given)


def _out_of_place(name: str, mode: str) -> dict[str, list[str]]:
    """Reject query parameters of the queue in other modes; headers work in every mode."""
    option = BY_NAME.get(name)
    if option is None or not option.query or mode in option.modes:
        return {}
    return {name: [f"{option.label} ({name}) has a meaning in the mode queue alone."]}


def _option_errors(options: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        build_headers(options)
    except InvalidHeader as error:
        name = next(iter(options)) if len(options) == 1 else error.field
        return {name: [str(error)]}
    return {}


def input_text(value: str) -> str:
    """Return the JSON text to send: exactly what was typed. Raises InvalidInput.

    Only surrounding white space is removed: numbers such as 7.50, 1E2 and 9007199254740993 have no other
    spelling that every program reads the same.
    """
    if not isinstance(parse_input(value), dict):
        raise InvalidInput("The input must be a JSON object: { … }.", 1, 1)
    text = value.strip(SPACE) or "{}"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput("The input has half a character; write it as an escape.") from None
    if size > MAX_INPUT_BYTES:
        raise TooMuchInput(f"The input is larger than {MAX_INPUT_BYTES // 2**20} MB.")
    return text


def _refuse_constant(name: str) -> Any:
    raise InvalidInput(f"{name} is not a JSON number.")


def _finite(literal: str) -> float:
    number = float(literal)
    if isinf(number):
        raise InvalidInput(f"{literal[:40]} is not a number that fal can hold (at most 1.8e308).")
    return number


def _refuse_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise InvalidInput(f"The name {name[:80]!r} stands twice in one object.")
        result[name] = value
    return result


_RULES: dict[str, Any] = {
    "parse_constant": _refuse_constant,
    "object_pairs_hook": _refuse_duplicates,
}
# Shared by forms, the API and sessions. Both raise ValueError (InvalidInput where the text is JSON) and
# RecursionError.
_decode = json.JSONDecoder(**_RULES, parse_float=_finite).decode
# For a whole body: a number that is too large is reported for the input, not for the body.
_decode_body = json.JSONDecoder(**_RULES).decode


def strict_json(text: str) -> Any:
    """Parse an input. Raises InvalidInput (TooMuchInput), ValueError or RecursionError."""
    try:
        ensure_bounded(text)
    except OverBound as error:
        raise TooMuchInput(f"The input {error}") from None
    return _decode(text)


def strict_json_body(text: str) -> Any:
    """Parse a body that contains an input; raises like `strict_json`."""
    try:
        ensure_bounded(text, nodes=MAX_NODES + ENVELOPE, depth=MAX_DEPTH + 1)
    except OverBound:
        raise TooMuchInput(f"The input is too much: it may have {BOUNDS} at most.") from None
    return _decode_body(text)


def parse_input(text: str, *, decode: Callable[[str], Any] = strict_json) -> Any:
    """Parse strict JSON: no NaN, no number beyond a double, no duplicate names. Raises InvalidInput."""
    if len(text) > MAX_INPUT_BYTES:
        raise TooMuchInput(f"The input is larger than {MAX_INPUT_BYTES // 2**20} MB.")
    try:
        return decode(text.strip(SPACE) or "{}")
    except json.JSONDecodeError as error:
        raise _located(text, error) from None
    except RecursionError:
        raise TooMuchInput(f"The input is nested deeper than {MAX_DEPTH} levels.") from None
    except InvalidInput:
        raise
    except ValueError:
        raise InvalidInput("A number in the input has too many digits.") from None


def _located(text: str, error: json.JSONDecodeError) -> InvalidInput:
    skipped = len(text) - len(
        text.lstrip(SPACE)
    )  # the parser got the text without leading white space
    at = skipped + error.pos
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return InvalidInput(f"Not JSON: {error.msg}, line {line}, column {column}.", line, column)


def ensure_shallow(value: Any) -> None:
    """Raise InvalidInput when objects and lists are nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise TooMuchInput(f"The input is nested deeper than {MAX_DEPTH} levels.")


def _children(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
