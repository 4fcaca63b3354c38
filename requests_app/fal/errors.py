"""The exceptions of talking to fal.

::

    FalError              .sent: were bytes sent?  .retryable: may a machine repeat this call?
    ├── NotSent           no    yes         DNS, refused, TLS, connect or pool time-out
    ├── Unanswered        yes   only reads  time-out, reset, gateway page, unreadable reply
    │   ├── TooLarge      yes   no          over the limit; a retry returns the same
    │   │   └── TooLargeEvent               one event of a stream is
    │   ├── NotAStream    yes   only reads  a whole reply came in place of a stream of events
    │   ├── BadReply      yes   only reads  a reply came, but its head cannot be parsed
    │   └── NotTheResult  yes   yes         a whole answer came in place of a result
    ├── Refused           yes   only 429    fal said a definite no
    ├── NotFinished       yes   yes         the result was asked for too early
    └── KeysUnavailable   yes   yes         no webhook keys are known, none could be fetched

Invalid input is a ``ValueError`` defined beside its rule (``InvalidEndpointId``, ``InvalidHost``,
``InvalidHeader``); a webhook that fails its checks is a ``WebhookRejected``. ``str(error)`` is a
sentence for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reports import Result


class FalError(Exception):
    """Base of all errors while talking to fal.

    ``sent`` is True as soon as a byte of the call *may* have left this machine; ``retryable`` says
    whether a machine may repeat the very same call (False for every POST with an unknown outcome:
    it may be paid).
    """

    sent: bool = True
    retryable: bool = False


class NotSent(FalError):
    """No byte of the call reached fal: it is safe to repeat it."""

    sent = False
    retryable = True


class Unanswered(FalError):
    """Bytes were sent, but no readable answer came: fal may or may not have acted.

    ``status_code`` and ``body`` (at most the first 4 KB) are the answer that came, for diagnosis.
    """

    def __init__(
        self,
        sentence: str,
        *,
        retryable: bool = False,
        status_code: int | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(sentence)
        self.retryable = retryable
        self.status_code = status_code
        self.body = body[:4096]

    @property
    def is_redirect(self) -> bool:
        """Whether the answer was a redirect (3xx); it is never followed, so the call went no
        further.
        """
        return 300 <= (self.status_code or 0) < 400


class TooLarge(Unanswered):
    """The reply is larger than the limit in bytes; it was truncated and dropped."""


class TooLargeEvent(TooLarge):
    """One event of a stream is larger than the limit."""


class NotAStream(Unanswered):
    """A whole reply came in place of a stream of events; ``result`` holds it."""

    def __init__(self, result: Result, *, retryable: bool) -> None:
        super().__init__(
            f"fal's reply ({result.status_code}) is no stream of events.",
            retryable=retryable, status_code=result.status_code, body=result.body,
        )  # fmt: skip
        self.result = result


class BadReply(Unanswered):
    """A reply came, but its status line or headers cannot be parsed: too large, or not HTTP.

    fal may still be reachable: other calls are answered.
    """


class NotTheResult(Unanswered):
    """A whole answer came in place of a result, and cannot be one: a retry may return the result.

    ``is_from_fal``: it bears fal's request id; ``believed`` is the Result to use if it never
    changes.
    """

    def __init__(
        self, sentence: str, *, status_code: int, is_from_fal: bool, believed: Result
    ) -> None:
        super().__init__(sentence, retryable=True, status_code=status_code, body=believed.body)
        self.is_from_fal = is_from_fal
        self.believed = believed


class Refused(FalError):
    """fal said a definite no; nothing runs because of this call.

    ``detail`` is fal's own text (a list of field errors, a text, or None), ``retry_after_s`` is 1
    to 300 seconds or None, ``body`` the raw reply.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status_code: int,
        detail: list[Any] | str | None = None,
        error_type: str | None = None,
        retry_after_s: float | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
    ) -> None:
        super().__init__(sentence)
        self.status_code = status_code
        self.detail = detail
        self.error_type = error_type
        self.retry_after_s = retry_after_s
        self.body = body
        self.content_type = content_type
        self.retryable = self.is_rate_limit

    @property
    def is_rate_limit(self) -> bool:
        return self.status_code == 429

    @property
    def is_gone(self) -> bool:
        """Whether fal knows nothing at this address: unknown id, wrong path, or past retention."""
        return self.status_code in (404, 410)


class NotFinished(FalError):
    """The result was asked for while the request still waits or runs."""

    retryable = True


class KeysUnavailable(FalError):
    """fal's webhook keys are not known and cannot be fetched now."""

    retryable = True
