"""Our own server's side of a session's socket, by script, and the page at the other end of it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

RECORD = "/requests/00000000-0000-4000-8000-000000000000/"


class Peer:
    """It says what a real server rarely says, and keeps what the page sent."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []

    def play(self, page: Page) -> None:
        page.route_web_socket("**/ws/realtime/", self._meet)
        frames = {"frames": [], "last": 0, "ended": False}
        page.route(f"**{RECORD}frames/?after=*", lambda route: route.fulfill(json=frames))

    def _meet(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._answer(socket, json.loads(text)))

    def _answer(self, socket: WebSocketRoute, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if message["type"] == "connect":
            self.say({"type": "session", "id": RECORD.split("/")[2], "url": RECORD})
            self.say({"type": "open"})

    def say(self, message: dict[str, Any]) -> None:
        self.sockets[-1].send(json.dumps(message))

    def frames(self, *texts: str, first: int = 1, **values: Any) -> None:
        usual = {"direction": "in", "kind": "json", "event": "", "event_id": "", "offset_ms": 1.0}
        frames = [
            {**usual, "number": number, "data": text, "size": len(text), **values}
            for number, text in enumerate(texts, start=first)
        ]
        self.say({"type": "frames", "frames": frames, "last": frames[-1]["number"]})

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]


def panel(page: Page) -> Locator:
    return page.locator(".session:not([hidden])")


def state(page: Page) -> Locator:
    return panel(page).locator(".session-state")


def connect(page: Page, endpoint: str = "sandbox/echo") -> None:
    panel(page).get_by_label("Endpoint").fill(endpoint)
    panel(page).get_by_role("button", name="Connect", exact=True).click()
    expect(state(page)).to_have_text("open")


def lines(page: Page) -> Locator:
    return panel(page).locator(".frame")
