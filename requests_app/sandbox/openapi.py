"""The OpenAPI document of one endpoint, made from the same models that check its input."""

from __future__ import annotations

from typing import Any

from .models.base import Endpoint

REF = "#/components/schemas/{model}"
JSON_CONTENT = "application/json"


def document(endpoint: Endpoint, base_url: str) -> dict[str, Any]:
    """In fal's shape: queue paths, input and output schema, `x-fal-order-properties`."""
    schemas: dict[str, Any] = {"QueueStatus": QUEUE_STATUS}
    for model, mode in ((endpoint.input, "validation"), (endpoint.output, "serialization")):
        schema = model.model_json_schema(ref_template=REF, mode=mode)  # type: ignore[arg-type]
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    return {
        "openapi": "3.0.4",
        "info": {
            "title": endpoint.title,
            "version": "1.0.0",
            "description": endpoint.description,
            "x-fal-metadata": {"endpointId": endpoint.id, "category": "sandbox"},
        },
        "components": {
            "securitySchemes": {"apiKeyAuth": API_KEY},
            "schemas": {name: _ordered(schema) for name, schema in schemas.items()},
        },
        "paths": _queue_paths(endpoint) | _direct_paths(endpoint),
        "servers": [{"url": f"{base_url}/queue"}],
        "security": [{"apiKeyAuth": []}],
    }


API_KEY = {
    "type": "apiKey", "in": "header", "name": "Authorization",
    "description": "Fal Key: `Key <id>:<secret>`",
}  # fmt: skip
QUEUE_STATUS = {
    "type": "object",
    "required": ["status", "request_id"],
    "properties": {
        "status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
        "request_id": {"type": "string"},
        "response_url": {"type": "string"},
        "status_url": {"type": "string"},
        "cancel_url": {"type": "string"},
        "logs": {"type": "array", "nullable": True, "items": {"type": "object"}},
        "metrics": {"type": "object"},
        "queue_position": {"type": "integer"},
    },
}
REQUEST_ID = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
LOGS = {"name": "logs", "in": "query", "required": False, "schema": {"type": "number"}}


def _ordered(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return {**schema, "x-fal-order-properties": list(properties)} if properties else schema


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {JSON_CONTENT: {"schema": schema}}}


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {"200": {"description": "The answer.", **_content(schema)}}}


def _reference(model: type) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


def _queue_paths(endpoint: Endpoint) -> dict[str, Any]:
    status = {"$ref": REF.format(model="QueueStatus")}
    success = {"type": "object", "properties": {"success": {"type": "boolean"}}}
    given = {"required": True, **_content(_reference(endpoint.input))}
    root = f"/{endpoint.id}/requests/{{request_id}}"
    return {
        f"/{endpoint.id}": {"post": {"requestBody": given, **_answer(status)}},
        root: {"get": {"parameters": [REQUEST_ID], **_answer(_reference(endpoint.output))}},
        f"{root}/status": {"get": {"parameters": [REQUEST_ID, LOGS], **_answer(status)}},
        f"{root}/cancel": {"put": {"parameters": [REQUEST_ID], **_answer(success)}},
    }


def _direct_paths(endpoint: Endpoint) -> dict[str, Any]:
    """Streams look like any POST; `x-fal-protocol` is what marks a websocket."""
    given = {"requestBody": {"required": True, **_content(_reference(endpoint.input))}}
    paths: dict[str, Any] = {}
    if endpoint.stream:
        paths[f"/{endpoint.id}/stream"] = {"post": {**given, **_answer({})}}
    if endpoint.realtime:
        protocol = {
            "type": "realtime",
            "contentType": "application/msgpack",
            "realtimeMode": "server_streaming",
        }
        answer = _answer(_reference(endpoint.output))
        paths[f"/{endpoint.id}/realtime"] = {
            "x-fal-protocol": protocol,
            "post": {**given, **answer},
        }
    return paths
