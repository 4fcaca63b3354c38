"""Addresses: endpoint ids, the configured hosts, and every URL built from them. Pure.

fal's returned URLs are used as they came, because only fal knows whether an endpoint's sub-path
belongs in them; but only when they stay on the configured queue host and name the request, or a
forged reply could send our key anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import httpx

NAMESPACES = frozenset({"workflows", "comfy"})
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_OLD_STYLE = re.compile(r"([0-9]+)-([a-zA-Z0-9-]+)", re.ASCII)
_MAX_SEGMENTS = 8
_SHAPE = (
    "An endpoint id looks like owner/app or owner/app/path (fal-ai/flux/dev): letters, digits, dots, "
    "dashes and underscores between the slashes, each part starting with a letter or digit."
)
# The segments that fal's own paths add behind an app. "requests" begins them, even behind an old
# app of one part; the others end them. "stream" and "realtime" are not listed: real endpoint ids
# end with either.
_OPENS, _ENDS = "requests", frozenset({"cancel", "response", "result", "status"})
_PLAIN_URL = re.compile(
    r"https?://[!#-\[\]-~]{1,2048}", re.ASCII
)  # visible ASCII, no quote, no backslash


class InvalidEndpointId(ValueError):
    """Reject a text that is not an endpoint id. The message describes a valid id."""


class InvalidHost(ValueError):
    """A configured host is not a usable base URL."""


@dataclass(frozen=True)
class EndpointId:
    """``[namespace/]owner/alias[/path…]``; ``path`` is "" when there is none."""

    namespace: str | None
    owner: str
    alias: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> EndpointId:
        """Parse an endpoint id as a user types it.

        Raises InvalidEndpointId with a helpful sentence.
        """
        text = text.strip(" \t\r\n")  # not every Unicode space: U+2028 is not typed by accident
        _ensure_ascii(text)
        if "://" in text:
            raise InvalidEndpointId(
                "Give the endpoint id alone, such as fal-ai/flux/dev, not a web address."
            )
        if old := _OLD_STYLE.fullmatch(text):
            text = f"{old[1]}/{old[2]}"
        segments = text.split("/")
        _check_segments(segments)
        namespace = segments.pop(0) if segments[0] in NAMESPACES else None
        if len(segments) < 2:
            raise InvalidEndpointId(
                "An endpoint id names an owner and an app, such as fal-ai/flux/dev"
                + (f"; after {namespace}/ both are still needed." if namespace else ".")
            )
        ensure_no_path_of_fal(segments[1:])
        return cls(namespace, segments[0], segments[1], "/".join(segments[2:]))

    @property
    def app(self) -> str:
        """Return the id without its path: status, result and cancel URLs are built from it."""
        return "/".join(part for part in (self.namespace, self.owner, self.alias) if part)

    def __str__(self) -> str:
        return f"{self.app}/{self.path}" if self.path else self.app


def _check_segments(segments: list[str]) -> None:
    if len(segments) > _MAX_SEGMENTS:
        raise InvalidEndpointId(
            f"An endpoint id has at most {_MAX_SEGMENTS} parts between slashes."
        )
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise InvalidEndpointId(_SHAPE)


def _ensure_ascii(text: str) -> None:
    """Name a character outside ASCII: look-alikes, wide spaces and control characters cannot be
    seen.
    """
    odd = next((sign for sign in text if not " " <= sign <= "~"), None)
    if odd is not None:
        at = text.index(odd) + 1
        named = unicodedata.name(odd, "a control character")
        raise InvalidEndpointId(
            f"Character {at} of the endpoint id is {named} (U+{ord(odd):04X}). {_SHAPE}"
        )


def ensure_no_path_of_fal(segments: Sequence[str]) -> None:
    """Refuse paths that would reach a request instead of an app; ``segments`` are the app and its
    path.

    Raises InvalidEndpointId.
    """
    words = [segment.lower() for segment in segments]
    ends = words[:-1] if words[-1:] == ["stream"] else words  # requests/ID/status/stream
    found = _OPENS if _OPENS in words else ends[-1] if len(ends) > 1 and ends[-1] in _ENDS else ""
    if found:
        raise InvalidEndpointId(
            f'"{found}" stands where fal\'s own addresses of a request have it ({_OPENS}/…/status), so '
            "this is no endpoint id. Give the id alone, such as fal-ai/flux/dev."
        )


@dataclass(frozen=True)
class Hosts:
    """Base URLs, without a trailing slash; each may carry a path prefix.

    ``jwks`` is the whole document's URL. Plain http and ws are allowed (a peer on this machine).
    Raises InvalidHost.
    """

    run: str
    queue: str
    realtime: str
    rest: str
    api: str
    jwks: str

    def __post_init__(self) -> None:
        for field in fields(self):
            schemes = ("ws", "wss") if field.name == "realtime" else ("http", "https")
            base = _base_url(field.name, getattr(self, field.name), schemes)
            object.__setattr__(self, field.name, base)

    @classmethod
    def fal(cls) -> Hosts:
        """fal's own hosts."""
        return cls(
            run="https://fal.run",
            queue="https://queue.fal.run",
            realtime="wss://fal.run",
            rest="https://rest.fal.ai",
            api="https://api.fal.ai",
            jwks="https://rest.fal.ai/.well-known/jwks.json",
        )


