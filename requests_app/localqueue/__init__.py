"""A queue for own apps (`LOCAL_APPS`), which `fal run --local` serves without one: ids, positions, logs, cancel, webhooks.

The worker and the gateway go on speaking fal's protocol to fal's addresses; what is for such an app is answered
here, from the database, and nothing of it leaves for fal.

::

    places     a URL of fal's -> one of these apps, or none; pure
    jobs       the rows: one transaction each
    answers    what fal would answer about a job; pure
    queue      submit, status, result, cancel, and the list of an app's requests
    app_log    what the app prints while a job lasts
    running    one job at its app, once
    hooks      webhooks: signed, repeated until heard
    transport  between the worker's HTTP client and the network
"""

from __future__ import annotations
