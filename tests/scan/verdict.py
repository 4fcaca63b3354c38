"""What a scan must not have found, and what it must have seen to count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.scan.planted import FAULTS
from tests.scan.wapiti import Finding, Report

HARMLESS = ("additional",)
LOGGED_IN = (
    "/settings/",
    "/overview/",
    "/batches/",
    "/accounts/",
)  # pages that lead others to the log-in
FEWEST_PAGES = 60
MOST_LED_AWAY = 0.25  # of the pages that were asked for; more when the log-in was lost on the way


@dataclass(frozen=True)
class Allowed:
    """A finding that is none, and why. `info` is a pattern."""

    category: str
    info: str
    why: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is this one."""
        return finding.category == self.category and re.search(self.info, finding.info) is not None


ALLOWED = (
    # It repeats a form under the headers of the crawl, whose length is another: the server refuses that one (403,
    # "CSRF token missing") as it does the one with the wrong token, and the module takes the two for the same.
    Allowed("Cross Site Request Forgery", "is not properly checked in backend$", "Both of the compared requests were refused."),
    Allowed("Secure Flag cookie", ".", "The scan is over plain HTTP on this machine; behind HTTPS all cookies are Secure."),
    Allowed("HttpOnly Flag cookie", ": csrftoken$", "Scripts of the pages send it back as a header; it is no secret from them."),
    Allowed("Resource consumption", ".", "A reply that took seconds, on a machine that is busy with the scan itself."),
)  # fmt: skip


def found(report: Report) -> Iterator[str]:
    """A sentence for each finding that is not allowed."""
    for finding in report.findings:
        if finding.kind not in HARMLESS and not any(one.covers(finding) for one in ALLOWED):
            yield str(finding)


def unfinished(report: Report, name: str) -> Iterator[str]:
    """Modules that never came to an end."""
    for module in report.broken:
        yield f"{name}: the module {module} broke twice; its output is in {module}.txt."


def unseen_as_owner(report: Report) -> Iterator[str]:
    """Signs that the scan was not logged in, or no longer."""
    for path in LOGGED_IN:
        if path not in report.opened:
            yield f"The owner's scan has not opened {path}."
    if len(report.opened) < FEWEST_PAGES:
        yield f"The owner's scan opened {len(report.opened)} pages; fewer than {FEWEST_PAGES} are too few."
    asked = [page for page in report.pages if page.method == "GET"]
    away = [page for page in asked if page.status in (301, 302)]
    if len(away) > MOST_LED_AWAY * len(asked):
        yield f"The owner's scan was led away from {len(away)} of {len(asked)} pages: the log-in was lost."
    if not any(page.method == "POST" for page in report.pages):
        yield "The owner's scan has seen no form."


def seen_as_anonymous(report: Report) -> Iterator[str]:
    """What a scan without a log-in must have seen, and must not."""
    if "/accounts/login/" not in report.opened:
        yield "The scan without a log-in has not opened the log-in."
    for path in LOGGED_IN:
        if path in report.opened:
            yield f"{path} opens without a log-in."


def unfound(report: Report) -> Iterator[str]:
    """Planted faults that were not found: the module sees nothing, so its silence proves nothing."""
    for module, category in FAULTS.items():
        if not any((one.module, one.category) == (module, category) for one in report.findings):
            yield f"The planted fault for {module} ({category}) was not found."