def _base_url(name: str, text: str, schemes: tuple[str, ...]) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as exc:
        raise InvalidHost(f"The {name} host is no URL.") from exc
    if url.scheme not in schemes or not url.host:
        raise InvalidHost(
            f"The {name} host has to start with {' or '.join(s + '://' for s in schemes)}."
        )
    if url.userinfo or url.query or url.fragment:
        raise InvalidHost(f"The {name} host must carry no user name, query or fragment.")
    return text.rstrip("/")


@dataclass(frozen=True)
class RequestUrls:
    """The URLs of one request: status and result (GET), cancel (PUT)."""

    status: str
    result: str
    cancel: str


def run_url(hosts: Hosts, endpoint: EndpointId) -> str:
    return f"{hosts.run}/{endpoint}"


def stream_url(hosts: Hosts, endpoint: EndpointId, path: str = "/stream") -> str:
    """Return the URL of the model's stream route; an id that already ends with it is kept.

    Raises InvalidEndpointId.
    """
    path = path.strip("/")
    if not path or str(endpoint).endswith("/" + path):
        return run_url(hosts, endpoint)
    return run_url(hosts, EndpointId.parse(f"{endpoint}/{path}"))


def submit_url(hosts: Hosts, endpoint: EndpointId) -> str:
    return f"{hosts.queue}/{endpoint}"


def urls_for(hosts: Hosts, endpoint: EndpointId, request_id: str) -> RequestUrls:
    """Build the three URLs from ids (without the sub-path, as fal's clients do).

    Raises ValueError on a malformed id.
    """
    if not REQUEST_ID.fullmatch(request_id):
        raise ValueError("This is no request id of fal.")
    base = f"{hosts.queue}/{endpoint.app}/requests/{request_id}"
    return RequestUrls(status=f"{base}/status", result=base, cancel=f"{base}/cancel")


def trusted_urls(
    hosts: Hosts, endpoint: EndpointId, request_id: str, reply: Mapping[str, object]
) -> RequestUrls:
    """Return fal's own three URLs from a submit reply; one that cannot be trusted is rebuilt."""
    built = urls_for(hosts, endpoint, request_id)

    def pick(name: str, fallback: str) -> str:
        url = reply.get(name)
        return url if isinstance(url, str) and is_trusted(hosts, request_id, url) else fallback

    return RequestUrls(
        status=pick("status_url", built.status),
        result=pick("response_url", built.result),
        cancel=pick("cancel_url", built.cancel),
    )


def is_trusted(hosts: Hosts, request_id: str, url: str) -> bool:
    """Whether the URL stays under the configured queue host and names this request.

    Only plain visible ASCII passes: parsers disagree about the rest (full-width dots, tabs,
    backslashes).
    """
    if not _PLAIN_URL.fullmatch(url) or "@" in url or "#" in url:
        return False
    try:
        given, home = httpx.URL(url), httpx.URL(hosts.queue)
    except httpx.InvalidURL:
        return False
    # The path as written: httpx has already resolved dots in its own.
    path = "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
    segments = path.split("/")[1:]
    return (
        (given.scheme, given.host, given.port) == (home.scheme, home.host, home.port)
        and path.startswith(home.path.rstrip("/") + "/")
        and "%" not in path
        and not {".", ".."} & set(segments)
        and "" not in segments[:-1]
        and request_id in segments
    )
