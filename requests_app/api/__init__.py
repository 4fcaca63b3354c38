"""The JSON API under /api/v1/: Bearer tokens, the same verbs as the pages.

::

    api.py       the door: the NinjaAPI object, its answers to errors
    auth.py      who calls: a token acts for its person in its team
    body.py      what came: strict JSON
    rows.py      which rows: team scope, filters
    accepted.py  what may be sent
    schemas.py   what is shown
    errors.py    refusals
    requests.py  the paths
    events.py    the live tail as server-sent events
"""
