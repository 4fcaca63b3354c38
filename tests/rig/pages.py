"""Who has the list open in a browser: notes when it learns of which version of which row.

It asks as `static/js/lib/socket.js` does, at the very intervals written there: by the socket, by GET while
there is none, and now and then beside it.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.rig.history import History
from tests.rig.processes import ROOT
from tests.rig.services import PERSON

SCRIPT = (ROOT / "static/js/lib/socket.js").read_text(encoding="utf-8")
RETRY_S = 1.0  # the script's first one, with its average jitter
ASK_TIMEOUT_S = 20.0
AWAY = (httpx.HTTPError, OSError, TimeoutError, WebSocketException)


def _interval(name: str) -> float:
    """Seconds of one of the script's intervals."""
    found = re.search(rf"^const {name} = (\d+);", SCRIPT, re.MULTILINE)
    if found is None:
        raise ValueError(f"{name} is not in socket.js any more.")
    return int(found[1]) / 1000


POLL_S, HEAL_S = _interval("POLL_MS"), _interval("HEAL_MS")


def log_in(port: int, password: str) -> dict[str, str]:
    """The cookies of somebody who has logged in there."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as browser:
        browser.get("/accounts/login/").raise_for_status()
        form = {"login": PERSON, "password": password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        browser.post("/accounts/login/", data=form)
        if "faldeck" not in browser.cookies:
            raise RuntimeError("the rig's person cannot log in")
        return dict(browser.cookies)


class OpenPage(threading.Thread):
    """The list in one tab, at one web server. Begun, it is open until it is closed."""

    def __init__(self, who: str, port: int, cookies: dict[str, str], history: History) -> None:
        super().__init__(name=who)
        self._history = history
        self._port = port
        self._cookies = cookies
        self._since: int | None = None
        self._known: dict[str, int] = {}
        self._is_live = False
        self._closing = threading.Event()
        self._woken: asyncio.Event

    def run(self) -> None:
        """Until closed."""
        asyncio.run(self._open())

    def close(self) -> None:
        """Returns when it is."""
        self._closing.set()
        self.join()

    def knows(self, versions: dict[str, int]) -> bool:
        """Whether it has learnt of all these versions, or newer ones."""
        return all(self._known.get(id, -1) >= seq for id, seq in versions.items())

    async def _open(self) -> None:
        self._woken = asyncio.Event()
        self._history.add(self.name, "page", "ok", rows=[], how="opened")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._port}", cookies=self._cookies, timeout=ASK_TIMEOUT_S
        ) as browser:
            tasks = [
                asyncio.create_task(self._keep_socket()),
                asyncio.create_task(self._keep_asking(browser)),
            ]
            while not self._closing.is_set() and not any(task.done() for task in tasks):
                await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- the socket -------------------------------------------------------------------------------

    async def _keep_socket(self) -> None:
        origin = f"http://127.0.0.1:{self._port}"
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        while True:
            with suppress(*AWAY):
                async with connect(
                    f"ws://127.0.0.1:{self._port}/ws/",
                    additional_headers={"Cookie": cookie},
                    origin=origin,  # type: ignore[arg-type]
                ) as socket:
                    await self._listen(socket)
            self._turn(is_live=False)
            await asyncio.sleep(RETRY_S)

    async def _listen(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "watch", "table": True}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "hello":
                self._turn(is_live=True)
            elif message["type"] == "changed":
                self._learn(message["rows"], "socket")

    def _turn(self, *, is_live: bool) -> None:
        if self._is_live != is_live:
            self._is_live = is_live
            self._history.add(self.name, "light", "ok", live=is_live)
            self._woken.set()  # either way the page asks at once

    # --- beside it --------------------------------------------------------------------------------

    async def _keep_asking(self, browser: httpx.AsyncClient) -> None:
        while True:
            with suppress(*AWAY):
                while await self._ask(browser):
                    pass
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(HEAL_S if self._is_live else POLL_S):
                    await self._woken.wait()

    async def _ask(self, browser: httpx.AsyncClient) -> bool:
        params = {} if self._since is None else {"since": self._since}
        reply = await browser.get("/requests/changes/", params=params)
        reply.raise_for_status()
        told = reply.json()
        self._since = told["seq"]
        self._learn(told["rows"], "asked")
        return bool(told["more"])

    def _learn(self, rows: list[Any], how: str) -> None:
        news = [[id, seq] for id, seq in rows if seq > self._known.get(id, -1)]
        self._known.update(dict(news))
        if news:
            self._history.add(self.name, "page", "ok", rows=news, how=how)
