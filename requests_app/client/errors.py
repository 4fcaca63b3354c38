"""What can go wrong, named as in fal's client, and what an answer of the API means."""

from __future__ import annotations

from typing import Any

import httpx


class FalClientError(Exception):
    """The base of all errors of this package."""


class MissingCredentialsError(FalClientError):
    """No address or no token: neither an argument nor in the environment."""


class FalClientConnectionError(FalClientError):
    """Faldeck does not answer, although it was asked several times."""


class FalClientHTTPError(FalClientError):
    """An answer that is an error: of Faldeck's API, or fal's for the request."""

    def __init__(
        self,
        message: str,
        status_code: int,
        response_headers: dict[str, str],
        response: httpx.Response,
        error_type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.response_headers = response_headers
        self.response = response
        self.error_type = error_type


class DuplicateRequestError(FalClientHTTPError):
    """The same input is open or has just run, and duplicates were not allowed; nothing was submitted."""

    @property
    def request_id(self) -> str:
        """The id of the request that has this input."""
        return str(self.response.json()["id"])


class RequestFailedError(FalClientHTTPError):
    """The request has ended without an output; `response` is rebuilt from what fal said."""

    request_id = ""


class RequestCancelledError(RequestFailedError):
    """The request was cancelled."""


class FalClientTimeoutError(FalClientError, TimeoutError):
    """The time that the caller gave is over."""

    def __init__(self, timeout: float, request_id: str | None = None) -> None:
        self.timeout = timeout
        self.request_id = request_id
        which = f"Request {request_id}" if request_id else "Request"
        super().__init__(f"{which} timed out after {timeout} seconds")


def ensure_ok(response: httpx.Response) -> None:
    """Raise FalClientHTTPError for an answer that is no 2xx; its body has been read."""
    if response.is_success:
        return
    body = _json_or_none(response)
    told = body if isinstance(body, dict) else {}
    kind = DuplicateRequestError if response.status_code == 409 and "id" in told else None
    raise (kind or FalClientHTTPError)(
        _sentence(response, told), response.status_code, dict(response.headers), response
    )


def row_of(response: httpx.Response) -> dict[str, Any]:
    """Return the request that an answer shows. A long poll may also end with an error after its 200."""
    row = _json_or_none(response)
    if isinstance(row, dict) and "id" in row:
        return row
    if isinstance(row, dict) and "detail" in row:
        headers = dict(response.headers)
        raise FalClientHTTPError(str(row["detail"]), 401, headers, response)
    raise FalClientError(f"{response.url.host} does not answer as Faldeck does: check FALDECK_URL.")


def failure_of(row: dict[str, Any]) -> RequestFailedError:
    """Return the error of a request that has ended without an output."""
    is_cancelled = row["status"] == "cancelled"
    code = row["error_code"] or (499 if is_cancelled else 500)
    sentence = row["error"] or ("The request was cancelled." if is_cancelled else "It failed.")
    body = row.get("output")
    if isinstance(body, dict) and "detail" in body:
        sentence = body["detail"]  # as fal's own client: a list of problems stays one
    response = httpx.Response(code, json={"detail": sentence} if body is None else body)
    kind = RequestCancelledError if is_cancelled else RequestFailedError
    error_type = row["error_type"] or ("cancelled" if is_cancelled else None)
    error = kind(sentence, code, dict(response.headers), response, error_type)
    error.request_id = row["id"]
    return error


def _json_or_none(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _sentence(response: httpx.Response, told: dict[str, Any]) -> str:
    detail = told.get("detail")
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list):
        return "; ".join(map(_problem, detail))
    if response.is_redirect:
        return f"Redirected to {response.headers.get('Location')}: set FALDECK_URL to that site."
    return f"{response.status_code} {response.reason_phrase}: {response.text[:200]}"


def _problem(one: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in one.get("loc", ()) if part != "body")
    return f"{place}: {one.get('msg', '')}" if place else str(one.get("msg", ""))
