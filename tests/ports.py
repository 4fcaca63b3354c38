"""Ports for what tests start: free, and taken by nothing else between the look and the start."""

from __future__ import annotations

import itertools
import random
import socket

# Below those that Linux gives to outgoing connections and to servers which ask for port 0, as hundreds of
# others do in the seconds that a process needs to start. Every test process begins at another place.
FIRST, LAST = 15_000, 32_000
_steps = itertools.count(random.SystemRandom().randrange(LAST - FIRST))


def free_port() -> int:
    """A port that no program listens on and that no other test will be given."""
    for step in itertools.islice(_steps, LAST - FIRST):
        port = FIRST + step % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
