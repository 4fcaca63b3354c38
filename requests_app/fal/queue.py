"""The queue's verbs, and the direct run: each makes exactly one HTTP call and never repeats it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from .endpoints import EndpointId, Hosts, RequestUrls, run_url, submit_url
from .replies import read_cancel, read_receipt, read_status
from .reports import CancelAnswer, Receipt, Result, StatusReport
from .result_replies import read_queue_result, read_run_result
from .transport import Call, Wire

QUICKLY_READ = 256 * 1024  # bytes of a reply that are parsed without blocking the loop


async def submit(
    wire: Wire,
    hosts: Hosts,
    endpoint: EndpointId,
    body: bytes,
    headers: Mapping[str, str],
    *,
    query: Mapping[str, str] | None = None,
    webhook_url: str | None = None,
) -> Receipt:
    """POST the model input once. Raises NotSent, Unanswered (outcome unknown) or Refused."""
    params = dict(query or {})
    if webhook_url is not None:
        params["fal_webhook"] = webhook_url
    call = Call(
        "POST", submit_url(hosts, endpoint), headers, body, params, idle_s=wire.timeouts.read_s
    )
    reply = await wire.exchange(call, deadline_s=wire.timeouts.submit_s, limit=wire.limits.reply)
    return read_receipt(reply, hosts, endpoint)


async def status(wire: Wire, urls: RequestUrls, *, logs: bool = True) -> StatusReport:
    """Poll once. Raises NotSent, Unanswered (may be retried) or Refused."""
    call = Call("GET", urls.status, {}, params=log_params(logs=logs))
    limit = wire.limits.status
    reply = await wire.exchange(call, deadline_s=wire.timeouts.status_s, limit=limit, held=limit)
    if len(reply.body) < QUICKLY_READ:
        return read_status(reply)
    return await asyncio.to_thread(read_status, reply)


async def result(wire: Wire, urls: RequestUrls) -> Result:
    """Fetch once. A model's own error is a Result. Raises NotSent, Unanswered (NotTheResult when
    the answer is not a result), Refused or NotFinished.
    """
    call = Call("GET", urls.result, {}, accept="*/*")
    reply = await wire.exchange(call, deadline_s=wire.timeouts.result_s, limit=wire.limits.result)
    if len(reply.body) < QUICKLY_READ:
        return read_queue_result(reply)
    return await asyncio.to_thread(read_queue_result, reply)


async def cancel(wire: Wire, urls: RequestUrls) -> CancelAnswer:
    """Ask fal to cancel. Raises NotSent, Unanswered (may be retried) or Refused."""
    call = Call("PUT", urls.cancel, {})
    reply = await wire.exchange(call, deadline_s=wire.timeouts.cancel_s, limit=wire.limits.reply)
    return read_cancel(reply)


async def run(
    wire: Wire,
    hosts: Hosts,
    endpoint: EndpointId,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
) -> Result:
    """POST the model input once and wait ``timeout_s`` for the output; errors as ``result``, none
    retryable.

    Hanging up cancels the work, and what ran may still be charged.
    """
    call = Call("POST", run_url(hosts, endpoint), headers, body, accept="*/*")
    reply = await wire.exchange(call, deadline_s=timeout_s, limit=wire.limits.result)
    return read_run_result(reply)


def log_params(*, logs: bool) -> dict[str, str]:
    return {"logs": "1" if logs else "0"}
