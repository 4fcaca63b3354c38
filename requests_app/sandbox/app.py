"""The ASGI program: which path goes where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from . import cdn_routes, control_routes, queue_routes, realtime, rest_routes, run_routes
from .sandbox import Sandbox

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]

ROUTES = [
    Route("/queue/{path:path}", queue_routes.queue, methods=ANY),
    WebSocketRoute("/run/{path:path}", realtime.connect),
    Route("/run/{path:path}", run_routes.run, methods=ANY),
    *rest_routes.ROUTES,
    *cdn_routes.ROUTES,
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

    # As on fal's hosts, a page from anywhere may call: the key protects, not the origin.
    cors = Middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"],
        expose_headers=["*"],
    )  # fmt: skip
    app = Starlette(routes=ROUTES, lifespan=lifespan, middleware=[cors])
    app.state.sandbox = sandbox
    return app
