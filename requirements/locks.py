"""Keep the locks of requirements*.txt: every package, also those that packages bring, with the hashes of its files.

    python requirements/locks.py check [requirements-dev.txt …]   exits with 1 and says what a lock lacks
    python requirements/locks.py renew [--upgrade]                 writes the locks anew, with `uv`

Users edit requirements*.txt; nothing but `renew` writes the locks. `check` runs on Python alone, before anything
is installed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    "requirements.txt": "requirements/lock.txt",
    "requirements-dev.txt": "requirements/lock-dev.txt",
    "requirements-fal.txt": "requirements/lock-fal.txt",
    "requirements-contract.txt": "requirements/lock-contract.txt",
    "requirements-tools.txt": "requirements/lock-tools.txt",
    "requirements-scan.txt": "requirements/lock-scan.txt",
}
# One lock for every Python from the oldest on, and for every system.
OLDEST_PYTHON = "3.11"
HEADER = "# Written by `make lock` from {}: change that file, never this one.\n"

# name, extras, version; a marker may follow
PIN = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*==\s*([^\s;\\]+)")


class NotPinned(ValueError):
    """A line of requirements*.txt that names no exact version."""


def canonical(name: str) -> str:
    """The name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(path: Path) -> dict[tuple[str, str], set[str]]:
    """(name, version) -> extras, of a requirements file and those it includes; raises NotPinned."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text:
            continue
        if text.startswith("-r "):
            found.update(wanted(path.parent / text.removeprefix("-r ").strip()))
            continue
        pin = PIN.match(text)
        if pin is None:
            raise NotPinned(f"{path.name}: {text!r} names no exact version; write NAME==VERSION.")
        found[canonical(pin[1]), pin[3]] = extras_of(pin[2])
    return found


def extras_of(listed: str | None) -> set[str]:
    """The extras between a requirement's brackets."""
    return {canonical(extra.strip()) for extra in (listed or "").split(",") if extra.strip()}


def entries(lock: str) -> dict[tuple[str, str], str]:
    """(name, version) -> the entry's text, of a lock's text."""
    found = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        pin = PIN.match(block)
        if pin is not None:
            found[canonical(pin[1]), pin[3]] = block
    return found


def differences(source: Path, lock: Path) -> list[str]:
    """Sentences on what the requirements file says and its lock does not, and the reverse."""
    try:
        asked = wanted(source)
    except NotPinned as problem:
        return [str(problem)]
    if not lock.is_file():
        return [f"{lock.name} is missing."]
    locked = entries(lock.read_text(encoding="utf-8"))
    told = []
    for (name, version), extras in asked.items():
        block = locked.get((name, version))
        if block is None:
            told.append(f"{name}=={version} is not in {lock.name}.")
            continue
        pin = PIN.match(block)
        missing = extras - extras_of(pin[2] if pin else None)
        told += [f"{name}[{extra}] is not in {lock.name}." for extra in sorted(missing)]
    for (name, version), block in locked.items():
        if "-r requirements" in block and (name, version) not in asked:
            told.append(f"{name}=={version} of {lock.name} is no longer asked for.")
    return told


def check(sources: list[str]) -> int:
    """Tell what is older than what; 0 when every lock fits."""
    code = 0
    for source in sources:
        told = differences(ROOT / source, ROOT / LOCKS[source])
        if told:
            code = 1
            print(f"{LOCKS[source]} does not fit {source}:", *told, sep="\n  ", file=sys.stderr)
    if code:
        print("Run `make lock`, and commit what it changes.", file=sys.stderr)
    return code


def ensure_fits(source: str) -> None:
    """Raise OSError, with what to do, when a lock does not fit."""
    if check([source]):
        raise OSError(f"{LOCKS[source]} does not fit {source}")


def renew(*, upgrade: bool) -> int:
    """Write the locks; what is pinned in them already stays, unless `upgrade` or the requirements say otherwise."""
    uv = Path(sys.prefix) / "bin/uv"
    program = str(uv) if uv.is_file() else shutil.which("uv")
    if program is None:
        print("uv is missing: run `make lock`, which installs it.", file=sys.stderr)
        return 1
    for source, lock in LOCKS.items():
        command = [program, "--no-config", "pip", "compile", "--quiet", "--universal"]
        command += ["--generate-hashes", "--no-strip-extras", "--no-header", "--no-emit-index-url"]
        command += ["--no-emit-find-links", "--python-version", OLDEST_PYTHON]
        command += ["--upgrade"] if upgrade else []
        # The same versions under test as in use.
        command += (
            ["--constraints", LOCKS["requirements.txt"]] if source == "requirements-dev.txt" else []
        )
        done = subprocess.run([*command, source, "--output-file", lock], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
        written = re.sub(r"\n    #   -c .*|\n    # via -c .*", "", (ROOT / lock).read_text("utf-8"))
        (ROOT / lock).write_text(HEADER.format(source) + written, encoding="utf-8")
        print(f"{lock}: {len(entries(written))} packages")
    return 0


def entry(name: str) -> str:
    """A package's entry in the development lock, which is a requirements file too; raises KeyError."""
    locked = entries((ROOT / LOCKS["requirements-dev.txt"]).read_text(encoding="utf-8"))
    for (known, _), block in locked.items():
        if known == canonical(name):
            return block
    raise KeyError(name)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").add_argument("sources", nargs="*", default=list(LOCKS))
    commands.add_parser("renew").add_argument("--upgrade", action="store_true")
    given = parser.parse_args()
    if given.command == "renew":
        return renew(upgrade=given.upgrade)
    return check(given.sources)


if __name__ == "__main__":
    sys.exit(main())
