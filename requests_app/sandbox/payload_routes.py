"""`DELETE /api/v1/models/requests/{id}/payloads`: input, output and the files of the output are deleted.

UNCONFIRMED beyond the documentation: what fal says afterwards of such a request. Here it is forgotten altogether, so
that a second call finds nothing, unless it bears the `Idempotency-Key` of the first, which is remembered for ten
minutes. Like the queue, it knows nothing of direct calls.
"""

from __future__ import annotations

import re
import time
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .misbehave import misbehave
from .record import QueuedRequest
from .replies import json_response, platform_error
from .sandbox import Sandbox, sandbox_of, user_of

REMEMBERED_S = 600.0


async def delete_payloads(request: Request) -> Response:
    """Only what has ended, and is the caller's."""
    user_id = user_of(request)
    sandbox, request_id = sandbox_of(request), request.path_params["request_id"]
    known = sandbox.queue.by_id(request_id)
    endpoint = str(known.endpoint_id) if known else ""

    async def work() -> Response:
        if user_id is None:
            return platform_error(401, "authorization_error", "Invalid key credentials")
        if not _is_uuid(request_id):
            return platform_error(400, "validation_error", "request_id: a UUID is expected")
        once = request.headers.get("idempotency-key", "")
        if once and (answer := _remembered(sandbox, user_id, once)):
            return json_response(answer)
        if known is None or known.user_id != user_id:
            return platform_error(404, "not_found", "Request not found")
        if not known.ended:
            return platform_error(400, "validation_error", "The request has not ended yet")
        answer = {"cdn_delete_results": _delete(sandbox, known)}
        if once:
            sandbox.answers[user_id, once] = time.monotonic(), answer
        return json_response(answer)

    return await misbehave(sandbox.faults.take("delete", endpoint), request, work)


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _remembered(sandbox: Sandbox, user_id: str, once: str) -> object:
    oldest = time.monotonic() - REMEMBERED_S
    for place in [place for place, (at, _) in sandbox.answers.items() if at < oldest]:
        del sandbox.answers[place]
    return sandbox.answers.get((user_id, once), (0, None))[1]


def _delete(sandbox: Sandbox, request: QueuedRequest) -> list[dict[str, str | None]]:
    output = request.reply.body.decode("utf-8", "replace") if request.reply else ""
    address = re.escape(f"{sandbox.settings.base_url}/cdn/files/") + r"([\w.-]+)"
    # The files of the input stay, as fal documents it: also those that the output names again.
    sent = request.body.decode("utf-8", "replace")
    names = dict.fromkeys(name for name in re.findall(address, output) if name not in sent)
    for name in names:
        sandbox.store.forget_file(name)
    sandbox.queue.lose(request)
    base = f"{sandbox.settings.base_url}/cdn/files/"
    return [{"link": base + name, "exception": None} for name in names]


ROUTES = [
    Route("/api/v1/models/requests/{request_id}/payloads", delete_payloads, methods=["DELETE"])
]
