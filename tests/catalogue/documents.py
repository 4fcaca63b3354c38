"""Endpoint documents in fal's shape, made for one test each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from requests_app.catalogue.document import Document, parse_document
from requests_app.catalogue.fields import Field, input_fields

IMAGE_SIZE = {
    "title": "ImageSize",
    "type": "object",
    "properties": {
        "width": {"type": "integer", "default": 512, "maximum": 14142, "exclusiveMinimum": 0},
        "height": {"type": "integer", "default": 512, "maximum": 14142, "exclusiveMinimum": 0},
    },
    "x-fal-order-properties": ["width", "height"],
}
COLOR = {
    "title": "RGBColor",
    "type": "object",
    "properties": {c: {"type": "integer", "minimum": 0, "maximum": 255} for c in "rgb"},
}


def ref(name: str) -> dict[str, str]:
    """A reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def document(
    properties: Mapping[str, Any],
    *,
    required: tuple[str, ...] = (),
    order: tuple[str, ...] | None = None,
    **schemas: Any,
) -> Document:
    """The document of `acme/thing` whose input has these properties."""
    given: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if required:
        given["required"] = list(required)
    if order is not None:
        given["x-fal-order-properties"] = list(order)
    output = {"type": "object", "properties": {"seed": {"type": "integer"}}}
    return parse_document(json.dumps(whole({"In": given, "Out": output, **schemas})).encode())


def whole(schemas: Mapping[str, Any], endpoint_id: str = "acme/thing") -> dict[str, Any]:
    """All of a document, with the paths fal gives each endpoint."""

    def reply(name: str) -> dict[str, Any]:
        return {"200": {"content": {"application/json": {"schema": ref(name)}}}}

    body = {"required": True, "content": {"application/json": {"schema": ref("In")}}}
    root = f"/{endpoint_id}/requests/{{request_id}}"
    return {
        "openapi": "3.0.4",
        "info": {
            "title": f"Queue OpenAPI for {endpoint_id}",
            "version": "1.0.0",
            "x-fal-metadata": {"endpointId": endpoint_id, "category": "text-to-image"},
        },
        "components": {"schemas": {"QueueStatus": {"type": "object"}, **schemas}},
        "paths": {
            f"{root}/status": {"get": {"responses": reply("QueueStatus")}},
            f"{root}/cancel": {"put": {"responses": reply("QueueStatus")}},
            f"/{endpoint_id}": {"post": {"requestBody": body, "responses": reply("QueueStatus")}},
            root: {"get": {"responses": reply("Out")}},
        },
    }


def only_field(schema: Any, name: str = "thing", **schemas: Any) -> Field:
    """The field that this schema becomes."""
    [field] = input_fields(document({name: schema}, **schemas))
    return field
