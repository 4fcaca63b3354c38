"""Programs the rig owns by pid: started, killed -9 with all their children, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GONE_S = 10.0


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Returns once it is so. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


class Program:
    """One program. `user` is whom it runs as when the rig itself is root's."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        user: str | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name, self.command, self.log = name, command, log
        self.environment = dict(environment)
        self.user = user if os.getuid() == 0 else None
        self.is_ready = is_ready
        self.lock = threading.Lock()  # held by whoever kills and starts it
        self.is_paused = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def kind(self) -> str:
        """`worker` for `worker-2`."""
        return self.name.partition("-")[0]

    @property
    def is_alive(self) -> bool:
        """Whether it runs at this moment."""
        return self._process is not None and self._process.poll() is None

    @property
    def peak_mb(self) -> int:
        """The most memory it has had since it was started last; 0 while it does not run."""
        if not self.is_alive or self._process is None:
            return 0
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def start(self) -> None:
        """Returns at once; `wait_until_ready` waits."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT if self.user is None else self.log.parent,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,  # a Ctrl-C is for the rig, which ends them in order
            )

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Raises TimeoutError, with the end of its log."""
        try:
            wait_for(self.name, lambda: self.is_alive and self.is_ready(), seconds)
        except TimeoutError as error:
            said = self.log.read_text(errors="replace")[-2000:]
            raise TimeoutError(f"{error}; it said:\n{said}") from None

    def pause(self, seconds: float) -> None:
        """SIGSTOP with its children, and SIGCONT after so long unless it was killed meanwhile."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        family = [process.pid, *descendants(process.pid)]
        self.is_paused = True
        self._signal(family, signal.SIGSTOP)
        time.sleep(seconds)
        with self.lock:  # a killed one's pids may be somebody else's
            if self._process is process:
                self._signal(family, signal.SIGCONT)
            self.is_paused = False

    @staticmethod
    def _signal(family: list[int], how: signal.Signals) -> None:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)

    def kill(self) -> None:
        """kill -9, with its children; returns when all of them are gone."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return  # its pid may be somebody else's by now
        process.send_signal(signal.SIGSTOP)  # so that no child is born meanwhile
        family = descendants(process.pid)
        self._signal([process.pid, *family], signal.SIGKILL)
        process.wait(GONE_S)
        wait_for(f"The end of {self.name}", lambda: not any(map(_runs, family)), GONE_S)


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _parent(path: Path) -> int:
    fields = _fields(path)
    return int(fields[1]) if fields else 0


def _runs(pid: int) -> bool:
    fields = _fields(Path(f"/proc/{pid}"))
    return bool(fields) and fields[0] not in ("Z", "X")


def _fields(path: Path) -> list[str]:
    """State, parent and the rest; the command's name before them may hold anything."""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
