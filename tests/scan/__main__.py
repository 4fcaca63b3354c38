"""`python -m tests.scan`: Wapiti at a running Faldeck, as an owner and without a log-in, and at planted faults.

Exits with 1 when something was found, when a planted fault was not, or when the scan saw too little to count.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.scan import verdict
from tests.scan.installation import LOGIN, Installation, running
from tests.scan.planted import COOKIE, USER, planted
from tests.scan.wapiti import Report, Scan

PLANTED_S = 90.0  # one module sleeps as long as its fault does
OWNER_S, ANONYMOUS_S = 6.0, 3.0


def scans(folder: Path, seed: int) -> Iterator[str]:
    """Hold all three scans; sentences on what is wrong."""
    with (
        planted() as server,
        running(folder / "installation") as here,
        ThreadPoolExecutor(2) as pool,
    ):
        at_planted = Scan(server.url, server.url, USER, "/login", COOKIE, attack_s=PLANTED_S)
        plants = pool.submit(at_planted.run, folder / "planted")
        starts = list(here.starts)
        random.Random(seed).shuffle(starts)
        beside = without_log_in(here, server.url, tuple(starts))
        outside = pool.submit(beside.run, folder / "anonymous")
        owner = as_owner(here, server.url, tuple(starts)).run(folder / "owner")
        proof, anonymous = plants.result(), outside.result()
    for name, report in (("planted", proof), ("owner", owner), ("anonymous", anonymous)):
        tell(name, report)
        yield from verdict.unfinished(report, name)
    for report in (owner, anonymous):
        yield from dict.fromkeys(verdict.found(report))
    yield from verdict.unseen_as_owner(owner)
    yield from verdict.seen_as_anonymous(anonymous)
    yield from verdict.unfound(proof)


def as_owner(here: Installation, endpoint: str, starts: tuple[str, ...]) -> Scan:
    """All pages of a team that has one of everything."""
    return Scan(
        here.url,
        endpoint,
        here.user,
        LOGIN,
        here.cookie(),
        starts,
        here.excluded,
        attack_s=OWNER_S,
        depth=1,
    )


def without_log_in(here: Installation, endpoint: str, starts: tuple[str, ...]) -> Scan:
    """The same addresses, of which few open."""
    return Scan(here.url, endpoint, starts=(LOGIN, *starts), attack_s=ANONYMOUS_S, depth=1)


def tell(name: str, report: Report) -> None:
    """What the scan has seen."""
    forms = sum(page.method == "POST" for page in report.pages)
    cut = f"; ended by time: {', '.join(report.cut_short)}" if report.cut_short else ""
    refused = f"; {report.refused} calls of other hosts refused" if report.refused else ""
    print(
        f"{name}: {len(report.opened)} pages, {forms} forms, {len(report.findings)} findings{cut}{refused}"
    )


def main() -> None:
    """Everything lies in one folder, which stays when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.scan", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the order of the pages")
    seed, began = parser.parse_args().seed, time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faldeck-scan-"))
    wrong = list(scans(folder, seed))
    print(f"seed {seed}, {time.monotonic() - began:.0f} s")
    if wrong:
        print(*wrong, f"The scan's output is in {folder}.", sep="\n")
        sys.exit(1)
    shutil.rmtree(folder)
    print("Wapiti found each planted fault, and nothing in Faldeck.")


if __name__ == "__main__":
    main()
