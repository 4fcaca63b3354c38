"""What holds for every path of the API: a slash at the end may be left out, and a wrong method is told in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from requests_app.api.description import complete

ROOT = "/api/v1/"
FALLBACK = "nowhere"  # the view of paths that there are not

Answer = Callable[[HttpRequest], HttpResponseBase]


def edges(get_response: Answer) -> Answer:
    """Middleware: add the slash before the path is looked up, and write the 405 as JSON."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(ROOT):
            return get_response(request)
        if not path.endswith("/") and _is_nowhere(path) and not _is_nowhere(f"{path}/"):
            request.path_info = f"{path}/"
            request.path = f"{request.path}/"
        response = get_response(request)
        if response.status_code == 405 and isinstance(response, HttpResponse):
            response.content = json.dumps({"detail": "Method not allowed."})
            response["Content-Type"] = "application/json; charset=utf-8"
        return response

    return middleware


def _is_nowhere(path: str) -> bool:
    try:
        return resolve(path).url_name in (FALLBACK, None)
    except Resolver404:
        return True


class ProgramsApi(NinjaAPI):
    """An API that says where a new thing is, and has short names for its operations."""

    def create_response(
        self,
        request: HttpRequest,
        data: Any,
        *,
        status: int | None = None,
        temporal_response: HttpResponse | None = None,
    ) -> HttpResponse:
        response = super().create_response(
            request, data, status=status, temporal_response=temporal_response
        )
        if response.status_code == 201 and isinstance(data, dict) and "id" in data:
            response["Location"] = place_of(request, data["id"])
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name the room and the verb, without the room's name again: `errors_list`, not `errors_list_errors`."""
        room = operation.tags[0] if operation.tags else "api"
        words = operation.view_func.__name__.split("_")
        said = {room, room.removesuffix("s")} if len(words) > 1 else set()
        return "_".join([room, *(word for word in words if word not in said)])

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        complete(document)
        return document


def place_of(request: HttpRequest, id: object) -> str:
    """Return the address of what a POST made: beside those of its kind."""
    match = request.resolver_match
    route = match.route if match else request.path.removeprefix("/")
    return f"/{route.partition('<')[0]}{id}/"
