"""`/rest/...`: realtime tokens, upload initiation, CDN tokens and the webhook keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .replies import json_response, unauthorized
from .sandbox import fresh_name, sandbox_of, user_of
from .tokens import CDN

MAX_TOKEN_S = 3600.0
CDN_TOKEN_S = 30 * 86400.0
DEFAULT_TYPE = "application/octet-stream"


class BadBody(ValueError):
    """The text says what is wrong with the body."""


async def _read(request: Request) -> Mapping[str, Any]:
    if not (body := await request.body()):
        return {}
    try:
        data = await request.json()
    except (ValueError, RecursionError):
        raise BadBody("The body is not valid JSON.") from None
    if not isinstance(data, dict):
        raise BadBody(f"An object is expected, not {body[:20]!r}.")
    return data


async def realtime_token(request: Request) -> Response:
    """The old form (`/tokens/`) answers with a JSON string, the new one with an object."""
    user_id = user_of(request)
    if user_id is None:
        return unauthorized()
    try:
        token = _issue(request, user_id, await _read(request))
    except BadBody as exc:
        return json_response({"detail": str(exc)}, 422)
    is_new = request.url.path.rstrip("/").endswith("/realtime")
    return json_response({"token": token} if is_new else token, 201)


def _issue(request: Request, user_id: str, data: Mapping[str, Any]) -> str:
    apps = data.get("allowed_apps")
    if not isinstance(apps, list) or not apps or not all(isinstance(app, str) for app in apps):
        raise BadBody("'allowed_apps' must be a list of app names.")
    seconds = data.get("duration", data.get("token_expiration", 120))
    if not isinstance(seconds, int | float) or not 0 < seconds <= MAX_TOKEN_S:
        raise BadBody(f"The token may live for up to {MAX_TOKEN_S:g} seconds.")
    return sandbox_of(request).tokens.issue(user_id, [app.strip("/") for app in apps], seconds)


async def cdn_token(request: Request) -> Response:
    user_id = user_of(request)
    if user_id is None:
        return unauthorized()
    sandbox = sandbox_of(request)
    expires_at = datetime.now(UTC) + timedelta(seconds=CDN_TOKEN_S)
    return json_response({
        "token": sandbox.tokens.issue(user_id, [CDN], CDN_TOKEN_S),
        "token_type": "Bearer",
        "base_url": f"{sandbox.settings.base_url}/cdn",
        "expires_at": expires_at.isoformat(),
    })  # fmt: skip


async def initiate(request: Request) -> Response:
    """Where to PUT the bytes (a URL that needs no key), and where they can be read then."""
    user_id = user_of(request)
    if user_id is None:
        return unauthorized()
    try:
        data = await _read(request)
    except BadBody as exc:
        return json_response({"detail": str(exc)}, 422)
    content_type = str(data.get("content_type") or DEFAULT_TYPE)
    name = fresh_name(str(data.get("file_name") or ""), content_type)
    sandbox = sandbox_of(request)
    sandbox.store.expect_upload(name, content_type)
    permit = sandbox.tokens.issue(user_id, [f"{CDN}/{name}"], MAX_TOKEN_S)
    cdn = f"{sandbox.settings.base_url}/cdn"
    urls = {"upload_url": f"{cdn}/upload/{name}?permit={permit}", "file_url": f"{cdn}/files/{name}"}
    return json_response(urls)


async def jwks(request: Request) -> Response:
    return json_response(sandbox_of(request).webhooks.jwks())


ROUTES = [
    Route("/rest/tokens", realtime_token, methods=["POST"]),
    Route("/rest/tokens/", realtime_token, methods=["POST"]),
    Route("/rest/tokens/realtime", realtime_token, methods=["POST"]),
    Route("/rest/storage/auth/token", cdn_token, methods=["POST"]),
    Route("/rest/storage/upload/initiate", initiate, methods=["POST"]),
    Route("/rest/storage/upload/initiate-multipart", initiate, methods=["POST"]),
    Route("/rest/.well-known/jwks.json", jwks),
]
