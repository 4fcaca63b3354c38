"""Look for what rules are about, and send the messages that are due: in the worker, outside of transactions."""

from __future__ import annotations

import asyncio
import logging

from django.utils import timezone

from requests_app.models import ChannelKind
from requests_app.notices import firing, outbox
from requests_app.notices.answers import TryAnswer, TryResult
from requests_app.notices.chat import send_chat
from requests_app.notices.mail import send_mail
from requests_app.notices.outbox import TakenNotice
from requests_app.notices.webhook import send_webhook
from requests_app.worker import faults
from requests_app.worker.loop import pool

AT_ONCE = 4

logger = logging.getLogger(__name__)


class NoticeSender:
    """At most one round of a process runs at a time. Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_running = False

    async def run(self) -> None:
        """Look once and send all that is due. A call during a round does nothing."""
        if self._is_running:
            return
        self._is_running = True
        try:
            await pool.in_database(firing.look, timezone.now())
            while taken := await pool.in_database(outbox.take_due, timezone.now(), AT_ONCE):
                await asyncio.gather(*map(_send, taken))
        except faults.DATABASE_AWAY as error:
            faults.tell(logger, "Notices wait for the database", error)
        finally:
            self._is_running = False


sender = NoticeSender()


async def _send(taken: TakenNotice) -> None:
    """Try once. Whatever goes wrong is this message's answer."""
    try:
        answer = await _tried(taken)
    except Exception as error:
        # Without the traceback: its lines may hold the address.
        logger.error("A notice could not be sent: %s.", type(error).__name__)
        answer = TryAnswer(TryResult.UNKNOWN, f"It failed here: {type(error).__name__}.")
    await pool.in_database(outbox.keep, taken, answer, timezone.now())


async def _tried(taken: TakenNotice) -> TryAnswer:
    if taken.kind == ChannelKind.EMAIL:
        return await asyncio.to_thread(send_mail, taken.address, taken.message)
    if taken.kind == ChannelKind.WEBHOOK:
        return await send_webhook(taken.address, taken.message)
    return await send_chat(taken.address, taken.message)
