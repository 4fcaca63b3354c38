"""fal's wire protocol, from the caller's side. Knows fal only: no Django, no settings, no clock.

::

    errors        one exception tree; each error says whether bytes were sent and whether to retry
    endpoints     endpoint ids, configured hosts, every URL
    options       the table of platform options; option_kinds: the type of each value
    headers       platform options and custom headers -> request headers and query
    jsontext      bytes -> JSON values, raw members; exactjson: JSON text that keeps its digits
    error_bodies  the reason in an error's body, whatever its shape
    prices        unit price and usual cost of a call, as fal's price list has them
    models_list   one page of fal's list of models; finished: of its finished requests
    meta          the network addresses of fal's webhooks
    payload_deletion  has fal delete what it keeps of a request
    call          one call, before it is made
    reports       frozen values of what fal said, and their parsers
    replies       one HTTP reply -> a value or an error; result_replies: of a run, or of a queue result
    sse           bytes -> server-sent events
    webhooks      signature and content of a webhook; webhook_encoding: gzip; jwks: fal's keys
    realtime_…    of a session: realtime_url, realtime_outgoing and realtime_incoming (messages),
                  realtime_media (magic numbers), realtime_control (fal's control messages),
                  realtime_pairing (reply to request); close_codes: how a session ended, in words
    ---------     all above are pure (except the key cache); below is I/O
    sessions      connections, trust store, limits of headers
    public_addresses  the guard for addresses that a model or a user named; guarded_post: one POST to such
    failures      what went wrong with a call: "were bytes sent?"
    transport     one HTTP call: deadline, size limit
    streams       a reply that comes in parts: of a model, of the status stream
    client        FalClient: fal's verbs, bound to a key and hosts
    uploads       where a browser may send a file
    realtime      connect: a session on a WebSocket; realtime_token and realtime_handshake open it
"""

from __future__ import annotations

from .client import FalClient
from .close_codes import CloseReason, describe_close
from .endpoints import (
    EndpointId,
    Hosts,
    InvalidEndpointId,
    InvalidHost,
    RequestUrls,
    trusted_urls,
    urls_for,
)
from .error_bodies import ErrorBody, FieldError, parse_error
from .errors import (
    BadReply,
    FalError,
    KeysUnavailable,
    NotAStream,
    NotFinished,
    NotSent,
    NotTheResult,
    Refused,
    TooLarge,
    TooLargeEvent,
    Unanswered,
)
from .finished import Listed, Window
from .headers import InvalidHeader, build_headers, build_query, platform_options
from .jsontext import NotJson
from .realtime import RealtimeConnection
from .realtime_control import Control
from .realtime_incoming import Incoming, decode_message
from .realtime_outgoing import InvalidMessage, Outgoing
from .realtime_pairing import Pair, Pairing
from .realtime_token import Token, fetch_token
from .realtime_url import InvalidBuffering, InvalidRealtimePath, realtime_url
from .reports import (
    CancelAnswer,
    LogEntry,
    Receipt,
    Result,
    StatusReport,
    WebhookReport,
    parse_cancel,
    parse_status,
)
from .sse import EventTooLarge, SseDecoder, SseEvent
from .streams import Stream, StreamEvent
from .transport import ReplyLimits, Timeouts
from .uploads import Upload, start_upload
from .webhooks import KeyCache, WebhookRejected, parse_jwks, verify

__all__ = [
    "BadReply",
    "CancelAnswer",
    "CloseReason",
    "Control",
    "EndpointId",
    "ErrorBody",
    "EventTooLarge",
    "FalClient",
    "FalError",
    "FieldError",
    "Hosts",
    "Incoming",
    "InvalidBuffering",
    "InvalidEndpointId",
    "InvalidHeader",
    "InvalidHost",
    "InvalidMessage",
    "InvalidRealtimePath",
    "KeyCache",
    "KeysUnavailable",
    "Listed",
    "LogEntry",
    "NotAStream",
    "NotFinished",
    "NotJson",
    "NotSent",
    "NotTheResult",
    "Outgoing",
    "Pair",
    "Pairing",
    "RealtimeConnection",
    "Receipt",
    "Refused",
    "ReplyLimits",
    "RequestUrls",
    "Result",
    "SseDecoder",
    "SseEvent",
    "StatusReport",
    "Stream",
    "StreamEvent",
    "Timeouts",
    "Token",
    "TooLarge",
    "TooLargeEvent",
    "Unanswered",
    "Upload",
    "WebhookRejected",
    "WebhookReport",
    "Window",
    "build_headers",
    "build_query",
    "decode_message",
    "describe_close",
    "fetch_token",
    "parse_cancel",
    "parse_error",
    "parse_jwks",
    "parse_status",
    "platform_options",
    "realtime_url",
    "start_upload",
    "trusted_urls",
    "urls_for",
    "verify",
]
