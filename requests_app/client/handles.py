"""A request that was submitted, for plain functions and for coroutines."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any

from . import calls
from .calls import AnyJSON
from .errors import (
    FalClientError,
    FalClientHTTPError,
    FalClientTimeoutError,
    failure_of,
    row_of,
)
from .statuses import ENDED, Completed, Progress, Status, status_of
from .waits import Deadline
from .wire import AsyncWire, SyncWire


class SyncRequestHandle:
    """A request that was submitted. `request_id` is Faldeck's id of it."""

    def __init__(self, wire: SyncWire, request_id: str) -> None:
        self._wire = wire
        self.request_id = request_id

    def __repr__(self) -> str:
        return f"SyncRequestHandle(request_id={self.request_id!r})"

    def status(self, *, with_logs: bool = False) -> Status:
        """Return the state now: Queued, InProgress or Completed."""
        return status_of(self.details(), with_logs=with_logs)

    def details(self) -> AnyJSON:
        """Return all that Faldeck's API shows of the request."""
        return row_of(self._wire.send(calls.read(self.request_id)))

    def logs(self) -> list[AnyJSON]:
        """Return the log lines, the newest 1000 at most."""
        lines: list[AnyJSON] = self.details()["logs"]
        return lines

    def iter_events(
        self, *, with_logs: bool = False, interval: float = calls.POLL_S
    ) -> Iterator[Status]:
        """Yield each state, from the beginning, until the request has ended.

        They come when they change, not every `interval` seconds; the interval counts only while more
        requests are followed than the API allows at once.
        """
        return self.states(Deadline(None), with_logs=with_logs, interval=interval)

    def states(self, until: Deadline, *, with_logs: bool, interval: float) -> Iterator[Status]:
        progress = Progress(with_logs=with_logs)
        try:
            for event in self._wire.follow(self.request_id, until, is_patient=False):
                if status := progress.after(event.name, event.data):
                    yield status
        except FalClientHTTPError as error:
            if error.status_code != calls.TOO_MANY:
                raise
            yield from self._polled(until, with_logs=with_logs, interval=interval)

    def _polled(self, until: Deadline, *, with_logs: bool, interval: float) -> Iterator[Status]:
        while True:
            row = row_of(self._wire.send(calls.read(self.request_id), until))
            yield (status := status_of(row, with_logs=with_logs))
            if isinstance(status, Completed):
                return
            time.sleep(until.at_most(max(interval, calls.POLL_S)))

    def get(self, *, interval: float = calls.POLL_S) -> Any:
        """Wait for the end and return the output.

        Raises RequestFailedError, and RequestCancelledError, which are FalClientHTTPErrors.
        """
        return self.ended_output(Deadline(None))

    def ended_output(self, until: Deadline) -> Any:
        row = self._ended(until)
        if row["status"] != "completed":
            raise failure_of(row)
        if row["output"] is not None:
            return row["output"]
        return calls.decoded(self._wire.send(calls.output(self.request_id), until))

    def followed_output(
        self, until: Deadline, states: Iterator[Status], tell: Callable[[Status], None] | None
    ) -> Any:
        """Tell each state, and return the output. A request that takes too long is cancelled."""
        try:
            if tell is not None:
                for status in states:
                    tell(status)
            return self.ended_output(until)
        except FalClientTimeoutError as error:
            if error.request_id is not None:
                raise  # of a call that the callback made
            with suppress(FalClientError):
                self._wire.send(calls.cancel(self.request_id), Deadline(calls.CANCEL_S))
            raise FalClientTimeoutError(error.timeout, self.request_id) from error

    def _ended(self, until: Deadline) -> AnyJSON:
        while True:
            wait_s = until.at_most(calls.LONGEST_WAIT_S)
            try:
                row = row_of(
                    self._wire.send(calls.read(self.request_id, wait_s), until, is_patient=False)
                )
            except FalClientHTTPError as error:
                if error.status_code != calls.TOO_MANY:
                    raise
                time.sleep(until.at_most(calls.POLL_S))  # too many wait: ask instead
                row = row_of(self._wire.send(calls.read(self.request_id), until))
            if row["status"] in ENDED:
                return row

    def output(self) -> bytes:
        """Return the output's bytes as fal sent them; FalClientHTTPError (404) while there are none."""
        return self._wire.send(calls.output(self.request_id)).content

    def cancel(self) -> None:
        """Ask for a cancel; `status` says when it is done. FalClientHTTPError (400): it has ended."""
        calls.ensure_cancelled(self._wire.send(calls.cancel(self.request_id)))


