"""A TCP line that can be cut: who is connected loses the connection, who comes is refused."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

from tests.ports import free_port


class Wire:
    """Leads from a port of its own to `target` on this machine, until it is cut or closed."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._loop = asyncio.new_event_loop()
        self._server: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # one a connection
        # A daemon: a trial that raises before `close` must end the process, not leave it waiting for this.
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)

    def open(self) -> None:
        """Returns when it leads there."""
        self._thread.start()
        self.mend()

    def close(self) -> None:
        """Cut, for good."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def mend(self) -> None:
        """Returns when it leads there again."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def cut(self) -> None:
        """Returns when nobody is connected any more."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _listen(self) -> None:
        # Not asyncio's own server: closed between an accept and its first read, it leaves that one open.
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=100)
        self._server.setblocking(False)
        self._loop.add_reader(self._server, self._accept, self._server)

    def _accept(self, server: socket.socket) -> None:
        with suppress(BlockingIOError):
            client, _ = server.accept()
            task = self._loop.create_task(self._lead(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # Here, since a task that is cancelled before its first step runs none of its own code.
            task.add_done_callback(lambda _: client.close())

    async def _cut(self) -> None:
        if self._server is not None:
            self._loop.remove_reader(self._server)
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _lead(self, client: socket.socket) -> None:
        writers = []
        try:
            reader, writer = await asyncio.open_connection(sock=client)
            writers.append(writer)
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(back)
            await asyncio.gather(_flow(reader, back), _flow(there, writer))
        except OSError:
            pass  # the target refuses, or either side is gone
        finally:
            for one in writers:
                one.transport.abort()


async def _flow(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(64 * 1024):
            sink.write(piece)
            await sink.drain()
    sink.close()
