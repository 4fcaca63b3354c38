"""A real Redis in a process of its own, which can be stopped and started again on its port."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest

from tests.ports import free_port


class RedisServer:
    """Runs while the block lasts; it keeps nothing on disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it takes connections."""
        arguments = ["redis-server", "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        try:
            self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        except FileNotFoundError:
            pytest.skip("redis-server is not installed")
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(self.url)

    def stop(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()
