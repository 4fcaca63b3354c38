"""Turn options into headers and query for fal's gateway: typed, visible ASCII, bounded. Pure.

httpx and aiohttp would let a caller override ``Host``, ``Authorization`` or ``Transfer-Encoding``
and send a 100 KB value; so nothing reaches the wire that is not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .option_kinds import MAX_JSON_BYTES, BadValue, plain
from .options import BY_HEADER, BY_NAME, BY_QUERY, OPTIONS, Option

MAX_TOTAL_BYTES = 8192
HEADERS = "headers"  # the option that holds custom headers, name -> value

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*", re.ASCII)
MAX_NAME = 64
_OURS = frozenset(
    {
        "accept", "accept-charset", "accept-encoding", "authorization", "cache-control", "cookie",
        "cookie2", "date", "dnt", "expect", "forwarded", "from", "host", "origin", "pragma", "range",
        "referer", "server", "user-agent", "via", "x-api-key", "x-cookie", "x-csrftoken", "x-host",
        "x-real-ip",
    }
)  # fmt: skip
_OUR_PREFIXES = (
    "access-control-", "content-", "if-", "sec-", "x-auth-", "x-forwarded-", "x-http-method",
    "x-original-", "x-rewrite-",
)  # fmt: skip
_HOP_BY_HOP = frozenset(
    {"connection", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_WEBHOOK = "x-fal-webhook"
_OF_FAL = ("x-fal-", "x-app-fal-")
_PASSED_ON = frozenset({"x-fal-client-proxy"})  # names the program between the caller and fal


class InvalidHeader(ValueError):
    """An option or header cannot be sent. ``field`` is its name, ``str()`` a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def understand(options: Mapping[str, object]) -> dict[str, object]:
    """Validate the options; each platform header among ``headers`` becomes the option it means.

    An option that is None is left out. Raises InvalidHeader, also when a header and an option
    contradict each other.
    """
    understood: dict[str, object] = {}
    for name, value in options.items():
        if name != HEADERS and value is not None:
            understood[name] = _checked(name, value)
    own: dict[str, str] = {}
    meant: dict[str, tuple[str, object]] = {}
    for header, text in _headers_of(options.get(HEADERS)):
        option = BY_HEADER.get(header)
        if option is None:
            own[header] = text
        elif option.name not in meant or _comes_first(header, option):
            meant[option.name] = header, _read(option, header, text)
    for name, (header, value) in meant.items():
        _ensure_agree(BY_NAME[name], understood.get(name), header, value)
        understood.setdefault(name, value)
    return understood | ({HEADERS: own} if own else {})


def build_headers(options: Mapping[str, object]) -> dict[str, str]:
    """Build the request headers for ``options``; values equal to fal's default are left out.

    Raises InvalidHeader.
    """
    understood = understand(options)
    built: dict[str, str] = {}
    for option, text in _written(understood):
        built |= dict.fromkeys(option.headers, text)
    own = understood.get(HEADERS, {})
    built |= own if isinstance(own, dict) else {}
    size = sum(len(name) + len(value) for name, value in built.items())
    if size > MAX_TOTAL_BYTES:
        raise InvalidHeader(
            HEADERS, f"All headers together may take {MAX_TOTAL_BYTES} bytes at most."
        )
    return built


def build_query(options: Mapping[str, object]) -> dict[str, str]:
    """Build the query parameters of a submit. Raises InvalidHeader."""
    return {option.query: text for option, text in _written(understand(options)) if option.query}


def _written(understood: Mapping[str, object]) -> Iterator[tuple[Option, str]]:
    for option in OPTIONS:
        text = option.kind.write(understood[option.name]) if option.name in understood else None
        if text is not None:
            yield option, text


def platform_options(options: Mapping[str, object]) -> dict[str, object]:
    """Return the platform options of a stored request; a session has other options beside them."""
    return {name: value for name, value in options.items() if name in BY_NAME or name == HEADERS}


