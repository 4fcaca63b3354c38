"""The record of a stream or session: read, played at its own pace, or sent once more to a new session."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from .calls import AnyJSON
from .errors import FalClientError
from .realtime import unpacked
from .sync import SyncClient

SILENCE_S = 10.0  # after the last message that is sent again


def paced(frames: Iterable[AnyJSON], speed: float) -> Iterator[AnyJSON]:
    """Yield each frame as long after the first as it came then; `speed` 0: all of them at once."""
    began = time.monotonic()
    first = None
    for frame in frames:
        first = frame["offset_ms"] if first is None else first
        if speed > 0:
            due = began + (frame["offset_ms"] - first) / 1000 / speed
            time.sleep(max(0.0, due - time.monotonic()))
        yield frame


def send_again(
    client: SyncClient, request_id: str, speed: float, tell: Callable[[str, Any], None]
) -> None:
    """Open a new session as the recorded one was, and send its messages; `tell` gets each with "out" or "in".

    Raises FalClientError for what is no session.
    """
    row = client.get_handle("", request_id).details()
    if row["mode"] != "realtime":
        raise FalClientError("Only the messages of a realtime session can be sent again.")
    options = row["options"]
    with client.ws_connect(
        row["endpoint_id"], path=options["path"], max_buffering=options.get("max_buffering"),
        use_jwt=options.get("auth") != "key", headers=options.get("headers") or {},
        hint=options.get("runner_hint"),
    ) as socket:  # fmt: skip
        heard = _Heard(socket, tell)
        heard.start()
        sent = client.frames(request_id, raw=True, direction="out")
        for frame in paced(sent, speed):
            if heard.is_over:
                break
            tell("out", frame["data"])
            try:
                socket.send(_as_sent(frame))
            except ConnectionClosed:
                break
        heard.wait_for_silence()
    heard.join(SILENCE_S)


def _as_sent(frame: AnyJSON) -> str | bytes:
    raw = frame.get("raw")
    text: str = frame["data"]
    return text if raw is None else base64.b64decode(raw)


class _Heard(threading.Thread):
    """Reads what comes while the messages are sent."""

    def __init__(self, socket: ClientConnection, tell: Callable[[str, Any], None]) -> None:
        super().__init__(daemon=True)
        self._socket, self._tell = socket, tell
        self._news = threading.Event()
        self.is_over = False

    def run(self) -> None:
        try:
            for message in self._socket:
                self._tell("in", _shown(message))
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self.is_over = True
            self._news.set()

    def wait_for_silence(self) -> None:
        """Return when the session is over, or nothing came for a while."""
        while self._news.wait(SILENCE_S) and not self.is_over:
            self._news.clear()


def _shown(message: str | bytes) -> str:
    if isinstance(message, str):
        return message
    try:
        return json.dumps(unpacked(message), default=_size)
    except ValueError:
        return json.dumps(_size(message))


def _size(data: Any) -> Any:
    return {"$bytes_size": len(data)} if isinstance(data, bytes) else str(data)