class AsyncRequestHandle:
    """A request that was submitted. `request_id` is Faldeck's id of it."""

    def __init__(self, wire: AsyncWire, request_id: str) -> None:
        self._wire = wire
        self.request_id = request_id

    def __repr__(self) -> str:
        return f"AsyncRequestHandle(request_id={self.request_id!r})"

    async def status(self, *, with_logs: bool = False) -> Status:
        """Return the state now: Queued, InProgress or Completed."""
        return status_of(await self.details(), with_logs=with_logs)

    async def details(self) -> AnyJSON:
        """Return all that Faldeck's API shows of the request."""
        return row_of(await self._wire.send(calls.read(self.request_id)))

    async def logs(self) -> list[AnyJSON]:
        """Return the log lines, the newest 1000 at most."""
        lines: list[AnyJSON] = (await self.details())["logs"]
        return lines

    def iter_events(
        self, *, with_logs: bool = False, interval: float = calls.POLL_S
    ) -> AsyncGenerator[Status]:
        """Yield each state, from the beginning, until the request has ended.

        They come when they change, not every `interval` seconds; the interval counts only while more
        requests are followed than the API allows at once.
        """
        return self.states(Deadline(None), with_logs=with_logs, interval=interval)

    async def states(
        self, until: Deadline, *, with_logs: bool, interval: float
    ) -> AsyncGenerator[Status]:
        progress = Progress(with_logs=with_logs)
        try:
            events = self._wire.follow(self.request_id, until, is_patient=False)
            async with aclosing(events):
                async for event in events:
                    if status := progress.after(event.name, event.data):
                        yield status
        except FalClientHTTPError as error:
            if error.status_code != calls.TOO_MANY:
                raise
            async with aclosing(
                self._polled(until, with_logs=with_logs, interval=interval)
            ) as polled:
                async for status in polled:
                    yield status

    async def _polled(
        self, until: Deadline, *, with_logs: bool, interval: float
    ) -> AsyncGenerator[Status]:
        while True:
            row = row_of(await self._wire.send(calls.read(self.request_id), until))
            yield (status := status_of(row, with_logs=with_logs))
            if isinstance(status, Completed):
                return
            await asyncio.sleep(until.at_most(max(interval, calls.POLL_S)))

    async def get(self, *, interval: float = calls.POLL_S) -> Any:
        """Wait for the end and return the output.

        Raises RequestFailedError, and RequestCancelledError, which are FalClientHTTPErrors.
        """
        return await self.ended_output(Deadline(None))

    async def ended_output(self, until: Deadline) -> Any:
        row = await self._ended(until)
        if row["status"] != "completed":
            raise failure_of(row)
        if row["output"] is not None:
            return row["output"]
        return calls.decoded(await self._wire.send(calls.output(self.request_id), until))

    async def followed_output(
        self,
        until: Deadline,
        states: AsyncGenerator[Status],
        tell: Callable[[Status], Awaitable[None] | None] | None,
    ) -> Any:
        """Tell each state, and return the output. A request that takes too long is cancelled."""
        try:
            if tell is not None:
                async with aclosing(states):
                    async for status in states:
                        await finished(tell(status))
            return await self.ended_output(until)
        except FalClientTimeoutError as error:
            if error.request_id is not None:
                raise  # of a call that the callback made
            with suppress(FalClientError):
                await self._wire.send(calls.cancel(self.request_id), Deadline(calls.CANCEL_S))
            raise FalClientTimeoutError(error.timeout, self.request_id) from error

    async def _ended(self, until: Deadline) -> AnyJSON:
        while True:
            wait_s = until.at_most(calls.LONGEST_WAIT_S)
            try:
                row = row_of(
                    await self._wire.send(
                        calls.read(self.request_id, wait_s), until, is_patient=False
                    )
                )
            except FalClientHTTPError as error:
                if error.status_code != calls.TOO_MANY:
                    raise
                await asyncio.sleep(until.at_most(calls.POLL_S))  # too many wait: ask instead
                row = row_of(await self._wire.send(calls.read(self.request_id), until))
            if row["status"] in ENDED:
                return row

    async def output(self) -> bytes:
        """Return the output's bytes as fal sent them; FalClientHTTPError (404) while there are none."""
        return (await self._wire.send(calls.output(self.request_id))).content

    async def cancel(self) -> None:
        """Ask for a cancel; `status` says when it is done. FalClientHTTPError (400): it has ended."""
        calls.ensure_cancelled(await self._wire.send(calls.cancel(self.request_id)))


async def finished(result: Awaitable[None] | None) -> None:
    """Await what a callback returned, when it is a coroutine."""
    if inspect.isawaitable(result):
        await result
