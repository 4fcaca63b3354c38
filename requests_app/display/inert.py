"""Headers for bytes that a model wrote: the browser must never run them."""

from __future__ import annotations

from typing import TypeVar

from django.http.response import HttpResponseBase

from dashboard.inert import INERT_POLICY

Reply = TypeVar("Reply", bound=HttpResponseBase)

INERT = {
    "Content-Security-Policy": INERT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def inert(response: Reply) -> Reply:
    """Put the headers on a reply."""
    for name, value in INERT.items():
        response[name] = value
    return response
