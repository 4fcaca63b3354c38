"""A program of its own: sends one message by apprise.

It reads `{"address", "title", "text"}` from its standard input and writes `{"is_sent", "words"}`. Apprise
and what it imports take 40 MB, so the worker's process imports none of it.
"""

from __future__ import annotations

import json
import logging
import sys

from apprise import Apprise, AppriseAsset, NotifyFormat

SCHEMES = ("slack://", "discord://", "tgram://")


class SaidByApprise(logging.Handler):
    """Keeps what apprise says of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.words.append(record.getMessage())


def send(address: str, title: str, text: str) -> dict[str, object]:
    """Send it; addresses of other kinds, and with parameters, are refused."""
    if not address.startswith(SCHEMES) or "?" in address:
        return {"is_sent": False, "words": "Such an address is not allowed."}
    said = SaidByApprise()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    logger.propagate = False
    channel = Apprise(
        asset=AppriseAsset(app_id="Faldeck", app_desc="", app_url="", image_url_mask="")
    )
    is_sent = channel.add(address) and channel.notify(
        body=text, title=title, body_format=NotifyFormat.TEXT, interpret_escapes=False
    )
    words = said.words[-1] if said.words else ""
    return {"is_sent": bool(is_sent), "words": words}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(send(asked["address"], asked["title"], asked["text"]), sys.stdout)
