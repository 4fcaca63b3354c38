"""The audit trail: who did what to what, when and from where.

A verb that changes something notes an entry in its own transaction: the act and its entry are stored together
or not at all. The worker seals entries in blocks, each with a digest over its entries and the block before, so
that an entry which is changed, added or removed later is found.

    origin.py    who acts and from where, as far as the call tells
    writing.py   note, note_all, note_in_each
    sealing.py   seal, heads, verify
    reading.py   the trail of a team, filtered; for its page and export
    pruning.py   removal of old blocks
"""

from __future__ import annotations

from requests_app.audit.origin import Origin, acted, acting, origin
from requests_app.audit.writing import (
    NO_TEAM,
    Noted,
    note,
    note_all,
    note_denied,
    note_export,
    note_in_each,
    note_throttled,
    the_request,
)

__all__ = [
    "NO_TEAM",
    "Noted",
    "Origin",
    "acted",
    "acting",
    "note",
    "note_all",
    "note_denied",
    "note_export",
    "note_in_each",
    "note_throttled",
    "origin",
    "the_request",
]
