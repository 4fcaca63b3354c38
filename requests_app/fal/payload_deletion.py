"""Have fal delete what it keeps of a request: the call, and the reading of the reply. Pure.

Source: fal's Platform OpenAPI, `DELETE /v1/models/requests/{request_id}/payloads`. fal deletes input, output and the
files of the output, and keeps the files of the input. It takes a key with the scope ADMIN, and ids that are UUIDs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from .replies import Reply, refusal, unreadable

TAKEN = r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"  # ids; databases read it as well
PATH = "/v1/models/requests/{}/payloads"
ONCE = "idempotency-key"  # fal remembers it for ten minutes
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 410, 413, 422, 429})
_MOST_FILES = 10_000


@dataclass(frozen=True)
class DeletedPayloads:
    """fal did as it was asked. ``left``: files of the output that it could not delete."""

    files: int = 0
    left: int = 0


def takes(request_id: str) -> bool:
    """Return whether fal's call takes an id of this form."""
    return re.search(TAKEN, request_id, re.IGNORECASE | re.ASCII) is not None


def path_of(request_id: str) -> str:
    """Return the path of the call for one request."""
    return PATH.format(UUID(request_id))


def read_deletion(reply: Reply) -> DeletedPayloads:
    """Parse the reply. Raises Refused (404: fal has nothing under this id), or Unanswered, which may be retried.

    A page of a proxy is no refusal: only fal's own JSON is.
    """
    if not reply.is_success:
        if reply.status_code in _REFUSALS and reply.members is not None:
            raise refusal(reply)
        raise unreadable(reply, retryable=True)
    members = reply.members
    if members is None:
        if not reply.body.strip():
            return DeletedPayloads()  # 204, or nothing to tell
        raise unreadable(reply, retryable=True)
    told = members.get("cdn_delete_results")
    files = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    files = files[:_MOST_FILES]
    return DeletedPayloads(len(files), sum(one.get("exception") is not None for one in files))
