"""A program is ended with its children, and nothing else ever is."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.rig.processes import Program, descendants, wait_for

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def program(tmp_path: Path, text: str) -> Program:
    return Program("one-1", [sys.executable, "-c", text], os.environ, tmp_path / "log")


def state_of(one: Program) -> str:
    """As ps tells it: T stands still."""
    assert one._process
    return Path(f"/proc/{one._process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_it_is_killed_with_its_children_and_can_be_started_again(tmp_path: Path) -> None:
    one = program(tmp_path, PARENT)
    one.start()
    wait_for("the child", lambda: one.log.read_text().endswith("\n"))
    child = int(one.log.read_text())
    assert runs(child)
    one.kill()
    assert not one.is_alive
    wait_for("the child's end", lambda: not runs(child))
    one.start()
    assert one.is_alive
    one.kill()


@pytest.mark.slow
def test_one_that_is_paused_stands_still_and_goes_on(tmp_path: Path) -> None:
    one = program(tmp_path, "import time\nwhile True: print('.', flush=True); time.sleep(0.01)")
    one.start()
    wait_for("its first word", lambda: one.log.stat().st_size > 0)
    pause = threading.Thread(target=one.pause, args=[2.0])
    pause.start()
    wait_for("its standing still", lambda: state_of(one) == "T")
    before = one.log.stat().st_size
    time.sleep(0.3)
    assert one.log.stat().st_size == before or state_of(one) != "T"  # this test itself stood still
    pause.join()
    wait_for("more words", lambda: one.log.stat().st_size > before)
    one.kill()


@pytest.mark.slow
def test_one_that_is_killed_while_it_stands_still_is_gone(tmp_path: Path) -> None:
    one = program(tmp_path, "import time; time.sleep(60)")
    one.start()
    pause = threading.Thread(target=one.pause, args=[0.5])
    pause.start()
    wait_for("its standing still", lambda: state_of(one) == "T")
    one.kill()
    assert not one.is_alive
    pause.join()


def test_a_program_that_ended_by_itself_is_not_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may belong to somebody else by then."""
    one = program(tmp_path, "")
    one.start()
    wait_for("its end", lambda: not one.is_alive)
    signalled: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, how: signalled.append(pid))
    one.kill()
    assert signalled == []


@pytest.mark.slow
def test_one_that_does_not_become_ready_says_why(tmp_path: Path) -> None:
    one = program(tmp_path, "print('the port is taken')")
    one.start()
    wait_for("its end", lambda: not one.is_alive)
    with pytest.raises(TimeoutError, match="the port is taken"):
        one.wait_until_ready(0.5)


def test_children_of_children_are_found() -> None:
    assert os.getpid() in descendants(os.getppid())
