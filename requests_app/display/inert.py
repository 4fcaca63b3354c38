"""Headers for bytes that a model wrote: the browser must never run them."""

from __future__ import annotations

INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
