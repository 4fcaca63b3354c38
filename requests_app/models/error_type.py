"""Why a request failed, where the word is ours: fal and its models have words of their own."""

from __future__ import annotations

from enum import StrEnum


class ErrorType(StrEnum):
    """What `FalRequest.error_type` may hold besides fal's words. `display.explain` explains each."""

    REFUSED = "refused"  # fal said no to the submit, or to a session, and gave no type
    QUEUE_TOO_LONG = "queue_too_long"  # longer than the request's own limit
    GIVEN_UP = "given_up"  # a person ended an uncertain request: whether fal ran it is unknown
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
    NOT_PROCESSED = "not_processed"  # what fal said cannot be taken in here
    NOT_SENDABLE = "not_sendable"  # nothing was sent, and nothing can be
