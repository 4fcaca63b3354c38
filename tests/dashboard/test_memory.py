"""What is freed goes back to the system, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.source import ROOT

# Large blocks between small ones that stay, freed by many threads: glibc alone keeps the holes.
PROGRAM = """
import re, sys, threading, time
from pathlib import Path
from dashboard import memory

def megabytes():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\\s+(\\d+)", status)[1]) / 1024

memory.TRIM_EVERY_S = 0.1
if sys.argv[1] == "returned":
    memory.return_what_is_freed()
stays = []

def work():
    blocks = []
    for _ in range(100):
        blocks.append(bytearray(100_000))
        stays.append(bytearray(2_000))
    all_here.wait()

before, all_here = megabytes(), threading.Barrier(9)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
all_here.wait()
for thread in threads: thread.join()
end = time.monotonic() + float(sys.argv[2])
while megabytes() - before > 30 and time.monotonic() < end:
    time.sleep(0.05)
print(int(megabytes() - before))
"""


def kept(how: str, wait_s: float) -> int:
    """Megabytes that the process still has more than before."""
    command = [sys.executable, "-c", PROGRAM, how, str(wait_s)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
def test_holes_between_what_stays_are_given_back() -> None:
    assert kept("returned", 30) <= 30


@pytest.mark.slow
def test_without_it_they_would_be_kept() -> None:
    assert kept("not returned", 1) > 30
