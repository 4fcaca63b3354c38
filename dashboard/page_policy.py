"""The Content-Security-Policy of pages: their own files, nothing inline, and media from the hosts of the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from csp.constants import NONE, SELF


def page_policy(media: Iterable[str], uploads: Iterable[str]) -> dict[str, Any]:
    """Return the policy for these hosts of media, and of files on their way to fal."""
    media = list(media)
    return {
        "DIRECTIVES": {
            "default-src": [NONE],
            "script-src": [SELF],
            "style-src": [SELF],
            "font-src": [SELF],
            # Hosts of media: to save a file or copy a picture.
            "connect-src": [SELF, *dict.fromkeys([*media, *uploads])],
            "img-src": [SELF, "data:", *media],
            # blob: a file that the user chose is played before it is sent.
            "media-src": [SELF, "data:", "blob:", *media],
            "form-action": [SELF],
            "base-uri": [NONE],
            "object-src": [NONE],
            "frame-ancestors": [NONE],
            # Not `report-to`: browsers take that for https alone, and ignore this one beside it.
            "report-uri": "/policy-reports/",
        }
    }