def keeps_input(options: Mapping[str, object]) -> bool:
    """Whether fal may store, and later show, what is sent with these options."""
    return options.get("store_io") is not False


def ensure_ours(headers: Mapping[str, str]) -> None:
    """Check headers right before they are sent: names a caller may set, plain values. Raises
    InvalidHeader.
    """
    for name, value in headers.items():
        if name.lower() not in BY_HEADER:
            _ensure_settable(name)
        try:
            plain(value, MAX_TOTAL_BYTES)
        except BadValue as exc:
            raise InvalidHeader(name, f"{name} {exc}") from exc


def _checked(name: str, value: object) -> object:
    option = BY_NAME.get(name)
    if option is None:
        raise InvalidHeader(name, f"There is no platform option named {name!r}.")
    try:
        return option.kind.check(value)
    except BadValue as exc:
        raise InvalidHeader(name, f"{option.label} {exc}") from exc


def _headers_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield the caller's headers: allowed names in lower case, plain values."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidHeader(HEADERS, "The headers are pairs of a name and a value.")
    seen: set[str] = set()
    for name, text in (value or {}).items():
        lowered = _ensure_settable(name)
        if lowered in seen:
            raise InvalidHeader(lowered, f"The header {lowered} is given twice.")
        seen.add(lowered)
        if lowered in BY_HEADER:  # checked by its own kind
            yield lowered, text
            continue
        try:
            yield lowered, plain(text)
        except BadValue as exc:
            raise InvalidHeader(lowered, f"{lowered} {exc}") from exc


def _read(option: Option, header: str, text: object) -> object:
    try:
        return option.kind.read(plain(text, MAX_JSON_BYTES))
    except BadValue as exc:
        raise InvalidHeader(header, f"{header} {exc}") from exc


def _comes_first(header: str, option: Option) -> bool:
    """Whether this is the newer of two names for an option, which wins by fal's documentation."""
    return header == option.headers[0].lower()


def _ensure_agree(option: Option, given: object, header: str, meant: object) -> None:
    if given is None or option.kind.same(given, meant):
        return
    said = option.kind.write(given) or "the opposite"
    raise InvalidHeader(
        HEADERS,
        f"The header {header} says {option.kind.write(meant)} and the option {option.name} says "
        f"{said}. Leave one of the two out.",
    )


def _ensure_settable(name: object) -> str:
    """Return the name in lower case. Raises InvalidHeader when it is invalid or not the caller's to
    set.
    """
    # ASCII first: the Kelvin sign is a small k in lower case.
    lowered = name.lower() if isinstance(name, str) and name.isascii() else ""
    if lowered in BY_QUERY:
        option = BY_QUERY[lowered].name
        raise InvalidHeader(
            lowered, f"{lowered} is no header but a query parameter: use the option {option}."
        )
    if len(lowered) > MAX_NAME or not _NAME.fullmatch(lowered):
        raise InvalidHeader(
            str(name)[:MAX_NAME],
            f"The header {str(name)[:MAX_NAME]!r} cannot be set: a name holds letters, digits and "
            f"single dashes between them, {MAX_NAME} at most.",
        )
    if reason := _whose(lowered):
        raise InvalidHeader(lowered, f"The header {lowered} cannot be set: {reason}.")
    return lowered


def _whose(name: str) -> str:
    """Say why a header is not the caller's to set; "" when it is."""
    if name in BY_HEADER or name in _PASSED_ON:
        return ""
    if name.startswith(_WEBHOOK):
        return "where and how fal calls us back is set here"
    if name.startswith(_OF_FAL):
        return "fal's gateway sets it, and documents no such header for callers"
    if name in _HOP_BY_HOP or name.startswith("proxy-"):
        return "it belongs to the connection"
    if name in _OURS or name.startswith(_OUR_PREFIXES):
        return "it is set here"
    return ""
