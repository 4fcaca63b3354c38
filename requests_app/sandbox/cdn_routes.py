"""`/cdn/...`: files go in by either client's route, in one piece or in parts, and come out."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from .replies import json_response
from .rest_routes import DEFAULT_TYPE
from .sandbox import fresh_name, sandbox_of
from .tokens import CDN

Handler = Callable[[Request], Awaitable[Response]]
# Files are anybody's bytes: no page of ours may be made of them.
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "public, max-age=31536000, immutable",
}


def _by_token(handler: Handler) -> Handler:
    """Only with a CDN token in the header."""

    async def guarded(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _permits(request, token, CDN):
            return json_response({"detail": "invalid CDN token"}, 401)
        return await handler(request)

    return guarded


def _by_url(handler: Handler) -> Handler:
    """Only with the permit that the initiation put into the URL for this one file."""

    async def guarded(request: Request) -> Response:
        wanted = f"{CDN}/{request.path_params['name']}"
        if not _permits(request, request.query_params.get("permit", ""), wanted):
            return json_response({"detail": "invalid upload URL"}, 403)
        return await handler(request)

    return guarded


def _permits(request: Request, token: str, app: str) -> bool:
    claims = sandbox_of(request).tokens.read(token)
    return claims is not None and not claims.expired and app in claims.apps


async def download(request: Request) -> Response:
    found = sandbox_of(request).store.file(request.path_params["name"])
    if found is None:
        return json_response({"detail": "File not found"}, 404)
    return _whole_or_range(request, *found)


async def sample(request: Request) -> Response:
    """A file that is made when it is asked for, from its name alone."""
    from .media import samples  # Pillow costs megabytes and time to import

    found = await asyncio.to_thread(samples.sample, request.path_params["name"])
    if found is None:
        return json_response({"detail": "File not found"}, 404)
    return _whole_or_range(request, *found)


def _whole_or_range(request: Request, content_type: str, data: bytes) -> Response:
    """Players ask for `bytes=FROM-[TO]` to jump; any other range gets the whole."""
    headers = {**SAFE, "content-type": content_type, "accept-ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", request.headers.get("range", ""))
    if asked is None:
        return Response(data, headers=headers)
    start, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
    if start > last:
        return Response(b"", 416, {**headers, "content-range": f"bytes */{len(data)}"})
    headers["content-range"] = f"bytes {start}-{last}/{len(data)}"
    return Response(data[start : last + 1], 206, headers)


@_by_token
async def upload(request: Request) -> Response:
    content_type = request.headers.get("content-type") or DEFAULT_TYPE
    name = fresh_name(request.headers.get("x-fal-file-name", ""), content_type)
    url = sandbox_of(request).save_file(name, content_type, await request.body())
    return json_response({"access_url": url})


@_by_token
async def begin_parts(request: Request) -> Response:
    content_type = request.headers.get("content-type") or DEFAULT_TYPE
    name = fresh_name(request.headers.get("x-fal-file-name", ""), content_type)
    sandbox = sandbox_of(request)
    sandbox.store.expect_upload(name, content_type)
    access_url = f"{sandbox.settings.base_url}/cdn/files/{name}"
    return json_response({"access_url": access_url, "uploadId": secrets.token_hex(8)})


async def _put_part(request: Request) -> Response:
    number, data = request.path_params["number"], await request.body()
    sandbox_of(request).store.save_part(request.path_params["name"], number, data)
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return json_response({"partNumber": number, "etag": etag}, headers={"etag": etag})


async def _complete(request: Request) -> Response:
    sandbox, name = sandbox_of(request), request.path_params["name"]
    content_type = sandbox.store.expected_upload(name)
    if content_type is None:
        return json_response({"detail": "Upload not found"}, 404)
    data = b"".join(part for _, part in sandbox.store.take_parts(name))
    url = sandbox.save_file(name, content_type, data)
    return json_response({"access_url": url, "file_url": url})


@_by_url
async def put_whole(request: Request) -> Response:
    sandbox, name = sandbox_of(request), request.path_params["name"]
    expected = sandbox.store.expected_upload(name) or DEFAULT_TYPE
    content_type = request.headers.get("content-type") or expected
    url = sandbox.save_file(name, content_type, await request.body())
    return json_response({"file_url": url})


# Pages of any origin may upload and show files. Nothing else here is open to them: the usual key
# is no secret, so that any page could otherwise read what a team sends.
CORS = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
ROUTES = [
    Route("/files/upload", upload, methods=["POST"]),
    Route("/files/upload/multipart", begin_parts, methods=["POST"]),
    Route("/files/{name}/multipart/{upload}/complete", _by_token(_complete), methods=["POST"]),
    Route("/files/{name}/multipart/{upload}/{number:int}", _by_token(_put_part), methods=["PUT"]),
    Route("/files/{name}", download),
    Route("/samples/{name}", sample),
    Route("/upload/{name}/complete", _by_url(_complete), methods=["POST"]),
    Route("/upload/{name}/{number:int}", _by_url(_put_part), methods=["PUT"]),
    Route("/upload/{name}", put_whole, methods=["PUT"]),
]
MOUNT = Mount("/cdn", routes=ROUTES, middleware=[CORS])
