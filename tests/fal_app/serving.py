"""`fal run --local` in a process of its own: no account, no key, no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

# Its 90 packages live beside ours, not among them: `make test-fal` installs them there.
COMMAND = Path(sys.prefix) / "fal" / "bin" / "fal"
APP = Path(__file__).with_name("app.py")
ENDPOINT_ID = "acme/workshop"

START_S = 60.0
STOP_S = 3.0  # it would wait without limit for streams that are still open

_LISTENING = re.compile(r"running on http://[\d.]+:(\d+)")


class FalApp:
    """The app behind the address `.url`, mounted as `ENDPOINT_ID`; `.log` is all it printed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.printed = folder / "fal.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def log(self) -> str:
        """What it has printed until now."""
        return self.printed.read_text()

    def start(self) -> None:
        """Returns when it answers. Raises AssertionError when it does not."""
        assert COMMAND.exists(), f"{COMMAND} is missing: `make test-fal` installs it."
        # HOME: no log-in of whoever runs the tests. Port 0: a free one, also for its metrics.
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self._folder), "PYTHONUNBUFFERED": "1",
            "FAL_APP_ROOT_PATH": f"/{ENDPOINT_ID}",
        }  # fmt: skip
        ports = ["--exposed-port", "0", "--exposed-metrics-port", "0"]
        with self.printed.open("wb") as log:
            self._process = subprocess.Popen(
                [str(COMMAND), "run", "--local", *ports, f"{APP}::Workshop"],
                cwd=self._folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._process and self._process.poll() is None:
            # Two servers say that they run; only the app's answers for its health.
            for port in _LISTENING.findall(self.log):
                url = f"http://127.0.0.1:{port}"
                if _is_the_app(url):
                    self.url = url
                    return
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"fal run did not start:\n{self.log}")

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def witnessed(self, name: str, seconds: float = 5) -> str:
        """What the app said of that name; of a stream "finished", "failed" or "hung up"."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(rf"^witness: {re.escape(name)} (.+)$", self.log, re.MULTILINE):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"nothing was said of {name!r}:\n{self.log}")


def _is_the_app(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
