"""The ASGI program: which path goes where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from . import (
    api_routes,
    cdn_routes,
    control_routes,
    models_routes,
    payload_routes,
    queue_routes,
    realtime,
    rest_routes,
    run_routes,
)
from .sandbox import Sandbox

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]

ROUTES = [
    Route("/queue/{path:path}", queue_routes.queue, methods=ANY),
    WebSocketRoute("/run/{path:path}", realtime.connect),
    Route("/run/{path:path}", run_routes.run, methods=ANY),
    *rest_routes.ROUTES,
    *api_routes.ROUTES,
    *payload_routes.ROUTES,
    *models_routes.ROUTES,
    cdn_routes.MOUNT,
    Route("/openapi", control_routes.schema),
    Route("/control/faults", control_routes.faults, methods=["GET", "POST", "DELETE"]),
    Route("/control/ledger", control_routes.ledger),
    Route("/control/endpoints", control_routes.endpoints),
    Route("/healthz", control_routes.healthz),
]


def build_app(sandbox: Sandbox) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sandbox.start()
        yield
        await sandbox.stop()

    app = Starlette(routes=ROUTES, lifespan=lifespan)
    app.state.sandbox = sandbox
    return app
