"""A fal that finishes at once and delivers at the worst moment: before, beside, after or instead of
its reply to the submit."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import connection
from django.test import Client

from tests.jsonserver import JsonHandler, JsonServer
from tests.signing import Signer, body_of

ORDERS = ("before", "beside", "after", "instead", "after a lost reply")
DELIVERED_AT_ONCE = 8


class RacingFal(JsonServer):
    """Remembers what it gave to whom; every delivery goes through the whole of our web server."""

    def __init__(self, signer: Signer, seed: int) -> None:
        self.signer, self.chance = signer, random.Random(seed)
        self.given: dict[str, str] = {}  # public id -> fal's request id
        self.submits: Counter[str] = Counter()  # by public id
        self.orders: Counter[str] = Counter()
        self.answers: list[Future[int]] = []
        self._client = Client()
        self._pool = ThreadPoolExecutor(DELIVERED_AT_ONCE)
        super().__init__(self._handler())

    def close(self) -> None:
        super().close()
        self._pool.shutdown()

    def deliver(self, hook: str, request_id: str) -> Future[int]:
        """Sends the webhook from a thread of its own; the status code of our answer."""
        body = body_of(request_id, payload={"of": request_id})
        headers = self.signer.headers(request_id, body)
        answer = self._pool.submit(_post, self._client, hook, body, headers)
        self.answers.append(answer)
        return answer

    def take(self, hook: str) -> tuple[str, str]:
        """A new request: its id, and in which order reply and webhook shall come."""
        public_id = hook.split("/")[-2]
        self.submits[public_id] += 1
        request_id = self.given.setdefault(public_id, f"fal-{len(self.given)}-{public_id}")
        order = self.chance.choice(ORDERS)
        self.orders[order] += 1
        return request_id, order

    def _handler(fal) -> type[JsonHandler]:
        class Handler(JsonHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                hook = parse_qs(urlsplit(self.path).query)["fal_webhook"][0]
                request_id, order = fal.take(hook)
                if order in ("before", "instead"):
                    fal.deliver(hook, request_id).result()
                elif order == "beside":
                    fal.deliver(hook, request_id)
                    time.sleep(random.uniform(0, 0.02))
                if order not in ("instead", "after a lost reply"):
                    self.say(receipt(fal.url, request_id))
                if order in ("after", "after a lost reply"):
                    fal.deliver(hook, request_id)

            def do_GET(self) -> None:
                request_id = urlsplit(self.path).path.split("/requests/")[1].partition("/")[0]
                status = urlsplit(self.path).path.endswith("/status")
                self.say({"status": "COMPLETED", "logs": []} if status else {"of": request_id})

        return Handler


def receipt(url: str, request_id: str) -> dict[str, Any]:
    """fal's answer to a submit."""
    base = f"{url}/acme/img/requests/{request_id}"
    return {
        "request_id": request_id, "status": "IN_QUEUE", "queue_position": 0,
        "status_url": f"{base}/status", "response_url": base, "cancel_url": f"{base}/cancel",
    }  # fmt: skip


def _post(client: Client, hook: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        path = urlsplit(hook).path
        return client.post(path, body, "application/json", headers=headers).status_code
    finally:
        connection.close()
