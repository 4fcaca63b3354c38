"""One scan by Wapiti, and what it has stored of it.

Each of its modules runs in a process of its own over the pages of one crawl, so that one that breaks or takes too
long takes nothing from the others. What was found is read from its session's database: its report leaves out findings
of the module for XML.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.scan import confined
from tests.scan.planted import FAULTS, PASSWORD

PYTHON = Path(sys.prefix) / "wapiti/bin/python"
# Values that say whose page a form is of: changed, the form is refused before the rest is looked at.
SKIPPED = ("csrfmiddlewaretoken", "made_for", "token")
REPLY_S = 8.0
# What looks for stored scripts looks for those that the other one has sent.
TOGETHER = "xss,permanentxss"
MODULES = (TOGETHER, *(name for name in FAULTS if name not in TOGETHER.split(",")))
END_S = 90.0  # for a start, a log-in, the last replies and what a module asks at its end
JUDGES_COOKIES = "cookieflags"
FOUND = """
    SELECT payloads.module, category, payloads.type, paths.path, coalesce(parameter, ''), coalesce(info, '')
    FROM payloads JOIN paths ON evil_path_id = path_id
"""
SEEN = """
    SELECT path, method, status_code FROM paths JOIN responses ON paths.response_id = responses.response_id
    WHERE evil = 0
"""


@dataclass(frozen=True)
class Finding:
    """One entry of what was found."""

    module: str
    category: str
    kind: str  # "vulnerability", "anomaly", "additional"; of XML "XPATHi"
    path: str
    parameter: str
    info: str

    def __str__(self) -> str:
        where = f"{self.path} {self.parameter}".strip()
        return f"{self.category} at {where}: {self.info} ({self.module})"


@dataclass(frozen=True)
class Page:
    """One address or form that the crawl has seen."""

    path: str
    method: str
    status: int


@dataclass(frozen=True)
class Report:
    """What was found, what was seen, what could not be run, and what the confinement refused."""

    findings: tuple[Finding, ...]
    pages: tuple[Page, ...]
    broken: tuple[str, ...] = ()
    cut_short: tuple[str, ...] = ()
    refused: int = 0

    @property
    def opened(self) -> set[str]:
        """Paths of pages that were answered with 200."""
        return {page.path for page in self.pages if (page.method, page.status) == ("GET", 200)}


@dataclass(frozen=True)
class Scan:
    """What to scan, as who, and for how long.

    `cookie`: of one log-in, for the tokens of forms belong to it; what judges cookies logs in by itself, as `user` at
    the form of `login`.

    `endpoint`: where servers are led that fetch foreign addresses.
    """

    url: str
    endpoint: str
    user: str = ""
    login: str = ""
    cookie: str = ""
    starts: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    crawl_s: float = 75
    attack_s: float = 6
    depth: int = 2

    def run(self, folder: Path) -> Report:
        """Crawl, and attack what was seen; everything that Wapiti writes lies in the folder."""
        folder.mkdir(parents=True)
        said = [
            self._call(
                folder, "crawl", ["-m", "", "--max-scan-time", str(self.crawl_s), *self._log_in("")]
            )
        ]
        broken = []
        for module in MODULES:
            words = ["-m", module, "--skip-crawl", "--max-attack-time", str(self.attack_s)]
            words += self._log_in(module)
            told = self._call(folder, module, words)
            # Ended within a write to its own database, it leaves that locked; the rest goes on from there.
            told = told if is_whole(told) else self._call(folder, module, words)
            broken += [] if is_whole(told) else [module]
            said.append(told)
        cut = [
            name for name, told in zip(MODULES, said[1:], strict=True) if "Max attack time" in told
        ]
        findings, pages = stored(next((folder / "session").glob("*.db")))
        refused = sum(told.count("[!] Refused") for told in said)
        return Report(findings, pages, tuple(broken), tuple(cut), refused)

    def _call(self, folder: Path, name: str, words: list[str]) -> str:
        """What one process of Wapiti prints."""
        command = [str(PYTHON), confined.__file__, *self._words(folder), *words]
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        most_s = max(self.crawl_s, self.attack_s) + END_S
        with (folder / f"{name}.txt").open("w+") as log:
            try:
                subprocess.run(
                    command, cwd=folder, check=False, env=environment, stdout=log, stderr=log, timeout=most_s
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                print(f"[!] {name} did not end in {most_s:g} s", file=log)
        return (folder / f"{name}.txt").read_text(errors="replace")

    def _words(self, folder: Path) -> Iterator[str]:
        yield from (
            "-u",
            self.url,
            "--scope",
            "folder",
            "-d",
            str(self.depth),
            "-S",
            "polite",
            "-v",
            "1",
        )
        yield from (
            "--endpoint",
            self.endpoint,
            "--no-bugreport",
            "--tasks",
            "8",
            "-t",
            str(REPLY_S),
        )
        yield from ("--store-session", str(folder / "session"), "--store-config", str(folder))
        yield from ("-f", "json", "-o", str(folder / "report.json"))
        for name in SKIPPED:
            yield from ("--skip", name)
        for path in self.excluded:
            yield from ("-x", self.url.rstrip("/") + path)
        if self.starts:
            listed = folder / "starts.txt"
            listed.write_text("\n".join(self.url.rstrip("/") + path for path in self.starts))
            yield from ("-s", str(listed))

    def _log_in(self, module: str) -> list[str]:
        if module != JUDGES_COOKIES:
            return ["-C", self.cookie] if self.cookie else []
        words = ["--form-user", self.user, "--form-password", PASSWORD]
        return [*words, "--form-url", self.url.rstrip("/") + self.login] if self.user else []


def is_whole(said: str) -> bool:
    """Whether a process came to its end."""
    return "A report has been generated" in said


def stored(session: Path) -> tuple[tuple[Finding, ...], tuple[Page, ...]]:
    """What a session's database has: findings and seen pages."""
    with sqlite3.connect(session) as database:
        found = [
            Finding(module, category, kind, urlsplit(path).path, parameter, info)
            for module, category, kind, path, parameter, info in database.execute(FOUND)
        ]
        pages = [
            Page(urlsplit(path).path, method, status)
            for path, method, status in database.execute(SEEN)
        ]
    database.close()
    return tuple(found), tuple(pages)
