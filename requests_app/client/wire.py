"""The calls as they go over the network, for plain functions and for coroutines."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from weakref import WeakKeyDictionary

import httpx

from . import calls
from .calls import Call, Place
from .errors import FalClientHTTPError, ensure_ok
from .sse import Decoder, Event
from .uploads import Steps
from .waits import Deadline


class SyncWire:
    """Calls to one Faldeck, repeated while that may help."""

    def __init__(self, url: str | None, token: str | None, timeout_s: float) -> None:
        self._given = (url, token)
        self._timeout_s = timeout_s
        self._opened: tuple[Place, httpx.Client] | None = None
        self._lock = threading.Lock()

    def place(self) -> Place:
        """Return where Faldeck is. Raises MissingCredentialsError."""
        return Place.find(*self._given)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened[1].close()

    def _open(self) -> tuple[Place, httpx.Client]:
        with self._lock:
            if self._opened is None:
                place = Place.find(*self._given)
                self._opened = place, httpx.Client(limits=calls.UNLIMITED)
            return self._opened

    def send(
        self, call: Call, until: Deadline | None = None, *, is_patient: bool = True
    ) -> httpx.Response:
        """Make the call, again while that may help; `is_patient`: also when it is one too many."""
        until = until or Deadline(None)
        place, client = self._open()
        for attempt in range(1, calls.MAX_ATTEMPTS + 1):
            response = None
            try:
                response = client.request(
                    call.method,
                    call.url(place),
                    params=call.params or None,  # an empty one would take the address's own away
                    headers=call.headers_for(place),
                    content=call.body,
                    timeout=until.at_most(self._timeout_s + call.extra_s),
                )
                ensure_ok(response)
            except (httpx.TransportError, FalClientHTTPError) as error:
                if not calls.may_pass(error, attempt, is_patient=is_patient):
                    raise calls.named(error, call.url(place)) from error
            else:
                return response
            time.sleep(until.at_most(calls.delay_s(attempt, response)))
        raise AssertionError("the last attempt raises")

    def perform(self, steps: Steps) -> str:
        """Make the calls of an upload, one after the other."""
        try:
            call = next(steps)
            while True:
                call = steps.send(self.send(call))
        except StopIteration as end:
            return str(end.value)
        finally:
            steps.close()

    def follow(
        self, request_id: str, until: Deadline, *, is_patient: bool = True
    ) -> Iterator[Event]:
        """Yield the events of a request to its end, over as many connections as that takes."""
        place, client = self._open()
        last, attempt = "", 0
        while True:
            attempt += 1
            response = None
            call = calls.follow(request_id, last)
            try:
                timeout = until.at_most(calls.SILENCE_S)
                url = call.url(place)
                with client.stream(
                    "GET", url, headers=call.headers_for(place), timeout=timeout
                ) as response:
                    if not response.is_success:
                        response.read()
                        ensure_ok(response)
                    decoder = Decoder()
                    for chunk in response.iter_bytes():
                        for event in decoder.feed(chunk):
                            last, attempt = event.id, 0
                            yield event
                            if event.name == "end":
                                return
                        until.check()
            except (httpx.TransportError, FalClientHTTPError) as error:
                if not calls.may_pass(error, attempt, is_patient=is_patient):
                    raise calls.named(error, call.url(place)) from error
            time.sleep(until.at_most(calls.delay_s(max(attempt, 1), response)))


class AsyncWire:
    """Calls to one Faldeck, repeated while that may help."""

    def __init__(
        self,
        url: str | None,
        token: str | None,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._given = (url, token)
        self._transport = transport
        self._timeout_s = timeout_s
        # Connections belong to the event loop that opened them.
        self._opened: WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[Place, httpx.AsyncClient]
        ] = WeakKeyDictionary()

    def place(self) -> Place:
        """Return where Faldeck is. Raises MissingCredentialsError."""
        return Place.find(*self._given)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened:
            await opened[1].aclose()

    def _open(self) -> tuple[Place, httpx.AsyncClient]:
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            place = Place.find(*self._given)
            client = httpx.AsyncClient(limits=calls.UNLIMITED, transport=self._transport)
            self._opened[loop] = place, client
        return self._opened[loop]

    async def send(
        self, call: Call, until: Deadline | None = None, *, is_patient: bool = True
    ) -> httpx.Response:
        """Make the call, again while that may help; `is_patient`: also when it is one too many."""
        until = until or Deadline(None)
        place, client = self._open()
        for attempt in range(1, calls.MAX_ATTEMPTS + 1):
            response = None
            try:
                response = await client.request(
                    call.method,
                    call.url(place),
                    params=call.params or None,  # an empty one would take the address's own away
                    headers=call.headers_for(place),
                    content=call.body,
                    timeout=until.at_most(self._timeout_s + call.extra_s),
                )
                ensure_ok(response)
            except (httpx.TransportError, FalClientHTTPError) as error:
                if not calls.may_pass(error, attempt, is_patient=is_patient):
                    raise calls.named(error, call.url(place)) from error
            else:
                return response
            await asyncio.sleep(until.at_most(calls.delay_s(attempt, response)))
        raise AssertionError("the last attempt raises")

    async def perform(self, steps: Steps) -> str:
        """Make the calls of an upload, one after the other."""
        try:
            call = next(steps)
            while True:
                call = steps.send(await self.send(call))
        except StopIteration as end:
            return str(end.value)
        finally:
            steps.close()

    async def follow(
        self, request_id: str, until: Deadline, *, is_patient: bool = True
    ) -> AsyncGenerator[Event]:
        """Yield the events of a request to its end, over as many connections as that takes."""
        place, client = self._open()
        last, attempt = "", 0
        while True:
            attempt += 1
            response = None
            call = calls.follow(request_id, last)
            try:
                timeout = until.at_most(calls.SILENCE_S)
                url = call.url(place)
                async with client.stream(
                    "GET", url, headers=call.headers_for(place), timeout=timeout
                ) as response:
                    if not response.is_success:
                        await response.aread()
                        ensure_ok(response)
                    decoder = Decoder()
                    async for chunk in response.aiter_bytes():
                        for event in decoder.feed(chunk):
                            last, attempt = event.id, 0
                            yield event
                            if event.name == "end":
                                return
                        until.check()
            except (httpx.TransportError, FalClientHTTPError) as error:
                if not calls.may_pass(error, attempt, is_patient=is_patient):
                    raise calls.named(error, call.url(place)) from error
            await asyncio.sleep(until.at_most(calls.delay_s(max(attempt, 1), response)))
