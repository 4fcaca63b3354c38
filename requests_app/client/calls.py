"""The calls of the API that the client makes, as values: what is sent, and how a failure is met."""

from __future__ import annotations

import json
import os
import random
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import quote

import httpx

from .errors import (
    FalClientConnectionError,
    FalClientError,
    FalClientHTTPError,
    MissingCredentialsError,
)
from .version import __version__

Priority = Literal["normal", "low"]
AnyJSON = dict[str, Any]

LONGEST_WAIT_S = 60.0  # the API's limit
SILENCE_S = 60.0  # an event stream says something every 15 s
LEAST_START_TIMEOUT_S = 1
CANCEL_S = 10.0  # for the cancel of what took too long
POLL_S = 1.0  # between questions, where too many wait at once
MAX_ATTEMPTS = 10
FIRST_DELAY_S = 0.1
MAX_DELAY_S = 10.0
PASSING = frozenset({408, 425, 429, 502, 503, 504})  # an answer that may be another one soon
TOO_MANY = 429
PAGE_OF_FRAMES = 500
UNLIMITED = httpx.Limits()  # of connections: each that waits has its own


@dataclass(frozen=True)
class Place:
    """Where the API is, and the token for it."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def find(cls, url: str | None, token: str | None) -> Place:
        """Take what is not given from the environment. Raises MissingCredentialsError."""
        url = url or os.environ.get("FALDECK_URL", "")
        token = token or os.environ.get("FALDECK_TOKEN", "")
        if not url:
            raise MissingCredentialsError("Set FALDECK_URL to the address of your Faldeck.")
        if not url.startswith(("http://", "https://")):
            raise MissingCredentialsError("FALDECK_URL begins with https:// or http://.")
        if not token:
            raise MissingCredentialsError("Set FALDECK_TOKEN to an API token (Settings, Tokens).")
        return cls(url.rstrip("/"), token.strip())

    @property
    def api(self) -> str:
        """The address of the API."""
        return f"{self.url}/api/v1/"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each call."""
        agent = f"faldeck/{__version__} (python)"
        return {"Authorization": f"Bearer {self.token}", "User-Agent": agent}


@dataclass(frozen=True)
class Call:
    """One call: `path` below the room. All of them may be repeated without being done twice."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    room: str = "requests/"
    address: str = ""  # of fal's storage, which gets no token of ours
    extra_s: float = 0  # that the API may take to answer

    def url(self, place: Place) -> str:
        """Return the whole address, without the parameters."""
        return self.address or f"{place.api}{self.room}{self.path}"

    def headers_for(self, place: Place) -> dict[str, str]:
        """Return all headers."""
        return dict(self.headers) if self.address else {**place.headers, **self.headers}


@dataclass(frozen=True)
class Asked:
    """What the caller of a submit asks for, by the names of fal's client."""

    application: str
    arguments: AnyJSON
    mode: Literal["queue", "run", "stream"] = "queue"
    path: str = ""
    hint: str | None = None
    priority: Priority | None = None
    start_timeout: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None

    def call(self, *, allow_duplicate: bool) -> Call:
        """Return the submit. Raises ValueError for what fal's client refuses too."""
        body: AnyJSON = {
            "endpoint_id": self._endpoint_id(),
            "input": self.arguments,
            "mode": self.mode,
            "allow_duplicate": allow_duplicate,
            "headers": dict(self.headers),
        }
        if self.hint is not None:
            body["runner_hint"] = self.hint
        if self.priority is not None:
            if self.priority not in get_args(Priority):
                raise ValueError(f"priority is one of {get_args(Priority)}, not {self.priority!r}.")
            body["priority"] = self.priority
        if self.start_timeout is not None:
            body["start_timeout"] = _start_timeout(self.start_timeout)
        # One key for all attempts: the API knows a repeated call again.
        key = self.idempotency_key or str(uuid.uuid4())
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return Call("POST", "", headers=headers, body=json.dumps(body, allow_nan=False).encode())

    def _endpoint_id(self) -> str:
        path = self.path.strip("/")
        if self.mode == "stream":
            if path.rpartition("/")[2] != "stream":
                raise FalClientError('Faldeck streams from addresses that end in "/stream" only.')
            path = "" if path == "stream" else path  # the last part is added there
        return f"{self.application.strip('/')}/{path}" if path else self.application.strip("/")


