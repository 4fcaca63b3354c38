"""Headers for bytes that a model wrote: the browser must never run them."""

from __future__ import annotations

from dashboard.inert import INERT_POLICY

INERT = {
    "Content-Security-Policy": INERT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
