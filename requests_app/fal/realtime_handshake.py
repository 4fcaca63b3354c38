"""Open the WebSocket of a realtime session: once, without redirects, and every failure explained."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Mapping

from websockets import http11
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, SecurityError, WebSocketException

from .close_codes import refused_handshake
from .errors import BadReply, NotSent, Unanswered
from .replies import Reply
from .sessions import HEADER_LINE, MOST_HEADERS, tls
from .transport import ReplyLimits

MAX_QUEUE = (1, 0)  # messages: reading stops above the first figure and resumes at the second
CLOSE_TIMEOUT_S = 0.8  # either end's close has to reach the other within a second

# The library logs the whole handshake at DEBUG, including the token and the key. The level saves
# the work; the filter holds even when a later logging configuration resets the level.
_log = logging.getLogger(f"{__name__}.socket")
_log.setLevel(logging.INFO)
_log.addFilter(lambda record: record.levelno > logging.DEBUG)

# The library has no parameters for these; its own limits are 8 KB, 128 and 1 MB.
http11.MAX_LINE_LENGTH, http11.MAX_NUM_HEADERS = HEADER_LINE, MOST_HEADERS
http11.MAX_BODY_SIZE = ReplyLimits().reply


class _Handshake(connect):
    """Follows no redirect, and knows whether a byte of the handshake can have been sent."""

    reached = False

    async def open_tcp_connection(self) -> ClientConnection:
        connection = await super().open_tcp_connection()
        self.reached = True  # TCP and TLS are up; the request is sent next.
        return connection

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(
    url: str, headers: Mapping[str, str], *, open_timeout_s: float, max_size: int, peer: str = "fal"
) -> ClientConnection:
    """Connect once. ``max_size``: bytes of one message; ``peer``: the server's name in sentences.

    Raises NotSent, Refused or Unanswered.
    """
    handshake = _Handshake(
        url,
        additional_headers=headers,
        user_agent_header="faldeck",
        # Outputs are mostly compressed images: deflate gains nothing, costs time and 300 KB a
        # socket, and would let a few bytes grow to max_size.
        compression=None,
        # like the HTTP calls: the configured hosts, without a proxy from the environment
        proxy=None,
        open_timeout=open_timeout_s,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=max_size,
        max_queue=MAX_QUEUE,
        logger=_log,
        ssl=tls() if url.startswith("wss://") else None,
    )
    try:
        return await handshake
    except InvalidStatus as exc:
        response = exc.response
        names = {name.lower(): value for name, value in response.headers.raw_items()}
        answer = Reply(response.status_code, names, bytes(response.body))
        raise refused_handshake(answer, peer) from None
    except (OSError, EOFError, WebSocketException) as exc:
        # Without the cause: its text may contain the address, and with it the token.
        raise _failure(exc, peer, reached=handshake.reached) from None


def _failure(exc: Exception, peer: str, *, reached: bool) -> NotSent | Unanswered:
    if not reached:
        return NotSent(f"{peer} could not be reached: {_reason(exc)}.")
    if isinstance(exc.__cause__, SecurityError):
        return BadReply(
            f"The reply to the handshake has a header over {HEADER_LINE // 1024} kB, more than "
            f"{MOST_HEADERS} headers or too large a body."
        )
    if isinstance(exc, TimeoutError):
        return Unanswered(f"{peer} did not answer the handshake in time.")
    return Unanswered("What answered is no WebSocket, or the connection broke off.")


def _reason(exc: Exception) -> str:
    if isinstance(exc, socket.gaierror):
        return "the host name cannot be resolved"
    # A peer without TLS hangs up during the handshake.
    if isinstance(exc, ssl.SSLError | ConnectionResetError | ConnectionAbortedError):
        return "no secure connection could be made"
    if isinstance(exc, TimeoutError):
        return "the time ran out"
    return "the connection was refused"