def _start_timeout(seconds: float) -> float:
    seconds = float(seconds)
    if seconds <= LEAST_START_TIMEOUT_S:
        raise ValueError(f"start_timeout is more than {LEAST_START_TIMEOUT_S} second.")
    return seconds


def read(request_id: str, wait_s: float = 0) -> Call:
    """Read the request; with `wait_s` as soon as it has ended, or so much later."""
    params = {"wait": round(wait_s, 3)} if wait_s else {}
    return Call("GET", f"{quote(request_id, safe='')}/", params=params, extra_s=wait_s)


def listing(query: str, limit: int) -> Call:
    """List the team's requests, newest first."""
    return Call("GET", "", params={"limit": limit, **({"q": query} if query else {})})


def output(request_id: str) -> Call:
    """Read the output's bytes."""
    return Call("GET", f"{quote(request_id, safe='')}/output/")


def record(request_id: str, after: int, *, raw: bool, direction: str) -> Call:
    """Read a page of the frames behind a number."""
    params: AnyJSON = {"after": after, "limit": PAGE_OF_FRAMES}
    if raw:
        params["raw"] = "true"
    if direction:
        params["direction"] = direction
    return Call("GET", f"{quote(request_id, safe='')}/frames/", params=params)


def cancel(request_id: str) -> Call:
    """Ask for a cancel."""
    return Call("POST", f"{quote(request_id, safe='')}/cancel/")


def follow(request_id: str, last_event_id: str) -> Call:
    """Open the stream of events behind the last one that was read."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    return Call("GET", f"{quote(request_id, safe='')}/events/", headers=headers)


def delay_s(attempt: int, response: httpx.Response | None = None) -> float:
    """Return the pause after the failed attempt: what the API asks for, or twice the last one."""
    told = response.headers.get("Retry-After", "") if response is not None else ""
    if told.isdigit():
        return min(float(told), LONGEST_WAIT_S)
    delay: float = min(FIRST_DELAY_S * 2 ** (attempt - 1), MAX_DELAY_S)
    return delay * random.uniform(0.5, 1.5)  # noqa: S311


def may_pass(error: Exception, attempt: int, *, is_patient: bool) -> bool:
    """Return whether the failed call may be made again; `is_patient`: also when it was one too many."""
    if attempt >= MAX_ATTEMPTS:
        return False
    if not isinstance(error, FalClientHTTPError):
        return True
    return error.status_code in PASSING and (is_patient or error.status_code != TOO_MANY)


def named(error: Exception, url: str) -> Exception:
    """Return the error that the caller sees."""
    if isinstance(error, FalClientError):
        return error
    where = httpx.URL(url)
    return FalClientConnectionError(
        f"{where.scheme}://{where.netloc.decode()} does not answer: {error or type(error).__name__}"
    )


def start_limit(start_timeout: float | None, client_timeout: float | None) -> float | None:
    """Return the start timeout, which the client's own sets where none is given."""
    if client_timeout is None:
        return start_timeout
    if start_timeout is not None and start_timeout > client_timeout:
        warnings.warn(
            f"start_timeout ({start_timeout} s) is longer than client_timeout ({client_timeout} s).",
            UserWarning,
            stacklevel=3,
        )
    return client_timeout if start_timeout is None else start_timeout


def ensure_cancelled(response: httpx.Response) -> None:
    """Raise FalClientHTTPError, as fal's client does, when the request had ended before."""
    if response.json()["answer"] == "ended":
        late = httpx.Response(400, json={"status": "ALREADY_COMPLETED"})
        raise FalClientHTTPError("The request has already ended.", 400, dict(late.headers), late)


def ensure_no_webhook(url: str | None) -> None:
    """Refuse what only fal's client can do."""
    if url is not None:
        raise FalClientError(
            "Faldeck itself receives fal's webhooks: wait with get() or iter_events() instead."
        )


def ensure_post(method: str) -> None:
    """Refuse what only fal's client can do."""
    if method.upper() != "POST":
        raise FalClientError("Faldeck makes direct calls by POST only.")


def decoded(response: httpx.Response) -> Any:
    """Return the output's JSON. Raises FalClientError for other types."""
    try:
        return response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "bytes")
        raise FalClientError(f"The output is no JSON but {kind}: read it with output().") from None


def frame_value(data: dict[str, Any]) -> Any:
    """Return what a stream's event carries; None for one that carries nothing."""
    text = data["data"]
    if data["kind"] != "event" or data["direction"] != "in" or not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise FalClientError(f"An event of the stream is no JSON: {text[:200]!r}") from None
