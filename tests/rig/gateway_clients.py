"""Programs that call fal through the gateway, as plain HTTP with a virtual key, and look back afterwards.

Each body is sent at most once: what was taken twice by fal then, the gateway has sent twice.
"""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.rig.evidence import digest_of
from tests.rig.history import History, Operation
from tests.rig.workload import Intent

PATIENCE_S = 120.0  # how long a client waits for a gateway that takes its call
RETRY_S = 0.2
TIMEOUT_S = 60.0
POLLED_EVERY_S = 0.3
POLLED_FOR_S = 5.0
FOLLOWED = 0.15  # of the submits, as fal's `subscribe` does
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)
LOOKERS = 6


class GatewayCaller:
    """Knows the gateway, and a web server to turn to while it is gone: what nginx of deploy/ does."""

    def __init__(self, who: str, ports: list[int], token: str, history: History) -> None:
        self.who, self.history = who, history
        self._chance = random.Random(who)
        self._clients = [
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}/gateway/",
                headers={"Authorization": f"Key rig:{token}"},
                timeout=TIMEOUT_S,
            )
            for port in ports
        ]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    def submit(self, intent: Intent) -> str | None:
        """Make the call of an intent; return fal's request id of a queued one that was answered."""
        service = "queue" if intent.mode == "queue" else "run"
        path = f"{service}/{intent.endpoint_id}" + ("/stream" if intent.mode == "stream" else "")
        body = json.dumps(intent.input).encode()
        what = {"intent": intent.number, "mode": intent.mode, "body": body.decode()}
        reply = self._called(intent.mode, what, "POST", path, content=body)
        if reply is None or intent.mode != "queue":
            return None
        request_id: str = reply.json()["request_id"]
        if intent.cancel_after is None and self._chance.random() < FOLLOWED:
            self._follow(intent.endpoint_id, request_id)
        return f"{_app(intent.endpoint_id)}/requests/{request_id}"

    def cancel(self, address: str) -> None:
        """Ask fal for its end."""
        what = {"id": address.rpartition("/")[2]}
        self._called("cancel", what, "PUT", f"queue/{address}/cancel")

    def look(self, endpoint_id: str, request_id: str) -> None:
        """Note its status and its result as the gateway gives them out now."""
        address = f"queue/{_app(endpoint_id)}/requests/{request_id}"
        status = self._repeated(f"{address}/status")
        result = self._repeated(address)
        told = status.json().get("status", "") if status.is_success else ""
        digest = digest_of(result.content)
        what = {"id": request_id, "status": told, "code": result.status_code, "output": digest}
        self.history.add(self.who, "look", "ok", **what)

    def _follow(self, endpoint_id: str, request_id: str) -> None:
        """Poll until it has ended, for a while; its reads may be repeated."""
        address = f"queue/{_app(endpoint_id)}/requests/{request_id}"
        end = time.monotonic() + POLLED_FOR_S
        while time.monotonic() < end:
            status = self._repeated(f"{address}/status")
            if status.is_success and status.json().get("status") == "COMPLETED":
                self._repeated(address)
                return
            time.sleep(POLLED_EVERY_S)

    def _called(
        self, f: str, what: dict[str, Any], method: str, path: str, **options: Any
    ) -> httpx.Response | None:
        """Send it once; only what certainly has not left is tried again. None when it is not known what came of it."""
        self.history.add(self.who, f, "invoke", **what)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for client in self._clients:
                try:
                    reply = client.request(method, path, **options)
                except UNSENT:
                    continue
                except httpx.HTTPError as error:
                    self.history.add(self.who, f, "info", **what, error=repr(error))
                    return None
                return self._answered(f, what, reply)
            time.sleep(RETRY_S)
        self.history.add(self.who, f, "fail", **what, error="never taken")
        return None

    def _answered(
        self, f: str, what: dict[str, Any], reply: httpx.Response
    ) -> httpx.Response | None:
        request_id = reply.headers.get("x-fal-request-id", "")
        if reply.is_success and f == "queue":
            request_id = reply.json()["request_id"]
        facts = {
            "code": reply.status_code,
            "fal_id": request_id,
            "output": digest_of(reply.content),
        }
        if reply.status_code in (502, 503):  # the gateway's own: fal may have taken it
            self.history.add(self.who, f, "info", **what, **facts, error=reply.text[:200])
            return None
        self.history.add(self.who, f, "ok", **what, **facts)
        return reply if reply.is_success else None

    def _repeated(self, path: str) -> httpx.Response:
        """A read, until it is answered."""
        end = time.monotonic() + PATIENCE_S
        while True:
            for client in self._clients:
                try:
                    reply = client.get(path)
                except httpx.HTTPError:
                    continue
                if reply.status_code not in (502, 503):
                    return reply
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(RETRY_S)


def _app(endpoint_id: str) -> str:
    """fal's addresses of a request leave the endpoint's own path out."""
    return "/".join(endpoint_id.split("/")[:2])


def look_back(new_caller: Any, submits: list[Operation], endpoints: dict[int, str]) -> None:
    """Fetch status and result of every submit that was answered, once all is over."""
    callers = [new_caller(f"look-{number}") for number in range(LOOKERS)]

    def look(caller: GatewayCaller, part: list[Operation]) -> None:
        for op in part:
            caller.look(endpoints[op.what["intent"]], op.what["fal_id"])
        caller.close()

    with ThreadPoolExecutor(LOOKERS) as pool:
        parts = [submits[number::LOOKERS] for number in range(LOOKERS)]
        for done in [pool.submit(look, *pair) for pair in zip(callers, parts, strict=True)]:
            done.result()
