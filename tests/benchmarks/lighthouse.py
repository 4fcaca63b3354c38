"""What Lighthouse says of the list, the form and the page of a request: `make pages`, as on a desktop and a slow phone.

Its speed is simulated from what it measures, so a crowded machine counts against the page: of some tries the best
one is taken, and a page fails when it is more than SLACK below its goal. The two other scores do not depend on the
machine. Exits with 1 when a page fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright, sync_playwright

from tests import tools
from tests.benchmarks.pages import ENDPOINT, fill, log_in
from tests.benchmarks.report import table
from tests.ports import free_port
from tests.process.serving import Serving

TRIES = 3
CATEGORIES = ("performance", "accessibility", "best-practices")
GOALS = {"desktop": (98, 100, 100), "mobile": (90, 100, 100)}  # at least, in hundredths
SLACK = (8, 0, 0)
PACKAGE = "node_modules/lighthouse/cli/index.js"


def main() -> None:
    """Print the table, and what the pages that fail could do."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Serving(Path(folder), SANDBOX_PORT=str(free_port())) as serving,
    ):
        missed = show(playwright, serving, Path(folder))
    if missed:
        sys.exit("\n".join(missed))


def show(playwright: Playwright, serving: Serving, folder: Path) -> list[str]:
    """Judge each page in a browser that is logged in; return a line for each that fails."""
    pages = {
        "request": f"/requests/{fill(serving)}/",
        "list": "/requests/",
        "form": f"/requests/new/?endpoint={ENDPOINT}",
    }
    port = free_port()
    browser = playwright.chromium.launch_persistent_context(
        str(folder / "profile"),
        executable_path=tools.chromium(playwright),
        base_url=serving.url,
        args=[f"--remote-debugging-port={port}"],
    )
    log_in(browser.pages[0])
    rows, missed = [], []
    for name, path in pages.items():
        for device, goals in GOALS.items():
            found, complaints = best_of(
                f"{serving.url}{path}", device, port, folder / "report.json"
            )
            rows.append((name, device, *map(str, found)))
            least = [goal - slack for goal, slack in zip(goals, SLACK, strict=True)]
            if any(score < one for score, one in zip(found, least, strict=True)):
                missed.append(f"{name}, {device}: {found}, wanted {goals}: {complaints}")
    browser.close()
    table(f"Lighthouse, best of {TRIES} (goals: {GOALS})", ("page", "device", *CATEGORIES), rows)
    return missed


def best_of(url: str, device: str, port: int, report: Path) -> tuple[tuple[int, ...], str]:
    """Return the best scores of some tries, as many as it takes, and what that try found wanting."""
    best: tuple[int, ...] = ()
    complaints = ""
    for _ in range(TRIES):
        judge(url, device, port, report)
        said = json.loads(report.read_text())
        scores = tuple(round(100 * (said["categories"][name]["score"] or 0)) for name in CATEGORIES)
        if scores > best:
            best, complaints = scores, complaints_of(said)
        if all(score >= goal for score, goal in zip(best, GOALS[device], strict=True)):
            break
    return best, complaints


def judge(url: str, device: str, port: int, report: Path) -> None:
    """One run, in a tab of its own; the browser's cache is emptied before, cookies stay."""
    command = [tools.NODE, tools.npm_project("pages") / PACKAGE, url, "--quiet", f"--port={port}"]
    command += [f"--only-categories={','.join(CATEGORIES)}"]
    command += ["--output=json", f"--output-path={report}"]
    command += ["--preset=desktop"] if device == "desktop" else []
    subprocess.run(command, check=True, timeout=300)


def complaints_of(said: dict[str, Any]) -> str:
    """Name what got less than nine tenths, with its figure."""
    bad = [
        one
        for one in said["audits"].values()
        if (one.get("score") or 1) < 0.9 or one.get("score") == 0
    ]
    return "; ".join(f"{one['id']} {one.get('displayValue', '')}".strip() for one in bad)


if __name__ == "__main__":
    main()
