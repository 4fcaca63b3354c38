"""Replies of models and of the platform, in fal's error shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

JSON = "application/json"


def to_json(value: object) -> bytes:
    # ASCII only: an input may hold lone surrogates, which no UTF-8 can carry, and errors echo it.
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Reply:
    """What a model answered. `error_type` is set for infrastructure errors only."""

    status_code: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    error_type: str | None = None

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    def response(self, request_id: str) -> Response:
        headers = {**self.headers, "x-fal-request-id": request_id}
        if self.error_type:
            headers["X-Fal-Error-Type"] = self.error_type
        return Response(self.body, self.status_code, headers, media_type=JSON)


def model_error(status_code: int, detail: object, **headers: str) -> Reply:
    return Reply(status_code, to_json({"detail": detail}), {"x-fal-billable-units": "0", **headers})


def infrastructure_error(
    status_code: int, error_type: str, detail: str, headers: Mapping[str, str] | None = None
) -> Reply:
    body = to_json({"detail": detail, "error_type": error_type})
    return Reply(status_code, body, headers or {}, error_type)


def json_response(
    value: Any, status_code: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(to_json(value), status_code, headers, media_type=JSON)


def platform_error(status_code: int, kind: str, message: str) -> Response:
    """In the shape of the platform API."""
    return json_response({"error": {"type": kind, "message": message}}, status_code)


def path_not_found(path: str) -> Reply:
    return model_error(404, f"Path /{path} not found")


def app_not_found(app: str) -> Response:
    return json_response({"detail": f"Application '{app}' not found"}, 404)


def unauthorized() -> Response:
    return json_response({"detail": "invalid key credentials"}, 401)


def method_not_allowed(allow: str) -> Response:
    return json_response({"detail": "Method Not Allowed"}, 405, {"allow": allow})
