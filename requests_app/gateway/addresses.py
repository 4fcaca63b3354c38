"""From a path of ours to an address at fal. Pure; the host is always one of the configured ones.

The path is parsed once, and what goes to fal is put together from what was understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from requests_app.fal.endpoints import REQUEST_ID, EndpointId, Hosts, InvalidEndpointId

# Only signs that every parser reads the same: no escapes, no empty segments, a slash at the end or none.
_PATH = re.compile(r"[\w.-]{1,128}(/[\w.-]{1,128}){0,15}/?", re.ASCII)
_QUERY = re.compile(r"[!-\"$-~]{0,8192}", re.ASCII)
_STREAM = "stream"
# What @fal-ai/client asks of a proxy beside models: a token for a session, the begin and end of an upload.
_REST = frozenset({
    "tokens", "tokens/realtime", "storage/upload/initiate", "storage/upload/initiate-multipart",
    "storage/upload/complete-multipart",
})  # fmt: skip
_TARGET = re.compile(r"https://(fal\.run|queue\.fal\.run|rest\.fal\.ai)/([^?#]*)(?:\?([^#]*))?")
_SERVICES = {"fal.run": "run", "queue.fal.run": "queue", "rest.fal.ai": "rest"}


class Operation(StrEnum):
    """What a call asks of fal."""

    SUBMIT = "submit"
    STATUS = "status"
    STATUS_STREAM = "status_stream"
    RESULT = "result"
    CANCEL = "cancel"
    DIRECT = "direct"  # run or stream: the reply is the output
    OTHER = "other"  # passed on, not recorded


_OF_A_REQUEST = {
    "": ("GET", Operation.RESULT),
    "response": ("GET", Operation.RESULT),
    "status": ("GET", Operation.STATUS),
    "status/stream": ("GET", Operation.STATUS_STREAM),
    "cancel": ("PUT", Operation.CANCEL),
}


class NoAddress(ValueError):
    """This path leads nowhere at fal. The sentence is for the caller."""


@dataclass(frozen=True)
class Address:
    """Where a call goes. `request_id` is empty for a submit and a direct call."""

    operation: Operation
    url: str
    endpoint: EndpointId | None = None
    request_id: str = ""
    is_stream: bool = False

    @property
    def acts(self) -> bool:
        """Whether it starts or ends work, which a viewer may not."""
        return self.operation not in (Operation.STATUS, Operation.STATUS_STREAM, Operation.RESULT)


def address_of(hosts: Hosts, service: str, path: str, query: str, method: str) -> Address:
    """Return the address at fal of a path of ours. Raises NoAddress."""
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise NoAddress("The gateway passes on plain paths only, such as fal-ai/flux/dev.")
    if not _QUERY.fullmatch(query):
        raise NoAddress("The query holds characters that an address cannot have.")
    base = {"run": hosts.run, "queue": hosts.queue, "rest": hosts.rest}.get(service)
    if base is None:
        raise NoAddress("The gateway has no such address.")
    url = f"{base}/{path}" + (f"?{query}" if query else "")
    segments = path.rstrip("/").split("/")
    if service == "rest":
        return _at_rest(url, "/".join(segments), method)
    return _direct(url, segments, method) if service == "run" else _queued(url, segments, method)


def named_address(hosts: Hosts, target: str, method: str) -> Address:
    """Return the address that a client names by fal's own URL (`x-fal-target-url`). Raises NoAddress."""
    found = _TARGET.fullmatch(target)
    if found is None:
        raise NoAddress("Invalid request")
    return address_of(hosts, _SERVICES[found[1]], found[2], found[3] or "", method)


def _at_rest(url: str, path: str, method: str) -> Address:
    if method != "POST" or path not in _REST:
        raise NoAddress("The gateway passes on tokens and uploads of this host only.")
    return Address(Operation.OTHER, url)


def _direct(url: str, segments: list[str], method: str) -> Address:
    is_stream = segments[-1] == _STREAM and len(segments) > 2
    endpoint = _endpoint("/".join(segments[:-1] if is_stream else segments))
    is_recorded = method == "POST" and endpoint is not None
    operation = Operation.DIRECT if is_recorded else Operation.OTHER
    return Address(operation, url, endpoint, is_stream=is_stream)


def _queued(url: str, segments: list[str], method: str) -> Address:
    at = segments.index("requests", 2) if "requests" in segments[2:] else 0
    if not at:
        endpoint = _endpoint("/".join(segments))
        if endpoint is None:
            raise NoAddress("This is no endpoint id, such as fal-ai/flux/dev.")
        return Address(Operation.SUBMIT if method == "POST" else Operation.OTHER, url, endpoint)
    endpoint = _endpoint("/".join(segments[:at]))
    request_id = "".join(segments[at + 1 : at + 2])
    wanted, operation = _OF_A_REQUEST.get("/".join(segments[at + 2 :]), ("", Operation.OTHER))
    if endpoint is None or not REQUEST_ID.fullmatch(request_id) or not wanted:
        raise NoAddress("This is no address of a request.")
    if method != wanted:
        operation = Operation.OTHER  # fal says which methods there are
    return Address(operation, url, endpoint, request_id)


def _endpoint(text: str) -> EndpointId | None:
    try:
        return EndpointId.parse(text)
    except InvalidEndpointId:
        return None
