"""The client for coroutines: the same as `sync`, awaited."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

from websockets.asyncio.client import ClientConnection

from . import calls
from .calls import AnyJSON, Asked, Priority
from .errors import FalClientTimeoutError, failure_of, row_of
from .handles import AsyncRequestHandle, finished
from .realtime import (
    AskedSession,
    AsyncRealtimeConnection,
    Decode,
    Encode,
    opened_async,
)
from .statuses import Status
from .uploads import Upload, ensure_plain
from .waits import Deadline
from .wire import AsyncWire


class AsyncClient:
    """Calls to one Faldeck: `key` is an API token, else FALDECK_TOKEN; `url` else FALDECK_URL.

    As with fal's client the same input may be submitted again. With `allow_duplicate=False` the
    team's check for that applies and raises DuplicateRequestError.
    """

    def __init__(
        self,
        key: str | None = None,
        default_timeout: float = 120.0,
        *,
        url: str | None = None,
        allow_duplicate: bool = True,
    ) -> None:
        self._wire = AsyncWire(url, key, default_timeout)
        self.allow_duplicate = allow_duplicate

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._wire.close()

    async def submit(
        self,
        application: str,
        arguments: AnyJSON,
        *,
        path: str = "",
        hint: str | None = None,
        webhook_url: str | None = None,
        priority: Priority | None = None,
        headers: dict[str, str] = {},  # noqa: B006
        start_timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncRequestHandle:
        """Submit a request and return at once.

        The call carries an Idempotency-Key, so that its repetition after a broken connection submits
        nothing twice. A key of your own makes that hold over restarts of your program too.
        """
        calls.ensure_no_webhook(webhook_url)
        return await self._submit(
            Asked(
                application,
                arguments,
                path=path,
                hint=hint,
                priority=priority,
                start_timeout=start_timeout,
                headers=headers,
                idempotency_key=idempotency_key,
            ),
            Deadline(None),
        )

    async def _submit(self, asked: Asked, until: Deadline) -> AsyncRequestHandle:
        call = asked.call(allow_duplicate=self.allow_duplicate)
        return AsyncRequestHandle(self._wire, row_of(await self._wire.send(call, until))["id"])

    async def subscribe(
        self,
        application: str,
        arguments: AnyJSON,
        *,
        path: str = "",
        hint: str | None = None,
        with_logs: bool = False,
        interval: float = calls.POLL_S,
        on_enqueue: Callable[[str], Awaitable[None] | None] | None = None,
        on_queue_update: Callable[[Status], Awaitable[None] | None] | None = None,
        priority: Priority | None = None,
        headers: dict[str, str] = {},  # noqa: B006
        start_timeout: float | None = None,
        client_timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Submit a request, tell each state to `on_queue_update`, and return the output.

        After `client_timeout` seconds in all a cancel is asked for, and FalClientTimeoutError raised.
        """
        asked = Asked(
            application,
            arguments,
            path=path,
            hint=hint,
            priority=priority,
            start_timeout=calls.start_limit(start_timeout, client_timeout),
            headers=headers,
            idempotency_key=idempotency_key,
        )
        until = Deadline(client_timeout)
        handle = await self._submit(asked, until)
        if on_enqueue is not None:
            await finished(on_enqueue(handle.request_id))
        told = handle.states(until, with_logs=with_logs, interval=interval)
        return await handle.followed_output(until, told, on_queue_update)

    async def run(
        self,
        application: str,
        arguments: AnyJSON,
        *,
        method: str = "POST",
        path: str = "",
        timeout: float | None = None,  # noqa: ASYNC109
        start_timeout: float | None = None,
        hint: str | None = None,
        headers: dict[str, str] = {},  # noqa: B006
        idempotency_key: str | None = None,
    ) -> Any:
        """Make a direct call, past fal's queue, and return the output.

        After `timeout` seconds FalClientTimeoutError is raised; the call itself goes on, and Faldeck
        keeps its output.
        """
        calls.ensure_post(method)
        asked = Asked(
            application,
            arguments,
            mode="run",
            path=path,
            hint=hint,
            start_timeout=start_timeout,
            headers=headers,
            idempotency_key=idempotency_key,
        )
        until = Deadline(timeout)
        handle = await self._submit(asked, until)
        try:
            return await handle.ended_output(until)
        except FalClientTimeoutError as error:
            raise FalClientTimeoutError(error.timeout, handle.request_id) from error

    async def stream(
        self,
        application: str,
        arguments: AnyJSON,
        *,
        path: str = "/stream",
        timeout: float | None = None,  # noqa: ASYNC109
        headers: dict[str, str] = {},  # noqa: B006
        idempotency_key: str | None = None,
    ) -> AsyncGenerator[AnyJSON]:
        """Yield the events of a stream. One that is left early goes on, and Faldeck keeps it.

        After `timeout` seconds in all FalClientTimeoutError is raised. A stream that fails raises
        RequestFailedError behind its events.
        """
        asked = Asked(
            application,
            arguments,
            mode="stream",
            path=path,
            headers=headers,
            idempotency_key=idempotency_key,
        )
        until = Deadline(timeout)
        handle = await self._submit(asked, until)
        async with aclosing(self._wire.follow(handle.request_id, until)) as events:
            async for event in events:
                if event.name == "frame" and (value := calls.frame_value(event.data)) is not None:
                    yield value
                elif event.name == "end" and event.data["status"] != "completed":
                    raise failure_of(event.data)

    @asynccontextmanager
    async def realtime(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "/realtime",
        max_buffering: int | None = None,
        token_expiration: int = 120,
        encode_message: Encode | None = None,
        decode_message: Decode | None = None,
        headers: dict[str, str] = {},  # noqa: B006
        hint: str | None = None,
    ) -> AsyncGenerator[AsyncRealtimeConnection]:
        """Open a realtime session, which Faldeck records. Raises RealtimeError when it is refused.

        `use_jwt`: Faldeck opens it with a short-lived token of fal's, if it has a key to make one
        (`token_expiration` is its own affair), else with the key itself.
        """
        session = AskedSession(application, path, max_buffering, use_jwt, headers, hint)
        async with opened_async(self._wire.place(), session) as (socket, request_id):
            yield AsyncRealtimeConnection(socket, request_id, encode_message, decode_message)

    @asynccontextmanager
    async def ws_connect(
        self,
        application: str,
        *,
        use_jwt: bool = True,
        path: str = "",
        max_buffering: int | None = None,
        token_expiration: int = 120,
        headers: dict[str, str] = {},  # noqa: B006
        hint: str | None = None,
    ) -> AsyncGenerator[ClientConnection]:
        """Open a session and yield its socket, for messages of your own form."""
        session = AskedSession(application, path, max_buffering, use_jwt, headers, hint)
        async with opened_async(self._wire.place(), session) as (socket, _):
            yield socket

    async def get_handle(self, application: str, request_id: str) -> AsyncRequestHandle:
        """Return the handle of a request that was submitted before."""
        return AsyncRequestHandle(self._wire, request_id)

    async def status(self, application: str, request_id: str, *, with_logs: bool = False) -> Status:
        """Return the state of a request."""
        return await (await self.get_handle(application, request_id)).status(with_logs=with_logs)

    async def result(self, application: str, request_id: str) -> Any:
        """Wait for a request's end and return its output."""
        return await (await self.get_handle(application, request_id)).get()

    async def cancel(self, application: str, request_id: str) -> None:
        """Ask for a request's cancel."""
        await (await self.get_handle(application, request_id)).cancel()

    async def requests(self, query: str = "", *, limit: int = 50) -> list[AnyJSON]:
        """Return the team's newest requests, 200 at most, that a search of the list finds."""
        found: list[AnyJSON] = (await self._wire.send(calls.listing(query, limit))).json()["items"]
        return found

    async def frames(
        self, request_id: str, *, raw: bool = False, direction: str = ""
    ) -> AsyncGenerator[AnyJSON]:
        """Yield the recorded events of a stream, or messages of a session ("in" and "out"), by number.

        `raw`: with the bytes of binary messages, in base64.
        """
        after: int | None = 0
        while after is not None:
            call = calls.record(request_id, after, raw=raw, direction=direction)
            page = (await self._wire.send(call)).json()
            for frame in page["items"]:
                yield frame
            after = page["next_after"]

    async def upload(
        self,
        data: str | bytes,
        content_type: str,
        file_name: str | None = None,
        *,
        repository: str | None = None,
        fallback_repository: str | list[str] | None = None,
        lifecycle: None = None,
    ) -> str:
        """Send bytes to fal's storage and return their address, for an input. No key of fal is needed."""
        ensure_plain(lifecycle)
        return await self._wire.perform(Upload.of_data(data, content_type, file_name).steps())

    async def upload_file(
        self,
        path: os.PathLike[str],
        *,
        repository: str | None = None,
        fallback_repository: str | list[str] | None = None,
        lifecycle: None = None,
    ) -> str:
        """Send a file, a large one in parts, and return its address."""
        ensure_plain(lifecycle)
        return await self._wire.perform(Upload.of_file(path).steps())

    async def upload_image(
        self,
        image: Any,
        format: str = "jpeg",
        *,
        repository: str | None = None,
        fallback_repository: str | list[str] | None = None,
        lifecycle: None = None,
    ) -> str:
        """Send an image of Pillow's and return its address."""
        ensure_plain(lifecycle)
        return await self._wire.perform(Upload.of_image(image, format).steps())
