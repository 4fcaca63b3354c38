"""Start the upload of one file, for a page or a program: ask fal, judge its answer, say what is wrong in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from dashboard.env import origin_of
from requests_app.display.media_hosts import is_showable
from requests_app.fal import FalClient, FalError, NotSent, Refused, Upload, start_upload
from requests_app.keys import Key, key_for
from requests_app.uploads.rate import Rate
from requests_app.worker.fal_connections import hosts_from_settings

PARTS_ABOVE = 90 * 1024 * 1024  # bytes; fal's own client does the same
PART = 10 * 1024 * 1024

rate = Rate()


class NotStarted(Exception):
    """The upload cannot be started: an HTTP status and a sentence for users."""

    def __init__(self, status: int, sentence: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Started:
    """Where the bytes go and where the file is then; ``part_size`` 0: in one piece."""

    upload: Upload
    part_size: int


def start(*, team_id: int, user_id: int, name: str, content_type: str, size: int) -> Started:
    """Ask fal for the address of a file of this size. Raises NotStarted."""
    ensure_fits(size)
    if (wait_s := rate.wait_s(user_id, now=time.monotonic())) > 0:
        sentence = f"{rate.most} uploads in a minute are the most. Try again in {wait_s:.0f} s."
        raise NotStarted(429, sentence, retry_after_s=wait_s)
    in_parts = size > PARTS_ABOVE
    try:
        key = key_for(team_id)
        key.ensure_usable()
        upload = asyncio.run(_ask(key, name, content_type, in_parts=in_parts))
    except FalError as error:
        raise _as_refusal(error) from error
    _ensure_allowed(upload, settings.FAL_UPLOAD_HOSTS)
    return Started(upload, PART if in_parts else 0)


def ensure_fits(size: int) -> None:
    """Raise NotStarted for an empty file and one over the site's limit."""
    most = settings.UPLOAD_LIMIT_BYTES
    if size < 1:
        raise NotStarted(422, "The file is empty.")
    if size > most:
        raise NotStarted(413, f"The file has {size:,} bytes; this site sends at most {most:,}.")


async def _ask(key: Key, name: str, content_type: str, *, in_parts: bool) -> Upload:
    """Use connections of its own: the caller's thread has no event loop, and a user waits for one file."""
    async with FalClient(hosts_from_settings(), key.secret) as client:
        return await start_upload(client, name=name, content_type=content_type, in_parts=in_parts)


def _as_refusal(error: FalError) -> NotStarted:
    if isinstance(error, NotSent):
        return NotStarted(503, f"{error} The file was not sent; try again.")
    if not isinstance(error, Refused) or error.status_code >= 500:
        return NotStarted(502, f"{error} The file was not sent; try again.")
    match error.status_code:
        case 401 | 403:
            return NotStarted(
                502,
                f"fal does not let the team's key store files ({error.status_code}). "
                "It needs that permission at fal; else give another key under Settings.",
            )
        case 413:
            return NotStarted(413, "fal says that the file is too large (413).")
        case 429:
            sentence = "fal takes no more uploads at the moment (429). Try again in a while."
            return NotStarted(429, sentence, retry_after_s=error.retry_after_s)
    return NotStarted(502, f"{error} The file was not sent.")


def _ensure_allowed(upload: Upload, hosts: Sequence[str]) -> None:
    """The page's policy stops the browser from sending anywhere else; said here, it is understood."""
    if is_showable(f"{origin_of(upload.upload_url)}/", hosts):
        return
    raise NotStarted(
        502,
        f"fal wants the file at {origin_of(upload.upload_url)}, which this site does not allow. "
        "The operator can add it to FAL_UPLOAD_HOSTS.",
    )
