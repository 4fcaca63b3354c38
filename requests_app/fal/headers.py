"""Platform options -> request headers: allow-listed, typed, visible ASCII, capped. Pure.

httpx and aiohttp would let a caller override ``Host``, ``Authorization`` or ``Transfer-Encoding``
and send a 100 KB value; so nothing reaches the wire that is not named or patterned here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from .jsontext import NotJson, parse_object

MAX_VALUE_BYTES = 1024
MAX_TOTAL_BYTES = 8192

_NAME = re.compile(r"x-[a-z0-9-]{1,62}", re.ASCII)
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)
_TAG_KEY = re.compile(r"[a-z0-9._-]{1,64}", re.ASCII)
_RESERVED_NAMES = frozenset({"x-real-ip", "x-host", "x-api-key", "x-cookie", "x-csrftoken"})
_RESERVED_PREFIXES = (
    "x-fal-", "x-app-fal-", "x-forwarded-", "x-auth-", "x-http-method", "x-original-", "x-rewrite-",
)  # fmt: skip


class InvalidHeader(ValueError):
    """An option or header cannot be sent. ``field`` is its name, ``str()`` a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def build_headers(options: Mapping[str, object]) -> dict[str, str]:
    """Request headers for ``options``; an option that is None is left out. Raises InvalidHeader.

    Options: ``priority`` ("normal" or "low"), ``start_timeout`` (seconds, more than 0.1),
    ``no_retry`` (bool), ``store_io`` (bool), ``runner_hint`` (text), ``headers`` (the caller's own,
    name -> value).
    """
    built: dict[str, str] = {}
    for option, value in options.items():
        rule = PLATFORM_HEADERS.get(option)
        if option != "headers" and rule is None:
            raise InvalidHeader(option, f"There is no platform option named {option!r}.")
        if value is None:
            continue
        built.update(rule(option, value) if rule else _own_headers(value))
    size = sum(len(name) + len(value) for name, value in built.items())
    if size > MAX_TOTAL_BYTES:
        raise InvalidHeader(
            "headers", f"All headers together may take {MAX_TOTAL_BYTES} bytes at most."
        )
    return built


def ensure_ours(headers: Mapping[str, str]) -> None:
    """The last gate before the wire: ``x-…`` names and plain values. Raises InvalidHeader."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name.lower()):
            raise InvalidHeader(name, f"The header {name!r} is not the caller's to set.")
        _plain(name, value)


def _plain(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidHeader(field, f"{field} has to be text.")
    if len(value) > MAX_VALUE_BYTES:
        raise InvalidHeader(field, f"{field} may take {MAX_VALUE_BYTES} bytes at most.")
    if not _VALUE.fullmatch(value):
        raise InvalidHeader(
            field, f"{field} may hold visible ASCII characters only, without spaces at either end."
        )
    return value


def _priority(field: str, value: object) -> dict[str, str]:
    if value not in ("normal", "low"):
        raise InvalidHeader(field, 'The priority is "normal" or "low".')
    return {"X-Fal-Queue-Priority": str(value)}


def _start_timeout(field: str, value: object) -> dict[str, str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidHeader(field, "The start timeout is a number of seconds.")
    if not (math.isfinite(value) and 0.1 < value <= 10_000_000):
        raise InvalidHeader(
            field, "The start timeout has to be more than 0.1 seconds, and a finite number."
        )
    seconds = f"{value:.3f}".rstrip("0").rstrip(".")
    # Both names: fal documents the first and lets it win; the published clients still send the
    # second, so a gateway of either age obeys, and the two can never disagree.
    return {"X-Fal-Request-Start-Timeout": seconds, "X-Fal-Request-Timeout": seconds}


def _flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidHeader(field, f"{field} is either true or false.")
    return value


def _no_retry(field: str, value: object) -> dict[str, str]:
    return {"X-Fal-No-Retry": "1"} if _flag(value, field) else {}


def _store_io(field: str, value: object) -> dict[str, str]:
    # Sent for True as well: the account's own setting may be off.
    return {"X-Fal-Store-IO": "1" if _flag(value, field) else "0"}


def keeps_input(options: Mapping[str, object]) -> bool:
    """Whether fal may keep what is sent with these options, and can show it later."""
    return options.get("store_io") is not False


def _runner_hint(field: str, value: object) -> dict[str, str]:
    return {"X-Fal-Runner-Hint": _plain(field, value)}


PLATFORM_HEADERS: Mapping[str, Callable[[str, object], dict[str, str]]] = {
    "priority": _priority,
    "start_timeout": _start_timeout,
    "no_retry": _no_retry,
    "store_io": _store_io,
    "runner_hint": _runner_hint,
}
"""Option name -> the rule that turns (name, value) into headers."""


def _own_headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidHeader("headers", "The headers are pairs of a name and a value.")
    built: dict[str, str] = {}
    for name, content in value.items():
        lowered = _own_name(name)
        if lowered in built:
            raise InvalidHeader(lowered, f"The header {lowered} is given twice.")
        built[lowered] = _plain(lowered, content)
        _CHECKED.get(lowered, _anything)(lowered, built[lowered])
    return built


def _own_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name.lower()):
        raise InvalidHeader(
            str(name),
            f"The header {name!r} cannot be set: own names start with x- and hold letters, "
            "digits and dashes.",
        )
    lowered = name.lower()
    if lowered in _CHECKED:
        return lowered
    if lowered in _RESERVED_NAMES or lowered.startswith(_RESERVED_PREFIXES):
        raise InvalidHeader(
            lowered,
            f"The header {lowered} is reserved; use the option of that meaning, if there is one.",
        )
    return lowered


def _anything(name: str, value: str) -> None:
    """Own headers reach the app as they are."""


def _json_object(name: str, value: str) -> None:
    # fal passes over unreadable JSON in silence; the caller would never learn of it.
    try:
        parse_object(value.encode("ascii"))
    except NotJson as exc:
        raise InvalidHeader(name, f"{name} has to be a JSON object.") from exc


def _switch(name: str, value: str) -> None:
    if value not in ("true", "1"):
        raise InvalidHeader(name, f'{name} is "true" or is left out.')


def _tags(name: str, value: str) -> None:
    # fal drops bad pairs in silence.
    pairs = value.split(",")
    if len(pairs) > 10:
        raise InvalidHeader(name, f"{name} holds ten pairs at most.")
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if (
            not equals
            or not _TAG_KEY.fullmatch(key)
            or key.startswith("fal.")
            or not 1 <= len(text) <= 256
        ):
            raise InvalidHeader(
                name,
                f"{name} is written key=value,key=value: keys of a-z, 0-9, dot, dash and "
                "underscore (64 at most, not starting with fal.), values of 256 at most.",
            )


_CHECKED: Mapping[str, Callable[[str, str], None]] = {
    "x-fal-object-lifecycle-preference": _json_object,
    "x-fal-retry-config": _json_object,
    "x-fal-tags": _tags,
    "x-app-fal-disable-fallback": _switch,
}
