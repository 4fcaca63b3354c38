"""Start the upload of a file: fal gives a signed address that needs no key, and the file's address.

The caller, a browser for one, sends the bytes to `upload_url` itself: in one PUT with the same content type, or
in parts: a PUT to `{path}/{n}` for each (n from 1, the query stays), whose reply names its `etag`, then a POST to
`{path}/complete` with `{"parts": [{"partNumber", "etag"}]}`. Source: fal's JavaScript client, `storage.ts`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .call import Call
from .replies import Reply, read_stream_refusal, unreadable

if TYPE_CHECKING:
    from .client import FalClient

STORAGE = "fal-cdn-v3"
WHOLE, IN_PARTS = "initiate", "initiate-multipart"

# No user name, no control characters: the browser must read the same host as we do.
_URL = re.compile(r"https?://[A-Za-z0-9.:_\[\]-]+/[!-~]{0,8000}", re.ASCII)


@dataclass(frozen=True)
class Upload:
    """``upload_url`` lets its holder write the file, so it is left out of the repr."""

    upload_url: str = field(repr=False)
    file_url: str


async def start_upload(
    client: FalClient, *, name: str, content_type: str, in_parts: bool = False
) -> Upload:
    """Ask fal where to send a file, once. Raises NotSent, Unanswered or Refused."""
    wire = client.wire
    call = Call(
        "POST",
        f"{client.hosts.rest}/storage/upload/{IN_PARTS if in_parts else WHOLE}",
        {},
        json.dumps({"content_type": content_type, "file_name": name}).encode(),
        params={"storage_type": STORAGE},
        idle_s=wire.timeouts.read_s,
    )
    reply = await wire.exchange(call, deadline_s=wire.timeouts.status_s, limit=wire.limits.reply)
    return read_upload(reply)


def read_upload(reply: Reply) -> Upload:
    """Parse the reply. Raises Refused or Unanswered; a repeat is harmless, for nothing is stored yet."""
    if not reply.is_success:
        raise read_stream_refusal(reply, retryable=True)
    members = reply.members or {}
    upload_url, file_url = members.get("upload_url"), members.get("file_url")
    if not (_is_url(upload_url) and _is_url(file_url)):
        # Without its body: an address that we cannot use may still be written to.
        bare = Reply(reply.status_code, reply.headers, b"")
        raise unreadable(bare, retryable=True, missing="two usable addresses")
    return Upload(str(upload_url), str(file_url))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and _URL.fullmatch(value) is not None
