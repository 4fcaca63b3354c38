"""What went wrong with a call, and whether a byte of it had left this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from .call import Call
from .errors import BadReply, FalError, NotSent, Unanswered
from .headers import InvalidHeader
from .sessions import HEADER_LINE, MOST_HEADERS

_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_NEVER_LEFT_AIOHTTP = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


@contextmanager
def failures_named(call: Call) -> Iterator[None]:
    """Turn whatever the transport raises into NotSent, BadReply or Unanswered.

    A cancelled task (CancelledError) passes through: its caller must treat a POST as Unanswered
    too.
    """
    try:
        yield
    except (
        httpx.HTTPError,
        httpx.StreamError,
        httpx.InvalidURL,
        aiohttp.ClientError,
        OSError,
    ) as exc:
        if never_left(exc):
            raise NotSent(f"fal could not be reached: {_reason(exc)}.") from exc
        retryable = not call.is_paid
        if bad := _bad_reply(exc):
            raise BadReply(bad, retryable=retryable) from exc
        raise Unanswered(f"fal did not answer: {_reason(exc)}.", retryable=retryable) from exc
    except (FalError, InvalidHeader):
        raise
    except Exception as exc:  # a library fails on a malformed reply
        sentence = f"fal's reply cannot be read here ({type(exc).__name__})."
        raise BadReply(sentence, retryable=not call.is_paid) from exc


def _bad_reply(exc: BaseException) -> str:
    """Say what is wrong with the head of the reply; empty when no reply came."""
    problem = exc.__cause__
    is_cut = isinstance(exc, aiohttp.ClientPayloadError)  # a head came, and not all of the body
    if is_cut or not isinstance(problem, HttpProcessingError):
        return ""
    if isinstance(problem.__cause__, LineTooLong):
        return f"The reply has a header over {HEADER_LINE // 1024} kB, the most that is read here."
    if "Too many headers" in problem.message:
        return f"The reply has over {MOST_HEADERS} headers, the most that are read here."
    return "What came as the reply is not readable HTTP."


def never_left(exc: BaseException) -> bool:
    """Whether it is certain that no byte of the call left this machine.

    httpx-aiohttp calls every broken connection ``ConnectTimeout``, even one that broke after the
    body was sent; where aiohttp's own error is known, only that decides.
    """
    cause = exc.__cause__ if isinstance(exc.__cause__, aiohttp.ClientError) else exc
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, _NEVER_LEFT_AIOHTTP)
    return isinstance(cause, (*_NEVER_LEFT, httpx.InvalidURL))


def _reason(exc: BaseException) -> str:
    """Say the reason without the exception's own text, which may hold addresses and goes to the log
    only.
    """
    cause = exc.__cause__ if isinstance(exc.__cause__, aiohttp.ClientError) else exc
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return "the host name cannot be resolved"
    if isinstance(cause, aiohttp.ClientSSLError):
        return "no secure connection could be made"
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return "the time ran out"
    return "the connection was refused" if never_left(exc) else "the connection broke off"
