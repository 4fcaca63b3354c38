"""The JSON API under /api/v1/: Bearer tokens, the same verbs as the pages.

::

    api.py       the NinjaAPI object and its error handlers
    auth.py      authentication: a token acts for its user in its team
    body.py      request bodies: strict JSON
    rows.py      queries: team scope, filters
    accepted.py  request schemas
    schemas.py   response schemas
    errors.py    error responses
    requests.py  the paths
    events.py    server-sent events of one request
"""
