"""Make the thumbnails that pages want: fetch, make small, keep. A few are fetched at once, one is unpacked."""

from __future__ import annotations

import asyncio
import logging

from django.conf import settings
from django.utils import timezone

from requests_app.display.summary import IN_OUTPUT
from requests_app.thumbnails.fetching import MOST_BYTES, fetch_picture
from requests_app.thumbnails.picture import make_small
from requests_app.thumbnails.problems import NoThumbnail
from requests_app.thumbnails.sources import bytes_of, inline_picture, kept_picture
from requests_app.thumbnails.states import (
    WantedThumbnail,
    keep_made,
    note_failed,
    take_wanted,
)
from requests_app.worker.loop import pool

AT_ONCE = 4  # a picture in the making may hold 32 MB

logger = logging.getLogger(__name__)


class ThumbnailMaker:
    """At most one round of a process runs at a time. Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_running = self._is_asked_again = False

    async def make_wanted(self) -> None:
        """Make every thumbnail that is due. During a round a second call starts none: the round repeats once."""
        self._is_asked_again = True
        if self._is_running:
            return
        self._is_running = True
        unpacking = asyncio.Semaphore(1)
        try:
            while self._is_asked_again:
                self._is_asked_again = False
                while taken := await pool.in_database(take_wanted, timezone.now(), AT_ONCE):
                    await asyncio.gather(*(_make(wanted, unpacking) for wanted in taken))
        finally:
            self._is_running = False


maker = ThumbnailMaker()


async def _make(wanted: WantedThumbnail, unpacking: asyncio.Semaphore) -> None:
    """Make one. Whatever goes wrong is kept as the reason, so that no other one suffers."""
    try:
        data = await _bytes_of(wanted)
        async with unpacking:
            pictures = await asyncio.to_thread(make_small, data)
        await pool.in_database(keep_made, wanted, pictures, timezone.now())
    except Exception as error:
        if not isinstance(error, NoThumbnail):
            logger.exception("A thumbnail could not be made.", extra={"row": wanted.public_id})
            error = NoThumbnail("The thumbnail could not be made.", is_final=False)
        await pool.in_database(note_failed, wanted, error, timezone.now())


async def _bytes_of(wanted: WantedThumbnail) -> bytes:
    if wanted.url == IN_OUTPUT:
        return await pool.in_database(inline_picture, wanted.pk, wanted.number, most=MOST_BYTES)
    kept = await pool.in_database(kept_picture, wanted.pk, wanted.url)
    if kept is not None:
        return await asyncio.to_thread(bytes_of, kept, most=MOST_BYTES)
    return await fetch_picture(wanted.url, settings.FAL_MEDIA_HOSTS)
