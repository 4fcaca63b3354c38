"""`python -m requests_app.sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import sys
from pathlib import Path

from .config import DEFAULT_KEY
from .server import SandboxServer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m requests_app.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="SQLite file that survives a restart")
    parser.add_argument("--public-url", help="how callers reach it, if not http://HOST:PORT")
    parser.add_argument("--key", action="append", help=f"accepted key (default {DEFAULT_KEY})")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    os.umask(0o077)  # the state holds inputs
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    server = SandboxServer(
        given.host, given.port, given.state, frozenset(given.key or [DEFAULT_KEY]),
        public_url=given.public_url,
    )  # fmt: skip
    try:
        server.serve_forever()
    except OSError as exc:
        sys.exit(f"Cannot listen on {given.host}:{given.port}: {exc.strerror}")
    except sqlite3.Error as exc:
        sys.exit(f"Cannot use the state file {given.state}: {exc}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
