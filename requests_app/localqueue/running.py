"""One job at its app: one POST, its lease renewed, what the app prints noted, a cancel passed on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from yarl import URL

from dashboard.local_apps import LocalApp
from requests_app.fal.call import Call
from requests_app.fal.errors import NotSent, Unanswered
from requests_app.fal.failures import failures_named
from requests_app.fal.sessions import LazySession
from requests_app.localqueue import jobs
from requests_app.localqueue.app_log import AppLog
from requests_app.localqueue.jobs import JobEnd, failed
from requests_app.models import LocalJob

LIMIT_S = 3600.0  # of one run, as fal's default
CONNECT_S = 5.0
CANCEL_S = 10.0
NOTE_EVERY_S = 1.0
SETTLES_S = 0.05  # what was printed last is on its way to the file
_KEPT = ("content-type", "x-fal-billable-units", "x-fal-runner-hints")
_STOPPED = (
    "Faldeck was stopped while the app was at work on this request. Whether the app finished it is not known; "
    "it was not given to the app a second time."
)
_CUT = "The app broke off before it had answered: {}"
_LATE = f"The app did not answer within {LIMIT_S:.0f} seconds."
_LARGE = "The app's answer is larger than OUTPUT_LIMIT."

logger = logging.getLogger(__name__)
DatabaseCall = Callable[..., Awaitable[Any]]


class JobRun:
    """One job that this process holds. Bound to one event loop."""

    def __init__(self, job: LocalJob, app: LocalApp, database: DatabaseCall) -> None:
        self._job, self._app, self._database = job, app, database
        self._session = LazySession(reuse=False)
        self._log = AppLog(app)
        self._is_lost = False  # the lease
        self._has_told = False  # the app, of a cancel

    async def run(self) -> None:
        """Give it to the app, and store how it ended."""
        call = asyncio.create_task(self._called())
        watch = asyncio.create_task(self._watched(call))
        try:
            end = await call
            if end is None:
                await self._database(jobs.put_back, self._job, timezone.now())
            else:
                await self._finish(end)
        except asyncio.CancelledError:
            call.cancel()
            if not self._is_lost:  # this process stops
                await self._finish(failed(503, "runner_disconnected", _STOPPED))
                raise
        finally:
            watch.cancel()
            await asyncio.gather(watch, call, return_exceptions=True)
            await self._session.aclose()

    async def _finish(self, end: JobEnd) -> None:
        if self._app.log:
            await asyncio.sleep(SETTLES_S)
        lines = await asyncio.to_thread(self._log.lines, is_last=True)
        if not await self._database(jobs.finish, self._job, end, lines, timezone.now()):
            logger.warning(
                "Local request %s had ended before its app answered.", self._job.request_id
            )

    async def _called(self) -> JobEnd | None:
        """Return the app's answer, or why there is none; None when the call did not reach the app."""
        try:
            with failures_named(Call("POST", self._app.url, {})):
                return await self._posted()
        except NotSent:
            return None
        except Unanswered as error:
            return failed(503, "runner_disconnected", _CUT.format(error))

    async def _posted(self) -> JobEnd:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        try:
            async with (
                asyncio.timeout(LIMIT_S),
                self._session().post(
                    self._url(), data=bytes(self._job.body), headers=self._headers(),
                    allow_redirects=False, timeout=timeout,
                ) as response,
            ):  # fmt: skip
                return await _end_of(response)
        except TimeoutError as error:
            if isinstance(error, aiohttp.ClientError):
                raise  # it did not connect
            return failed(504, "request_timeout", _LATE)

    def _url(self, below: str = "") -> URL:
        path = "/".join(filter(None, (self._job.path, below)))
        return URL(f"{self._app.url}/{path}", encoded=True)

    def _headers(self) -> dict[str, str]:
        return {
            "content-type": "application/json", "accept-encoding": "identity",
            "x-fal-request-id": str(self._job.request_id), "x-fal-endpoint": self._job.endpoint_id,
        }  # fmt: skip

    async def _watched(self, call: asyncio.Task[JobEnd | None]) -> None:
        """Renew the lease while the call lasts; give the call up when another one has ended the job."""
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            lines = await asyncio.to_thread(self._log.lines)
            try:
                is_cancelled = await self._database(jobs.renew, self._job, lines, timezone.now())
            except DatabaseError:
                continue  # no reason to break off the app's work
            if is_cancelled is None:
                self._is_lost = True
                call.cancel()
                return
            if is_cancelled and not self._has_told:
                self._has_told = True
                await self._cancel()

    async def _cancel(self) -> None:
        """Tell the app as fal does; one without such a path goes on to its end."""
        timeout = aiohttp.ClientTimeout(total=CANCEL_S)
        with suppress(aiohttp.ClientError, OSError):
            async with self._session().post(
                self._url("cancel"), headers=self._headers(), allow_redirects=False, timeout=timeout
            ):
                pass


async def _end_of(response: aiohttp.ClientResponse) -> JobEnd:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > settings.OUTPUT_LIMIT_BYTES:
            return failed(502, "runner_incomplete_response", _LARGE)
    if 300 <= response.status < 400:
        where = f"The app answered with a redirect ({response.status}), which is not followed."
        return failed(500, "runner_server_error", where)
    headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
    return JobEnd(response.status, bytes(body), headers)
