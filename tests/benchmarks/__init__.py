"""Measurements, not tests: `make bench`. Each prints our figure beside the one it could be at best.

::

    start.py      from the start command to the first page; memory
    latency.py    submit to visible row, webhook to changed row, over the socket
    listing.py    the list page over 100,000 rows beside a plain query
    pages.py      what pages weigh on the wire in Chromium, at the first visit and the second
    webhooks.py  50 webhooks a second, genuine and forged
    unhooked.py  from fal's end to ours when every webhook is lost
    unanswered.py  the same when the answers to the submits were lost as well
    history.py    the sweep beside no history and 2,000,000 kept rows
    sweeping.py   polls per second beside the bare HTTP client

All load runs on this machine beside what is measured: figures compare, they do not promise.
"""
