"""A consumer for logged-in users: closed soon after a log-out or the end of a membership."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async

from requests_app.consumers.base import Consumer
from requests_app.models import Membership

RECHECK_S = 5.0  # how long a removed member may go on

LOGGED_OUT, NO_TEAM = 4401, 4403


class MemberConsumer(Consumer):
    """Accepts every connection, so that a refusal can give its reason as a close code."""

    async def connect(self) -> None:
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(code=LOGGED_OUT)
            return
        self.begin(self._recheck())

    async def _recheck(self) -> None:
        code = None
        while code is None:
            await asyncio.sleep(RECHECK_S)
            code = await database_sync_to_async(self._objection)()
        await self.close(code=code)

    def _objection(self) -> int | None:
        """Return the code to close with, in one database call, for there may be many sockets."""
        # Read anew: a session that was ended or has expired is empty; a changed password does not
        # match.
        user = get_user.func({**self.scope, "session": self.session_now()})
        if not user.is_authenticated or not user.is_active:
            return LOGGED_OUT
        return None if self.may_stay() else NO_TEAM

    def may_stay(self) -> bool:
        """Whether the user still has the rights this socket was opened with."""
        raise NotImplementedError

    def teams(self, *, submitting: bool = False) -> set[int]:
        """Return the user's current teams, or those they may submit in."""
        mine = Membership.objects.filter(user_id=self.scope["user"].pk, user__is_active=True)
        return {one.team_id for one in mine if one.may_submit or not submitting}

    def session_now(self) -> Any:
        """Return the log-in session as it is now, not as it was when the socket was opened."""
        session: Any = self.scope["session"]
        return type(session)(session.session_key)
