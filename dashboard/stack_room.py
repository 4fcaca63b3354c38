"""Room on Python's stack for all that a page calls.

CPython keeps the frames of a thread in chunks of 16 KB. It maps the next one when a call does not fit, and unmaps it
when that call returns: a loop that runs across such an edge maps memory for each of its calls. A page is a hundred
calls deep in middleware and templates, and spent a fifth of its time so. A frame that is too large for a chunk gets one
of a megabyte, whose rest is then there for what it calls. Memory that is not used is not taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

SLOTS = 66_000  # of eight bytes: a little over half of a megabyte, so that the chunk is a whole one

F = TypeVar("F", bound=Callable[..., Any])


def roomy(function: F) -> F:
    """Give a function a frame of its own chunk, with room for all that it calls."""
    code = function.__code__
    function.__code__ = code.replace(co_stacksize=SLOTS)
    return function


def stack_room(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer with room: the middleware that stands before all others."""

    @roomy
    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return middleware
