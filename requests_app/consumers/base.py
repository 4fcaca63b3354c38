"""What every WebSocket consumer needs: a cheap dispatch, and tasks whose failure is not silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from requests_app.accounts.network import network_in
from requests_app.audit import Origin, acting

logger = logging.getLogger(__name__)

INTERNAL_ERROR = 4511  # Autobahn refuses 1011, and the socket would stay open


def _origin_of(scope: dict[str, Any]) -> Origin:
    user, headers = scope.get("user"), dict(scope.get("headers", ()))
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1") or None
    address = network_in((scope.get("client") or ("",))[0], forwarded)
    return Origin(user.get_username() if user else "", address=address)


class Consumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """A JSON consumer with background tasks that end with it.

    It has no channel in the channel layer: `team_feed` and `record.follow` listen there.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket without Channels' two tasks per message; clean up however that ends
        (disconnect, bug or cancellation).
        """
        self.scope, self.base_send = scope, send
        acting(lambda: _origin_of(scope))
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return
        finally:
            await self.leave()

    async def leave(self) -> None:
        """End what this consumer started; called once, after its last message."""
        await self.end_tasks()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler without Channels' hop to a database thread for every message.

        Handlers reach the database through `database_sync_to_async`, which cleans up after itself.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']!r}")
        await handler(message)

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a background task; if it fails the socket is closed, so that the page notices."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            logger.exception("A task of a socket failed.")
            await self.close(code=INTERNAL_ERROR)

    async def end_tasks(self) -> None:
        """Cancel all background tasks and wait until they are done."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
