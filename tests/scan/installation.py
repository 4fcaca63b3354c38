"""What is scanned: a running Faldeck with its sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ports import free_port
from tests.process.serving import Serving
from tests.scan.planted import PASSWORD

FILL = "from tests.scan import filled; print(filled.fill())"
LOGIN = "/accounts/login/"


@dataclass(frozen=True)
class Installation:
    """Its address, and what `filled` told of it."""

    url: str
    user: str
    starts: tuple[str, ...]
    excluded: tuple[str, ...]

    def cookie(self) -> str:
        """The cookies of the owner, logged in through the form."""
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=60) as http:
            page = http.get(LOGIN).raise_for_status()
            field = re.search(r'name="csrfmiddlewaretoken" value="(.+?)"', page.text)
            assert field, f"{page.url} has no form."
            form = {"login": self.user, "password": PASSWORD, "csrfmiddlewaretoken": field[1]}
            http.post(LOGIN, data=form).raise_for_status()
            return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """Serve it in the folder."""
    serving = Serving(folder, SANDBOX_PORT=str(free_port()))
    serving.manage("migrate")
    told = json.loads(serving.manage("shell", "-v", "0", "-c", FILL).splitlines()[-1])
    with serving:
        yield Installation(
            f"{serving.url}/", told["user"], tuple(told["starts"]), tuple(told["excluded"])
        )
