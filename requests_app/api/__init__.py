"""The JSON API under /api/v1/: Bearer tokens, the same verbs as the pages.

::

    api.py       the door: the NinjaAPI object, its answers to errors
    auth.py      who calls: a token acts for its person in its team
    body.py      what came: strict JSON
    rows.py      which rows: team scope, filters, keyset pages
    schemas.py   what is accepted and what is shown
    requests.py  the paths
    events.py    the live tail as server-sent events
"""
