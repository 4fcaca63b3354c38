"""What browsers report of pages that broke the Content-Security-Policy: by kind and count, in this process.

Anyone can send a report, so nothing of it is stored: of each kind the first is logged, and so many kinds are
counted. What was blocked stands in the log alone, for its host may be one that a single team uses.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

logger = logging.getLogger(__name__)

MOST_KINDS = 100  # counted for callers with a log-in, and as many without one
_WORD = re.compile(r"[a-z][a-z-]{0,40}")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,100}")
_FILE = re.compile(r"/static/[\w./-]{1,120}")
OTHER = "other"


@dataclass(frozen=True)
class PolicyBreach:
    """One kind. `page` is a route of the site's table, never an address with its ids."""

    directive: str
    blocked: str
    page: str
    file: str

    @classmethod
    def of(cls, told: dict[str, object]) -> PolicyBreach:
        """Read a browser's report; what is not one of the expected forms becomes a word of ours."""

        def text(name: str) -> str:
            value = told.get(name)
            return value if isinstance(value, str) else ""

        directive = text("effective-directive") or text("violated-directive").partition(" ")[0]
        return cls(
            directive=directive if _WORD.fullmatch(directive) else OTHER,
            blocked=_blocked(text("blocked-uri")),
            page=_route(text("document-uri")),
            file=_file(text("source-file")),
        )


@dataclass
class CountedBreach:
    """How often a kind was reported."""

    breach: PolicyBreach
    count: int
    at: datetime


class PolicyReports:
    """The kinds that were reported. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[bool, dict[PolicyBreach, CountedBreach]] = {}
        self.forget()

    def note(self, breach: PolicyBreach, *, is_known: bool, now: datetime) -> None:
        """Count it; `is_known`: its sender has a log-in. Of more kinds than MOST_KINDS none is kept."""
        with self._lock:
            counted = self._counted[is_known]
            seen = counted.get(breach)
            if seen:
                seen.count, seen.at = seen.count + 1, now
                return
            if len(counted) >= MOST_KINDS:
                return
            counted[breach] = CountedBreach(breach, 1, now)
        logger.warning(
            "A browser blocked something on a page: %s blocked %s on %s (%s), told by %s.",
            breach.directive, breach.blocked, breach.page, breach.file or "no file of ours",
            "a user" if is_known else "a caller without a log-in",
        )  # fmt: skip

    def of_users(self) -> list[CountedBreach]:
        """Return what callers with a log-in reported, the most frequent first."""
        with self._lock:
            found = list(self._counted[True].values())
        return sorted(found, key=lambda one: -one.count)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._counted = {True: {}, False: {}}


def _blocked(text: str) -> str:
    """Return the origin, or the browser's word for what has none ("inline", "eval", "data")."""
    if _WORD.fullmatch(text):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return OTHER
    scheme, host = parts.scheme.lower(), parts.netloc
    if _WORD.fullmatch(scheme) and _HOST.fullmatch(host):
        return f"{scheme}://{host}"
    return scheme if _WORD.fullmatch(scheme) and not host else OTHER


def _route(address: str) -> str:
    try:
        return f"/{resolve(urlsplit(address).path).route}"
    except (ValueError, Resolver404):
        return "another page"


def _file(address: str) -> str:
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    return path if _FILE.fullmatch(path) else ""


policy_reports = PolicyReports()
