"""The schema of every endpoint: complete, and true to what the endpoint accepts."""

from __future__ import annotations

import json

import pytest

from requests_app.sandbox.models import ENDPOINTS


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(member) for member in value.values()))
    if isinstance(value, list):
        return set().union(*(references(member) for member in value))
    return set()


def fetch(http, endpoint_id: str) -> dict:
    reply = http.get("/openapi", params={"endpoint_id": endpoint_id})
    assert reply.status_code == 200
    return reply.json()


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_every_reference_leads_somewhere_and_every_input_has_an_order(http, endpoint_id):
    document = fetch(http, endpoint_id)
    schemas = document["components"]["schemas"]
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    post = document["paths"][f"/{endpoint_id}"]["post"]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    given = schemas[reference.rsplit("/", 1)[1]]
    properties = given.get("properties", {})
    assert set(given.get("x-fal-order-properties", [])) == set(properties)
    assert all({"title", "$ref", "anyOf", "allOf"} & p.keys() for p in properties.values())


def test_the_four_queue_paths_are_there(http):
    paths = fetch(http, "fal-ai/fast-sdxl/image-to-image")["paths"]
    root = "/fal-ai/fast-sdxl/image-to-image"
    request = f"{root}/requests/{{request_id}}"
    assert {path: list(methods) for path, methods in paths.items()} == {
        root: ["post"], request: ["get"], f"{request}/status": ["get"],
        f"{request}/cancel": ["put"],
    }  # fmt: skip


def test_a_stream_and_a_realtime_path_are_listed_where_they_exist(http):
    assert "/sandbox/text/stream" in fetch(http, "sandbox/text")["paths"]
    protocol = fetch(http, "sandbox/echo")["paths"]["/sandbox/echo/realtime"]["x-fal-protocol"]
    assert (protocol["type"], protocol["contentType"]) == ("realtime", "application/msgpack")


def test_limits_examples_and_choices_are_in_the_schema(http):
    schemas = fetch(http, "sandbox/strict")["components"]["schemas"]
    properties = schemas["StrictInput"]["properties"]
    assert properties["prompt"]["examples"] == ["a lighthouse"]
    assert (properties["num_images"]["minimum"], properties["num_images"]["maximum"]) == (1, 4)
    assert properties["style"]["enum"] == ["photo", "drawing", "painting"]
    assert schemas["StrictInput"]["required"] == ["prompt"]


def test_the_defaults_of_the_schema_make_a_valid_input(http):
    for endpoint_id in ("sandbox/echo", "sandbox/slow", "sandbox/text", "sandbox/large"):
        endpoint = ENDPOINTS[endpoint_id]
        given = fetch(http, endpoint_id)["components"]["schemas"][endpoint.input.__name__]
        defaults = {name: p["default"] for name, p in given["properties"].items() if "default" in p}
        assert endpoint.input.model_validate(json.loads(json.dumps(defaults)))


def test_an_unknown_endpoint_has_no_schema(http):
    for endpoint_id in ("sandbox/nothing", "x", ""):
        assert http.get("/openapi", params={"endpoint_id": endpoint_id}).status_code == 404


def test_the_catalogue_lists_every_endpoint(http):
    listed = {entry["endpoint_id"] for entry in http.get("/control/endpoints").json()}
    assert listed == set(ENDPOINTS)
