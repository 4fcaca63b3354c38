"""The one writer: every status is written here, with the observation that says how we know.

A verb takes the row's key and what happened, decides by `transitions`, and in one transaction
appends the observation, moves the row and lets `announce` tell the world on commit. Nothing here
touches the network.

    person.py    create, create_once, ask_cancel, give_up
    sending.py   claim, open_session, not_sent, refused, uncertain, lapsed, opened, hold, capped, counted
    hearing.py   observe, cancel_answered, is_for_row
    details.py   lacks_output
    asking.py    denied, doubted, unanswered, answered
    failing.py   step_failed, unsendable, unprocessed
    finding.py   listed, unlisted
    work.py      make_due, poll_faster_until, release, resume
    removing.py  remove_payload, remove_frames
    writing.py   the writes, for those above alone
"""

from __future__ import annotations

from requests_app.lifecycle.asking import answered, denied, doubted, unanswered
from requests_app.lifecycle.details import lacks_output
from requests_app.lifecycle.failing import (
    MOST_FAILURES,
    TOLD_AT,
    step_failed,
    unprocessed,
    unsendable,
)
from requests_app.lifecycle.hearing import CANCEL_NOTES, Heard, cancel_answered, is_for_row, observe
from requests_app.lifecycle.lost_submits import listed, unlisted
from requests_app.lifecycle.person import KeyReused, ask_cancel, create, create_once, give_up
from requests_app.lifecycle.removing import remove_frames, remove_payload
from requests_app.lifecycle.sending import (
    LEASE,
    Claim,
    capped,
    claim,
    counted,
    hold,
    lapsed,
    not_sent,
    open_session,
    opened,
    refused,
    uncertain,
)
from requests_app.lifecycle.work import make_due, poll_faster_until, release, resume

__all__ = [
    "CANCEL_NOTES",
    "LEASE",
    "MOST_FAILURES",
    "TOLD_AT",
    "Claim",
    "Heard",
    "KeyReused",
    "answered",
    "ask_cancel",
    "cancel_answered",
    "capped",
    "claim",
    "counted",
    "create",
    "create_once",
    "denied",
    "doubted",
    "give_up",
    "hold",
    "is_for_row",
    "lacks_output",
    "lapsed",
    "listed",
    "make_due",
    "not_sent",
    "observe",
    "open_session",
    "opened",
    "poll_faster_until",
    "refused",
    "release",
    "remove_frames",
    "remove_payload",
    "resume",
    "step_failed",
    "unanswered",
    "uncertain",
    "unlisted",
    "unprocessed",
    "unsendable",
]
