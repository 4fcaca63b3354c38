"""Fetch an endpoint's document from the configured address, without the key: documents are public.

Source: fal serves them at `FAL_OPENAPI_URL`, for the queue of each endpoint.
"""

from __future__ import annotations

import time
from urllib.parse import quote

import httpx
from django.conf import settings

from requests_app.catalogue.document import MAX_BYTES
from requests_app.fal.endpoints import EndpointId

TIMEOUT_S = 5.0  # per step
DEADLINE_S = 10.0  # in all


class SourceError(Exception):
    """The document is not available; the message is a sentence for users."""


def fetch(endpoint: EndpointId) -> bytes:
    """Return the document as it came. One GET, no redirects. Raises SourceError."""
    url = settings.FAL_OPENAPI_URL.replace("{endpoint_id}", quote(str(endpoint), safe=""))
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as reply,
        ):
            raw = _read(reply)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"The schema could not be fetched: {type(error).__name__}.") from error
    if reply.status_code == 404:
        raise SourceError("fal has no schema for this endpoint.")
    if reply.status_code != 200:
        raise SourceError(f"The schema could not be fetched: HTTP {reply.status_code}.")
    return raw


def _read(reply: httpx.Response) -> bytes:
    """Read the body, bounded in bytes and time."""
    end, raw = time.monotonic() + DEADLINE_S, b""
    for piece in reply.iter_bytes():
        raw += piece
        if len(raw) > MAX_BYTES:
            raise SourceError(f"The schema is larger than {MAX_BYTES:,} bytes.")
        if time.monotonic() > end:
            raise SourceError(f"The schema did not arrive within {DEADLINE_S:g} s.")
    return raw
