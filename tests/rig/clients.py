"""Who uses the installation: clients that submit, repeat and cancel, and a reader who keeps looking."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.rig.history import History
from tests.rig.workload import Intent

CLIENTS = 24
PATIENCE_S = 120.0  # how long a client repeats a call that was not answered
RETRY_S = 0.3
READ_EVERY_S = 0.4
READ_AT_ONCE = 100


class Caller:
    """A program with a token that knows both web servers."""

    def __init__(self, who: str, ports: list[int], token: str, history: History) -> None:
        self.who, self.history = who, history
        self._chance = random.Random(who)
        self._clients = [
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}/api/v1/",
                headers={"Authorization": f"Bearer {token}"},
                timeout=20,
                limits=httpx.Limits(max_keepalive_connections=2),
            )
            for port in ports
        ]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    def once(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """One try at either server; None when it did not answer well (it may have acted)."""
        try:
            reply = self._chance.choice(self._clients).request(method, path, **options)
        except httpx.HTTPError:
            return None
        return None if reply.status_code >= 500 else reply

    def insisted(self, f: str, what: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Repeat the call until it is answered; both are noted, whatever comes of it."""
        self.history.add(self.who, f, "invoke", **what)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            reply = call()
            if reply is not None:
                return reply
            time.sleep(RETRY_S)
        self.history.add(self.who, f, "info", **what, error="never answered")
        return None

    def submit(self, intent: Intent) -> str | None:
        """The request's public id. The idempotency key makes a repeated call harmless."""
        body = {
            "endpoint_id": intent.endpoint_id, "mode": intent.mode, "input": intent.input,
            "allow_duplicate": True,
        }  # fmt: skip
        headers = {"Idempotency-Key": f"intent-{intent.number}"}
        what = {"intent": intent.number}
        reply = self.insisted(
            "submit", what, lambda: self.once("POST", "requests/", json=body, headers=headers)
        )
        if reply is None:
            return None
        if reply.status_code not in (200, 201):
            self.history.add(self.who, "submit", "fail", **what, error=reply.text[:300])
            return None
        public_id: str = reply.json()["id"]
        self.history.add(self.who, "submit", "ok", **what, id=public_id)
        return public_id

    def cancel(self, public_id: str) -> None:
        """Ask for its end; the answer is what our side promised."""
        what = {"id": public_id}
        reply = self.insisted(
            "cancel", what, lambda: self.once("POST", f"requests/{public_id}/cancel/")
        )
        if reply is not None:
            answer = reply.json().get("answer", reply.text[:100])
            self.history.add(self.who, "cancel", "ok", **what, answer=answer)

    def page(self, cursor: str | None) -> dict[str, Any] | None:
        """One page of the list."""
        params = {"limit": READ_AT_ONCE} | ({"cursor": cursor} if cursor else {})
        reply = self.once("GET", "requests/", params=params)
        return reply.json() if reply is not None and reply.status_code == 200 else None


SEEN = ("id", "status", "seq", "ended_at", "output_size", "error")


def note_read(caller: Caller, page: dict[str, Any], f: str = "read") -> None:
    """What the list showed of each row."""
    rows = [[row[name] for name in SEEN] for row in page["items"]]
    caller.history.add(caller.who, f, "ok", rows=rows)


class Reader(threading.Thread):
    """Walks over the list again and again, and notes what it sees."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(name=caller.who)
        self._caller = caller
        self._stopped = threading.Event()

    def run(self) -> None:
        """Until stopped."""
        cursor = None
        while not self._stopped.wait(READ_EVERY_S):
            page = self._caller.page(cursor)
            if page is not None:
                note_read(self._caller, page)
                cursor = page["next_cursor"]

    def stop(self) -> None:
        """Returns when it has stopped."""
        self._stopped.set()
        self.join()


def read_all(caller: Caller) -> None:
    """The whole list, once all is over."""
    cursor = None
    while True:
        page = caller.page(cursor)
        if page is None:
            raise RuntimeError("the list does not answer although nothing is spoilt any more")
        note_read(caller, page, "read_all")
        cursor = page["next_cursor"]
        if cursor is None:
            return


class Crowd:
    """The clients: each intent at its time."""

    def __init__(self, new_caller: Callable[[str], Caller]) -> None:
        self._callers = [new_caller(f"client-{number}") for number in range(CLIENTS)]
        self._idle = list(self._callers)
        self._lock = threading.Lock()

    def work_off(self, intents: list[Intent]) -> None:
        """Returns when every intent is answered or given up."""
        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            waiting = []
            for intent in intents:
                time.sleep(max(0.0, began + intent.at - time.monotonic()))
                waiting.append(pool.submit(self._one, intent))
            for future in waiting:
                future.result()
        for caller in self._callers:
            caller.close()

    def _one(self, intent: Intent) -> None:
        with self._lock:
            caller = self._idle.pop()
        try:
            public_id = caller.submit(intent)
            if intent.repeats:
                caller.submit(intent)
            if public_id and intent.cancel_after is not None:
                time.sleep(intent.cancel_after)
                caller.cancel(public_id)
        finally:
            with self._lock:
                self._idle.append(caller)
