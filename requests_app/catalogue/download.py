"""One call that changes nothing at fal: no redirects, bounded in bytes and time; the key only when given."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx

from requests_app.fal.sessions import tls


class DownloadError(Exception):
    """Nothing usable came; the message is a sentence for users. `status`: of a reply that came."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


def download(
    url: str,
    *,
    what: str,
    most: int,
    timeout_s: float,
    deadline_s: float,
    params: Mapping[str, str] | None = None,
    key: str = "",
    payload: Any = None,
) -> bytes:
    """Return the body of a 200: of a GET, or of a POST of `payload` as JSON. Raises DownloadError.

    `timeout_s` is per step, `deadline_s` in all, from the connection on.
    """
    end = time.monotonic() + deadline_s
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Key {key}"
    try:
        with (
            httpx.Client(
                verify=tls(), timeout=timeout_s, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                "GET" if payload is None else "POST",
                url,
                params=params,
                headers=headers,
                json=payload,
            ) as reply,
        ):
            raw = _read(reply, what, most, end)
    except TimeoutError:
        raise DownloadError(f"{what} did not arrive within {deadline_s:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"{what} could not be fetched: {type(error).__name__}.") from error
    if reply.status_code != 200:
        sentence = f"{what} could not be fetched: HTTP {reply.status_code}."
        raise DownloadError(sentence, reply.status_code)
    return raw


def _read(reply: httpx.Response, what: str, most: int, end: float) -> bytes:
    raw = bytearray()
    for piece in reply.iter_bytes():
        raw += piece
        if len(raw) > most:
            raise DownloadError(f"{what} is larger than {most:,} bytes.")
        if time.monotonic() > end:
            raise TimeoutError
    return bytes(raw)
