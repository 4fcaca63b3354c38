"""Management commands of one installation in a single process, in which Django is loaded once.

    python -m tests.process.commands

reads orders as JSON lines, {"words": [name, …], "extra": {variable: value}}, and answers each with one line:
{"said": what it printed, "error": a traceback or ""}.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Commands:
    """The process, started with the first command."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: Sequence[str], extra: Mapping[str, str]) -> str:
        """What the command prints. Raises AssertionError with its traceback."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.process.commands"],
                cwd=ROOT, env=dict(self._environment), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"words": words, "extra": extra}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the process of the commands ended with {self._process.wait()}"
        answer = json.loads(line)
        assert not answer["error"], answer["error"]
        said: str = answer["said"]
        return said.strip()

    def close(self) -> None:
        """End the process; the next command starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main() -> None:
    """Answer orders until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what does not go through `redirect_stdout` must not stand between answers
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


def answer(order: dict[str, object]) -> dict[str, str]:
    """Run one command; its connections are closed, as at the end of a process."""
    from django.core.management import call_command
    from django.db import connections

    os.environ.update(order["extra"])  # type: ignore[call-overload]
    error = ""
    with redirect_stdout(StringIO()) as said:
        try:
            call_command(*order["words"], stdout=said)  # type: ignore[misc]
        except BaseException:  # a wrong argument ends a command by SystemExit
            error = traceback.format_exc()
    connections.close_all()
    return {"said": said.getvalue(), "error": error}


if __name__ == "__main__":
    main()
