"""Runs a model once and turns whatever happens into a reply."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import AsyncIterator

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from .models.base import Cancelled, Context, Endpoint, ModelError
from .replies import Reply, infrastructure_error, model_error, to_json

logger = logging.getLogger(__name__)


def read_input(endpoint: Endpoint, body: bytes) -> BaseModel:
    """Raises ModelError 422 with one entry per wrong field, as fal apps answer."""
    if not body.strip():
        raise ModelError(422, [_problem("missing", [], "Field required", None)])
    try:
        data = json.loads(body, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as exc:
        position = getattr(exc, "pos", 0)
        raise ModelError(
            422, [_problem("json_invalid", [position], "JSON decode error", {})]
        ) from None
    try:
        return endpoint.input.model_validate(data)
    except ValidationError as exc:
        raise ModelError(422, _field_errors(exc)) from None


def _finite(text: str) -> float:
    """JSON has no NaN and no infinity: what came in must be able to go out again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("out of range")
    return number


def _problem(kind: str, where: list[int], message: str, value: object) -> dict[str, object]:
    return {"type": kind, "loc": ["body", *where], "msg": message, "input": value}


def _field_errors(exc: ValidationError) -> list[dict[str, object]]:
    # `ctx` may hold exceptions; they become their texts.
    problems = to_jsonable_python(exc.errors(include_url=False), fallback=str)
    for problem in problems:
        location = problem["loc"]
        problem["loc"] = ["body", *location]
    return list(problems)


async def execute(endpoint: Endpoint, body: bytes, context: Context) -> Reply:
    """One attempt. A failing model never raises out of here."""
    try:
        output = _dump(endpoint, await endpoint.run(read_input(endpoint, body), context))
    except ModelError as exc:
        return model_error(exc.status_code, exc.detail)
    except Cancelled:
        return cancelled()
    except Exception as exc:
        # The model's own failure: its text stays in the log, as fal keeps tracebacks from callers.
        logger.info("model %s failed: %r", endpoint.id, exc)
        context.log(f"{type(exc).__name__}: {exc}", "ERROR")
        return crashed()
    return Reply(200, output, {"x-fal-billable-units": f"{context.units:g}"})


def _dump(endpoint: Endpoint, output: BaseModel) -> bytes:
    # Not pydantic's own JSON, which fails on the lone surrogates that an echoed input may hold.
    return to_json(output.model_dump(mode="json", exclude_none=not endpoint.nullable))


def cancelled() -> Reply:
    return infrastructure_error(499, "client_cancelled", "Request was cancelled by the client")


def crashed() -> Reply:
    # The body is the app's own; that the platform names it runner_server_error is UNCONFIRMED.
    reply = model_error(500, "Internal Server Error")
    return Reply(500, reply.body, reply.headers, "runner_server_error")


async def events(endpoint: Endpoint, given: BaseModel, context: Context) -> AsyncIterator[bytes]:
    """The model's events as JSON texts. A failure cuts the stream short, as on fal."""
    if endpoint.stream is None:
        return
    async for event in endpoint.stream(given, context):
        yield _dump(endpoint, event)
