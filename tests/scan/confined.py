"""Run Wapiti with no other host than this one in reach: `python confined.py WORDS-OF-WAPITI…`.

Run by the Python of Wapiti's own environment, so it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

HERE = {"127.0.0.1", "localhost"}
PLACES = {"socket.connect": 1, "socket.getaddrinfo": 0, "socket.sendto": 1}


def refuse_others(event: str, values: tuple[Any, ...]) -> None:
    """Audit hook: raise where another host is asked for."""
    if event not in PLACES:
        return
    place = values[PLACES[event]]
    host = place[0] if isinstance(place, tuple) else place
    host = host.decode() if isinstance(host, bytes) else host
    if host not in HERE:
        print(f"[!] Refused: {event} {place!r}", file=sys.stderr)
        raise ConnectionRefusedError(f"{host} is not this machine")


if __name__ == "__main__":
    sys.addaudithook(refuse_others)
    from wapitiCore.main.wapiti import wapiti_main

    asyncio.run(wapiti_main())
