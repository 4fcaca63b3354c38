"""The OpenAPI document of one endpoint, made from the same models that check its input.

In fal's shape, which no validator of OpenAPI 3.0 accepts: `examples` and `anyOf … null` in schemas, numbers as exclusive
bounds, properties whose order only `x-fal-order-properties` tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from .models.base import Endpoint

REF = "#/components/schemas/{model}"
JSON_CONTENT = "application/json"
ORDER = "x-fal-order-properties"


class _WithoutNull(GenerateJsonSchema):
    """As pydantic 1 writes it: what may be null is only not required."""

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])


def document(endpoint: Endpoint, base_url: str) -> dict[str, Any]:
    """Queue paths, input and output schema, `x-fal-metadata`."""
    given, schemas = _schemas(endpoint, "Input")
    answered, more = _schemas(endpoint, "Output")
    made = {
        "openapi": endpoint.openapi,
        "info": {
            "title": f"Queue OpenAPI for {endpoint.id}",
            "version": "1.0.0",
            "description": f"The OpenAPI schema for the {endpoint.id} queue.",
            "x-fal-metadata": _metadata(endpoint),
        },
        "components": {
            "securitySchemes": {"apiKeyAuth": API_KEY},
            "schemas": {"QueueStatus": QUEUE_STATUS, **schemas, **more},
        },
        "paths": _queue_paths(endpoint, given, answered) | _direct_paths(endpoint, given, answered),
        "servers": [{"url": "{base_url}/queue"}],
        "security": [{"apiKeyAuth": []}],
    }
    filled: dict[str, Any] = _filled(made, base_url)
    return filled


def thumbnail(endpoint_id: str) -> str:
    """Address of the endpoint's picture; `{base_url}` is left to be filled in."""
    return f"{{base_url}}/cdn/samples/thumbnail-{endpoint_id.replace('/', '-')}.jpg"


def _metadata(endpoint: Endpoint) -> dict[str, str]:
    page = f"{{base_url}}/models/{endpoint.id}"
    facts = {
        "endpointId": endpoint.id,
        "category": endpoint.category,
        "thumbnailUrl": thumbnail(endpoint.id),
        "playgroundUrl": page,
        "documentationUrl": f"{page}/api",
    }
    return {**facts, "about": endpoint.about} if endpoint.about else facts


def _filled(value: Any, base_url: str) -> Any:
    if isinstance(value, str):
        return value.replace("{base_url}", base_url)
    if isinstance(value, list):
        return [_filled(item, base_url) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, base_url) for key, item in value.items()}
    return value


def _schemas(endpoint: Endpoint, side: str) -> tuple[str, dict[str, Any]]:
    """The name of the input's or output's schema, and all that it needs."""
    model = endpoint.input if side == "Input" else endpoint.output
    schema = model.model_json_schema(
        ref_template=REF,
        mode="validation" if side == "Input" else "serialization",
        schema_generator=GenerateJsonSchema if endpoint.nullable else _WithoutNull,
    )
    name = _camel_case(endpoint.id) + side
    found = {**schema.pop("$defs", {}), name: schema}
    return name, {
        endpoint.names.get(own, own): _in_fals_words(part, endpoint) for own, part in found.items()
    }


def _camel_case(endpoint_id: str) -> str:
    """Without the owner: `sandbox/flux/dev` -> `FluxDev`."""
    words = re.split(r"[^A-Za-z0-9]+", endpoint_id.partition("/")[2])
    return "".join(word[:1].upper() + word[1:] for word in words)


def _in_fals_words(schema: Any, endpoint: Endpoint) -> Any:
    """With the author's order, and without the null that stands for "no default"."""
    if isinstance(schema, list):
        return [_in_fals_words(item, endpoint) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key != "default" or value is not None}
    made = {
        key: value if key in ("default", "examples") else _in_fals_words(value, endpoint)
        for key, value in kept.items()
    }
    if isinstance(reference := made.get("$ref"), str):
        _rename(made, reference, endpoint)
    if made.get("type") == "object" and "properties" in made:
        made[ORDER] = list(made["properties"])
        made["properties"] = dict(sorted(made["properties"].items(), key=_scattered))
    return made


def _rename(made: dict[str, Any], reference: str, endpoint: Endpoint) -> None:
    name = reference.rpartition("/")[2]
    made["$ref"] = REF.format(model=endpoint.names.get(name, name))
    if not endpoint.nullable and len(made) > 1:
        made["allOf"] = [{"$ref": made.pop("$ref")}]  # pydantic 1 allows nothing beside a $ref


def _scattered(item: tuple[str, Any]) -> str:
    """An order that means nothing, like fal's."""
    return item[0][::-1]


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


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {JSON_CONTENT: {"schema": schema}}}


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {"200": {"description": "The answer.", **_content(schema)}}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REF.format(model=name)}


def _queue_paths(endpoint: Endpoint, name: str, answer: str) -> dict[str, Any]:
    status = {"$ref": REF.format(model="QueueStatus")}
    success = {"type": "object", "properties": {"success": {"type": "boolean"}}}
    given = {"required": True, **_content(_reference(name))}
    root = f"/{endpoint.id}/requests/{{request_id}}"
    return {
        f"/{endpoint.id}": {"post": {"requestBody": given, **_answer(status)}},
        root: {"get": {"parameters": [REQUEST_ID], **_answer(_reference(answer))}},
        f"{root}/status": {"get": {"parameters": [REQUEST_ID, LOGS], **_answer(status)}},
        f"{root}/cancel": {"put": {"parameters": [REQUEST_ID], **_answer(success)}},
    }


def _direct_paths(endpoint: Endpoint, name: str, output: str) -> dict[str, Any]:
    """Streams look like any POST; `x-fal-protocol` is what marks a websocket."""
    given = {"requestBody": {"required": True, **_content(_reference(name))}}
    paths: dict[str, Any] = {}
    if endpoint.stream:
        paths[f"/{endpoint.id}/stream"] = {"post": {**given, **_answer({})}}
    if endpoint.realtime:
        protocol = {
            "type": "realtime",
            "contentType": "application/msgpack",
            "realtimeMode": "server_streaming",
        }
        answer = _answer(_reference(output))
        paths[f"/{endpoint.id}/realtime"] = {
            "x-fal-protocol": protocol,
            "post": {**given, **answer},
        }
    return paths
