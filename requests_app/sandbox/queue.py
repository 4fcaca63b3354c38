"""The queue: accepts, starts, times out, cancels, retries and forgets requests.

    IN_QUEUE --start--> IN_PROGRESS --reply--> COMPLETED
       ^                     |
       +---- runner lost ----+

A cancelled or timed-out request is COMPLETED as well: fal has no other ended state.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from requests_app.faults.rules import Faults

from . import runner
from .config import Tuning
from .ids import EndpointId
from .lane import Lane
from .models import find
from .models.base import Context, Endpoint
from .record import COMPLETED, IN_PROGRESS, IN_QUEUE, QueuedRequest
from .replies import Reply, infrastructure_error, path_not_found
from .store import Store

MAX_ATTEMPTS = 10
DEFAULT_CAPACITY = 4
HELD_S = 0.01  # between two looks whether the rule that holds an end is still there


class Queue:
    """Lives on one event loop. `on_end` is called once per request when it is COMPLETED."""

    def __init__(
        self,
        store: Store,
        tuning: Tuning,
        faults: Faults,
        save_file: Callable[[str, str, bytes], str],
        on_end: Callable[[QueuedRequest], None],
    ) -> None:
        self._store, self._tuning, self._faults = store, tuning, faults
        self._save_file, self._on_end = save_file, on_end
        self._requests: dict[str, QueuedRequest] = {}
        self._lanes: dict[str, Lane] = {}
        self._backing_off: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Takes up what the store kept: open requests run (again), ended ones can be fetched."""
        for request in list(self._store.requests()):
            self._requests[request.id] = request
            if request.ended:
                self._keep_for_a_while(request)
                if not request.webhook_done:
                    self._on_end(request)
            else:
                request.status = IN_QUEUE
                self._watch_start(request)
                self._enqueue(request)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def length(self, endpoint_id: EndpointId) -> int:
        return len(self._lane(endpoint_id))

    def accept(self, request: QueuedRequest) -> None:
        """From here on the request survives a kill."""
        request.gateway_id = request.id
        self._store.save_request(request)
        self._requests[request.id] = request
        self._watch_start(request)
        self._enqueue(request)

    def get(self, request_id: str, app: str, user_id: str) -> QueuedRequest | None:
        """None for an unknown request, and just so for another user's or another app's."""
        request = self._requests.get(request_id)
        if request is None or request.user_id != user_id or request.endpoint_id.app != app:
            return None
        return request

    def by_id(self, request_id: str) -> QueuedRequest | None:
        """Of any user and app."""
        return self._requests.get(request_id)

    def of(self, user_id: str, endpoint_id: EndpointId) -> list[QueuedRequest]:
        """The user's requests to exactly this endpoint, as long as they are kept."""
        return [
            request
            for request in self._requests.values()
            if (request.user_id, request.endpoint_id) == (user_id, endpoint_id)
        ]

    def position(self, request: QueuedRequest) -> int | None:
        return self._lane(request.endpoint_id).position(request)

    def lose(self, request: QueuedRequest) -> None:
        """Forgets an accepted request altogether (a fault that tests ask for)."""
        self._leave_line(request)
        self._forget(request)

    def cancel(self, request: QueuedRequest) -> tuple[int, str]:
        """HTTP code and status word of the answer."""
        if request.ended:
            return 400, "ALREADY_COMPLETED"
        request.cancel_requested.set()
        if self._leave_line(request):
            self._finish(request, runner.cancelled())
            self._moved(request.endpoint_id)
            return 200, "OK"
        self._store.save_request(request)
        return 202, "CANCELLATION_REQUESTED"

    def _lane(self, endpoint_id: EndpointId) -> Lane:
        key = str(endpoint_id)
        if key not in self._lanes:
            endpoint = find(endpoint_id)
            own = endpoint.capacity if endpoint else DEFAULT_CAPACITY
            self._lanes[key] = Lane(self._tuning.capacity.get(key, own))
        return self._lanes[key]

    def _enqueue(self, request: QueuedRequest) -> None:
        self._backing_off.pop(request.id, None)
        self._lane(request.endpoint_id).add(request)
        self._pump(request.endpoint_id)

    def _leave_line(self, request: QueuedRequest) -> bool:
        """Whether it was still waiting, for its turn or for its next attempt."""
        timer = self._backing_off.pop(request.id, None)
        if timer is not None:
            timer.cancel()
            return True
        return self._lane(request.endpoint_id).remove(request)

    def _watch_start(self, request: QueuedRequest) -> None:
        if request.start_timeout_s is not None:
            left = request.accepted_at + request.start_timeout_s - time.time()
            asyncio.get_running_loop().call_later(max(left, 0), self._expire, request)

    def _expire(self, request: QueuedRequest) -> None:
        # The deadline holds until processing starts; a started attempt is never cut by it.
        if request.ended or not self._leave_line(request):
            return
        headers = {"X-Fal-Request-Timeout-Type": "user"}
        detail = "Request did not start processing in time"
        self._finish(request, infrastructure_error(504, "request_timeout", detail, headers))
        self._moved(request.endpoint_id)

    def _pump(self, endpoint_id: EndpointId) -> None:
        lane = self._lane(endpoint_id)
        while (request := lane.take()) is not None:
            task = asyncio.get_running_loop().create_task(self._process(request, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._moved(endpoint_id)

    def _moved(self, endpoint_id: EndpointId) -> None:
        for waiting in self._lane(endpoint_id).waiting():
            waiting.notify()

    async def _process(self, request: QueuedRequest, lane: Lane) -> None:
        request.status, request.started_at = IN_PROGRESS, time.time()
        request.attempts += 1
        request.notify()
        try:
            lost = self._faults.take("runner", str(request.endpoint_id))
            reply = await self._attempt(request) if lost is None else _runner_lost()
            await self._held(str(request.endpoint_id))
        finally:
            lane.running.discard(request.id)
        if self._may_retry(request, reply):
            self._retry_later(request)
        else:
            self._finish(request, reply)
        self._pump(request.endpoint_id)

    async def _held(self, endpoint_id: str) -> None:
        """Until no rule holds ends back any more. Rules are cleared by any thread, so that none tells."""
        while self._faults.take("end", endpoint_id):  # noqa: ASYNC110
            await asyncio.sleep(HELD_S)

    async def _attempt(self, request: QueuedRequest) -> Reply:
        endpoint = find(request.endpoint_id)
        if endpoint is None:
            return path_not_found(request.endpoint_id.path)
        return await runner.execute(endpoint, request.body, self._context(request, endpoint))

    def _context(self, request: QueuedRequest, endpoint: Endpoint) -> Context:
        def log(message: str, level: str) -> None:
            request.log(message, level, time.time())

        # A model without a cancel handler is never told, and simply finishes.
        heard = request.cancel_requested if endpoint.obeys_cancel else asyncio.Event()
        return Context(
            request.id, log, self._save_file, heard,
            file=self._store.file, pace=self._tuning.pace,
        )  # fmt: skip

    def _may_retry(self, request: QueuedRequest, reply: Reply) -> bool:
        again = reply.status_code in (503, 504) and request.attempts < MAX_ATTEMPTS
        return again and not request.no_retry and not request.cancel_requested.is_set()

    def _retry_later(self, request: QueuedRequest) -> None:
        request.status, request.gateway_id = IN_QUEUE, str(uuid.uuid4())
        self._store.save_request(request)
        request.notify()
        gap = self._tuning.retry_gap_s * 2 ** (request.attempts - 1)
        timer = asyncio.get_running_loop().call_later(gap, self._enqueue, request)
        self._backing_off[request.id] = timer

    def _finish(self, request: QueuedRequest, reply: Reply) -> None:
        request.status, request.reply, request.ended_at = COMPLETED, reply, time.time()
        if not reply.ok:
            request.error = _sentence(reply)
        self._store.save_request(request)
        request.notify()
        self._keep_for_a_while(request)
        self._on_end(request)

    def _keep_for_a_while(self, request: QueuedRequest) -> None:
        large = request.reply is not None and len(request.reply.body) >= self._tuning.large_bytes
        kept_s = self._tuning.large_retention_s if large else self._tuning.retention_s
        left = (request.ended_at or 0) + kept_s - time.time()
        asyncio.get_running_loop().call_later(max(left, 0), self._forget, request)

    def _forget(self, request: QueuedRequest) -> None:
        self._requests.pop(request.id, None)
        self._store.forget_request(request.id)


def _runner_lost() -> Reply:
    return infrastructure_error(503, "runner_disconnected", "Runner disconnected")


def _sentence(reply: Reply) -> str:
    if reply.error_type in (None, "runner_server_error"):
        return f"Invalid status code: {reply.status_code}"
    phrase = (
        "Client Closed Request"
        if reply.status_code == 499
        else HTTPStatus(reply.status_code).phrase
    )
    return f"{phrase}: {reply.error_type}"
