"""A fal that tells prices, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from tests.jsonserver import JsonHandler


class PriceServer:
    """Answers the price with `price`, the estimate with `estimate`: (status, body)."""

    def __init__(self) -> None:
        self.price: tuple[int, Any] = (200, listed("acme/img", 0.025))
        self.estimate: tuple[int, Any] = (200, {"total_cost": 0.04, "currency": "USD"})
        self.asked: list[tuple[str, str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(JsonHandler):
            def do_GET(self) -> None:
                outer.asked.append(("GET", self.path, None))
                outer.keys.append(self.headers["Authorization"])
                self.say(outer.price[1], outer.price[0])

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(("POST", self.path, body))
                outer.keys.append(self.headers["Authorization"])
                self.say(outer.estimate[1], outer.estimate[0])

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def listed(endpoint_id: str, amount: Any, unit: Any = "megapixels", currency: str = "USD") -> Any:
    one = {"endpoint_id": endpoint_id, "unit_price": amount, "unit": unit, "currency": currency}
    return {"prices": [one], "next_cursor": None, "has_more": False}
