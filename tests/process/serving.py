"""A real `manage.py serve` in a process of its own, to be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import httpx

from tests.ports import free_port
from tests.process.commands import ROOT, Commands
from tests.process.prepared import Prepared

# One log-in stands for many people, for as long as the tests take.
CROWD = {
    **dict.fromkeys(
        ("PAGES_PER_MINUTE", "GATEWAY_CALLS_PER_MINUTE", "SOCKETS_PER_USER"), "100000000"
    ),
    "REAUTHENTICATE_MINUTES": "1440",
}


class Serving:
    """One installation: a folder of its own, and the process that serves it, with `words` after its command."""

    # Set for the test suite; None starts from nothing, as a user does.
    prepared: ClassVar[Prepared | None] = None

    def __init__(self, folder: Path, *words: str, root: Path = ROOT, **environment: str) -> None:
        self._words = words
        self.root = root
        self.port = free_port()
        self.url = f"{'https' if '--tls' in words else 'http'}://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {**kept, **CROWD, "DATA_DIR": str(folder / "data"), **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self._commands = Commands(self.environment)

    def manage(self, *words: str, **extra: str) -> str:
        """The output of a management command."""
        return self._commands.run(words, extra)

    def fill(self, code: str) -> Any:
        """Run Python in the installation before it is first served; returns the JSON that it prints last."""
        if not self._copied():
            self.manage("migrate")
        return json.loads(self.manage("shell", "-v", "0", "-c", code).splitlines()[-1])

    def _copied(self) -> bool:
        """Whether the prepared installation stands in the folder: for a first start that skips the migrations."""
        data = Path(self.environment["DATA_DIR"])
        if self.prepared is None or data.exists():
            return False
        self.prepared.copy_to(data)
        return True

    def start(self) -> None:
        """Returns when it answers."""
        self._copied()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), *self._words],
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        # Reading certificates costs 50 ms a client.
        with httpx.Client(trust_env=False, verify=False) as client:
            while time.monotonic() < end:
                assert self.process is not None
                if self.process.poll() is not None:
                    break
                try:
                    client.get(f"{self.url}/healthz").raise_for_status()
                except httpx.HTTPError:
                    time.sleep(0.05)
                else:
                    return
        self.kill()
        raise AssertionError(f"serve did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit code."""
        return self._end(how)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def __enter__(self) -> Serving:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._commands.close()
        if self.process is not None:
            self.kill()
