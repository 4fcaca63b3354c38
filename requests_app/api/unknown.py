"""Refuse unknown query parameters and body members instead of ignoring them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import Schema
from ninja.errors import HttpError, ValidationError

from requests_app.api.body import StrictParser, UnreadableBody

PAYLOAD = "payload"  # the argument that is read from the body
MAX_NAME = 100  # characters; a message may quote what was sent


def takes_bytes(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an operation that reads its body itself, for it is no JSON."""
    operation.takes_bytes = True  # type: ignore[attr-defined]
    return operation


def refuse_unknown(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Raise ValidationError for an unknown query parameter or body member, in every operation.

    Fields of a body that an operation reads are checked by its schema.
    """
    parameters = inspect.signature(operation, eval_str=True).parameters.values()
    has_body = any(parameter.name == PAYLOAD for parameter in parameters)
    has_body = has_body or getattr(operation, "takes_bytes", False)

    def check(request: HttpRequest, arguments: dict[str, Any]) -> None:
        read = (value for name, value in arguments.items() if name != PAYLOAD)
        known = {name for one in read if isinstance(one, Schema) for name in type(one).model_fields}
        _refuse("query", set(request.GET) - known, "parameter")
        if not has_body and request.method != "GET":
            _refuse("body", _members(request), "field")

    if inspect.iscoroutinefunction(operation):

        @wraps(operation)
        async def checked_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            check(request, kwargs)
            return await operation(request, *args, **kwargs)

        return checked_async

    @wraps(operation)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check(request, kwargs)
        return operation(request, *args, **kwargs)

    return checked


def _members(request: HttpRequest) -> Iterable[str]:
    """Return the members of a body that the operation does not use; it may be empty or null."""
    if not request.body.strip():
        return ()
    try:
        content = StrictParser().parse_body(request)
    except UnreadableBody as error:
        raise HttpError(400, str(error)) from error
    if content is not None and not isinstance(content, dict):
        raise HttpError(400, "") from UnreadableBody("This call takes no body.")
    return content or ()


def _refuse(place: str, names: Iterable[str], what: str) -> None:
    message = f"There is no such {what}."
    problems = [
        {"loc": [place, name[:MAX_NAME]], "msg": message, "type": "extra_forbidden"}
        for name in sorted(names)
    ]
    if problems:
        raise ValidationError(problems)
