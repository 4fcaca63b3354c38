"""A realtime session between a browser's tab and fal, relayed both ways and recorded on the way.

::

    upstream  where the session is held: by fal or an own app, and with which key
    opening   may one more session be opened? records it and takes its lease
    outbox    messages that wait for the tab: bounded, so that a slow tab never holds up the session
    program   the socket of a program: fal's messages and close as they came
    outcome   how a session ended, as the row and the tab are told
    session   the session itself: two tasks, one per direction
"""

from __future__ import annotations

from requests_app.relay.outbox import Outbox
from requests_app.relay.outcome import SessionOutcome
from requests_app.relay.session import NotOpen, RealtimeSession

__all__ = ["NotOpen", "Outbox", "RealtimeSession", "SessionOutcome"]
