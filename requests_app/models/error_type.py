"""Our own error types; fal and its models have types of their own."""

from __future__ import annotations

from enum import StrEnum


class ErrorType(StrEnum):
    """Values of `FalRequest.error_type` besides fal's. `display.explain` explains each."""

    REFUSED = "refused"  # fal refused the submit or the session without giving a type
    QUEUE_TOO_LONG = "queue_too_long"  # longer than the request's own limit
    GIVEN_UP = "given_up"  # a user ended an uncertain request: whether fal ran it is unknown
    LOST_AT_FAL = "lost_at_fal"
    RESULT_EXPIRED = "result_expired"
    RESULT_UNREADABLE = "result_unreadable"
    OUTPUT_TOO_LARGE = "output_too_large"
    EVENT_TOO_LARGE = "event_too_large"
    INTERRUPTED = "interrupted"
    HUNG_UP = "hung_up"
    REDIRECTED = "redirected"
    GATEWAY_ERROR = "gateway_error"
    UNREADABLE = "unreadable"
    EMPTY_STREAM = "empty_stream"
    PARTIAL_STREAM = "partial_stream"
    SESSION_ERROR = "session_error"
    NOT_PROCESSED = "not_processed"  # fal's answer could not be processed
    UNREACHABLE = "unreachable"  # of a program's call through the gateway: no byte reached fal
    NOT_SENDABLE = "not_sendable"  # nothing was sent, and nothing can be
