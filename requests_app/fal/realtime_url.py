"""The URL of a realtime session. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from .endpoints import EndpointId, Hosts, InvalidEndpointId, ensure_no_path_of_fal

REALTIME = "/realtime"
MIN_BUFFERING, MAX_BUFFERING = 1, 60

_PATH = re.compile(r"(/[A-Za-z0-9][\w.-]{0,99}){1,6}", re.ASCII)


class InvalidRealtimePath(ValueError):
    """Reject an invalid realtime path. The message describes a valid path."""


class InvalidBuffering(ValueError):
    """``max_buffering`` is out of range."""


def realtime_url(
    hosts: Hosts,
    endpoint: EndpointId,
    *,
    path: str = REALTIME,
    token: str | None = None,
    max_buffering: int | None = None,
) -> str:
    """Build the URL. ``max_buffering`` is the number of inputs (1 to 60) the app keeps waiting.

    With a ``token`` the URL is a secret. Raises InvalidRealtimePath or InvalidBuffering.
    """
    query: dict[str, str] = {}
    if token is not None:
        query["fal_jwt_token"] = token
    check_buffering(max_buffering)
    if max_buffering is not None:
        query["max_buffering"] = str(max_buffering)
    url = f"{hosts.realtime}/{realtime_app(endpoint, path)}"
    return f"{url}?{urlencode(query)}" if query else url


def realtime_app(endpoint: EndpointId, path: str) -> str:
    """Return the endpoint's full id with its realtime path, which is not doubled.

    Raises InvalidRealtimePath.
    """
    full, tail = str(endpoint), realtime_path(path)
    return full if tail and full.endswith(tail) else full + tail


def realtime_path(text: str) -> str:
    """Normalize the path to one leading and no trailing slash; "" is the app's own root.

    Raises InvalidRealtimePath.
    """
    path = "/" + text.removeprefix("/").removesuffix("/")
    if path == "/":
        return ""
    if not _PATH.fullmatch(path):
        raise InvalidRealtimePath(
            "The path of a session looks like /realtime: letters, digits, dots, dashes and "
            "underscores between the slashes, each part starting with a letter or digit."
        )
    try:
        ensure_no_path_of_fal(["", *path.split("/")[1:]])
    except InvalidEndpointId as exc:
        raise InvalidRealtimePath(str(exc).replace("endpoint id", "path of a session")) from exc
    return path


def check_buffering(value: int | None) -> None:
    """Raises InvalidBuffering unless it is None or within the range."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (is_whole and MIN_BUFFERING <= value <= MAX_BUFFERING):
        raise InvalidBuffering(
            f"max_buffering is a whole number from {MIN_BUFFERING} to {MAX_BUFFERING}."
        )
