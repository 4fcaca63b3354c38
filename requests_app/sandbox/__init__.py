"""A fal on this machine: speaks fal's protocol from the server's side.

It knows nothing of the rest of the project, so that a misreading of the protocol cannot be shared
by both sides. fal's own published clients judge it (`tests/conformance/`).

    server.py        SandboxServer: uvicorn in a thread, or the whole process
    app.py           the routes; queue_routes, run_routes, realtime, rest_routes, api_routes,
                     models_routes, cdn_routes, control_routes answer them
    queue.py         the queue: lane.py (who is next), record.py (one request), runner.py (one run)
    models/          one file per endpoint family; landscape.py paints the images
    media/           pictures, videos, sounds, 3D models and archives made by code
    store.py         what survives a kill
    webhooks.py      signed deliveries
    misbehave.py     misbehaviour on demand, by the rules of `requests_app.faults`
    ledger.py        what was accepted
    listing.py       the models that can be searched; pricing.py: what they cost
    openapi.py       the document of an endpoint, in fal's shape
"""

from __future__ import annotations

from requests_app.faults.rules import Faults, InvalidRule

from .config import DEFAULT_KEY, Tuning
from .server import SandboxServer

__all__ = ["DEFAULT_KEY", "Faults", "InvalidRule", "SandboxServer", "Tuning"]
