"""Keep secrets in URLs and headers out of every log line."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

# The one list of paths with a secret: the part before it, `*` for any one segment.
# deploy/nginx.conf keeps all of them out of the proxy's logs, and a test compares the two.
SECRET_PATHS = {
    "hooks/fal/*": "the webhook of a request",
    "gateway/t": "the token of a program that passes its own fal key on",
    "setup": "the link that makes the first owner",
    "join": "an invitation",
    "accounts/signup": "a link that makes an account",
    "accounts/password/reset/key": "a link that sets a new password",
    "accounts/confirm-email": "a link that verifies an e-mail address",
}
# Parameters whose values are secret, in any path: endings of names, and short names.
SECRET_PARAMETERS = (
    r"[\w.-]*(?:token|secret|password|passwd|signature|jwt|api[_-]?key|auth|authorization|credentials?)",
    r"key|fal[_-]?key|code|sig|session(?:id)?",
)
_SLASH = r"(?:/|%2F)+"  # escaped where the path is inside a query: ?next=
_PART = r"(?:(?!%2F)[^/?#&\s\"'>])+"


def _before_secret(path: str) -> str:
    parts = [_PART if part == "*" else re.escape(part) for part in path.split("/")]
    return _SLASH.join(["", *parts, ""])


_PATH = re.compile(rf"({'|'.join(map(_before_secret, SECRET_PATHS))}){_PART}", re.IGNORECASE)
_PARAMETER = re.compile(rf"([?&;](?:{'|'.join(SECRET_PARAMETERS)})=)[^&;#\s\"'>]+", re.IGNORECASE)
# An API token of ours, or the value of an Authorization header.
_CREDENTIAL = re.compile(r"\b(fdk_|Bearer +|Key +(?=[^\s:\"']+:))[^\s\"',}]+")
MASK = "***"


def mask(text: str) -> str:
    """Replace the secrets of paths and queries, and credentials."""
    for secret in (_PATH, _PARAMETER, _CREDENTIAL):
        text = secret.sub(rf"\g<1>{MASK}", text)
    return text


def masks_path(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view with a secret in its path; must be the outermost decorator.

    Django logs refusals with the path. The page's own style sheets and images are requested
    without the path as their referrer, which a proxy may log; forms keep their Origin.
    """

    @functools.wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.path = mask(request.path)
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return inner


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record (with its traceback) without secrets."""
        return mask(super().format(record))
