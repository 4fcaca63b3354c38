"""What the server asks of the system before it starts; the rest is judged over real connections."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.source import ROOT

PROGRAM = """
import resource, sys
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
from dashboard.server import allow_open_files
allow_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""

WAITING = """
import sys
from dashboard import server
server.GracefulServer.run = lambda self: print(sys.getswitchinterval())
server._end_of_loop = lambda: None
server.serve(None, "127.0.0.1", 0, on_ready=print)
"""


def test_it_may_open_as_many_files_as_its_user_may() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_the_loop_waits_little_for_a_thread_that_computes(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", WAITING]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    # Seconds. Python's own 0.005 was the tail of calls through the gateway.
    assert float(done.stdout) <= 0.001
