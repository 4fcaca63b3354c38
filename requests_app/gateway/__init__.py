"""The gateway: a program's own calls of fal pass through here unchanged, and are recorded for its team.

::

    addresses     our path, or the URL a JavaScript client names -> an address at fal; pure
    headers       which headers go on, in each direction; pure
    rewriting     URLs in a reply that must lead back here; pure
    callers       a virtual key -> the user and team it acts for
    owners        which team a request id belongs to
    room          whether a caller may have one more request open
    fal_keys      with which fal key a call is passed on
    upstream      the connections to fal
    local         calls of own apps, which never leave for fal
    faulty        calls that go wrong on purpose
    memory        how much may be held for the record at once
    entries       what is kept of one call, and what fal's reply to it means
    journal       calls under way, for when the process is killed
    spool         entries on disk, while the database is away
    recording     entries -> the lifecycle, beside the calls and never in their way
    witness       what listens to one call: a submit, a cancel, a direct call
    live          a direct call while it lasts: its row, and the events of a stream
    exchange      one call: its bytes on, the reply's bytes back
    application   the ASGI application
    sockets       realtime sessions of programs
"""

from __future__ import annotations
