"""The sandbox's endpoints, judged from outside: documents as the product reads them, inputs and outputs by the documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from requests_app.catalogue.document import Document, parse_document
from requests_app.catalogue.fields import MISSING, Field, input_fields, walk
from requests_app.catalogue.kinds import MEDIA, Kind
from requests_app.catalogue.validation import Validator
from requests_app.sandbox.models import ENDPOINTS
from tests.sandbox.calls import ended, submit

# These are there to fail, or to take their time.
SPECIAL = {"sandbox/crash", "sandbox/patient", "sandbox/slow"}
RUNNABLE = [name for name in ENDPOINTS if name not in SPECIAL]


def fetched(http: httpx.Client, endpoint_id: str) -> Document:
    reply = http.get("/openapi", params={"endpoint_id": endpoint_id})
    assert reply.status_code == 200
    return parse_document(reply.content)


def example(document: Document) -> dict[str, Any]:
    """What a person gets by one press: the required fields, with the document's own examples."""
    fields = [field for field in input_fields(document) if field.required]
    assert [field.name for field in fields if field.example is MISSING] == []
    return {field.name: field.example for field in fields}


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_a_document_is_read_whole(http, endpoint_id):
    document = fetched(http, endpoint_id)
    assert document.metadata["endpointId"] == endpoint_id
    assert document.metadata["category"]
    assert document.output_schema()
    assert [field.path for field in walk(input_fields(document)) if field.note] == []


def test_thumbnails_and_samples_are_served(http):
    for name in ("sandbox/flux/dev", "acme/paint-over"):
        reply = http.get(fetched(http, name).metadata["thumbnailUrl"])
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
    assert http.get("/cdn/samples/thing.exe").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("endpoint_id", RUNNABLE)
def test_the_example_is_valid_and_runs_to_an_output_of_its_schema(http, endpoint_id):
    document = fetched(http, endpoint_id)
    given = example(document)
    assert Validator(document).problems(given) == []
    receipt = submit(http, endpoint_id, **given)
    assert "error" not in ended(http, receipt)
    output = http.get(receipt["response_url"]).json()
    schema = {"allOf": [document.output_schema()], "components": document.root["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(output)
    for url, content_type in files(output):
        reply = http.get(url)
        assert reply.status_code == 200, url
        assert content_type in ("", reply.headers["content-type"])
        assert SIGNATURES[reply.headers["content-type"]] in reply.content[:64]


SIGNATURES = {
    "image/jpeg": b"\xff\xd8", "image/png": b"\x89PNG", "image/webp": b"WEBP", "image/svg+xml": b"<svg",
    "video/webm": b"webm", "audio/wav": b"WAVE", "model/gltf-binary": b"glTF",
    "application/octet-stream": b"__metadata__", "application/json": b"{",
}  # fmt: skip


def files(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(value.get("url"), str):
            yield value["url"], value.get("content_type") or ""
        for key, member in value.items():
            yield from files(member, key) if key != "url" and key != "received" else ()
    elif isinstance(value, list):
        for item in value:
            yield from files(item, name)
    elif isinstance(value, str) and name.endswith("_url"):
        yield value, ""


WRONG: dict[Kind, Any] = {
    **dict.fromkeys((Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE_OR_TEXT, *MEDIA), 7),
    **dict.fromkeys((Kind.INTEGER, Kind.NUMBER, Kind.SEED, Kind.BOOLEAN, Kind.CHOICE), "no such"),
    **dict.fromkeys((Kind.OBJECT, Kind.LIST, Kind.MAP, Kind.JSON, Kind.CHOICE_OR_OBJECT), "no such"),
    Kind.CHECKBOXES: ["no such"],
    Kind.COLOR: {"r": 1, "g": 2, "b": 256},
}  # fmt: skip


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_a_wrong_value_of_each_field_is_refused_by_the_document_and_by_the_endpoint(
    http, endpoint_id
):
    document = fetched(http, endpoint_id)
    good, validator = usable(document), Validator(document)
    for field in input_fields(document):
        given = {**good, field.name: WRONG[field.kind]}
        problems = validator.problems(given)
        assert problems, field.path
        assert all(problem.path.startswith(field.path) for problem in problems)
        reply = http.post(f"/run/{endpoint_id}", json=given)
        assert reply.status_code == 422, field.path
        assert {problem["loc"][1] for problem in reply.json()["detail"]} == {field.name}


def usable(document: Document) -> dict[str, Any]:
    """Valid, also where the document has no example for a required field."""
    found = {f.name: f.example for f in input_fields(document) if f.required}
    return {name: "data:,x" if value is MISSING else value for name, value in found.items()}


@pytest.mark.parametrize(
    ("endpoint_id", "given", "path"),
    [
        ("sandbox/compose/video", {"tracks": [{"id": "1", "type": "video", "keyframes": [
            {"timestamp": 0, "duration": 1}]}]}, "/tracks/0/keyframes/0/url"),
        ("sandbox/track/image-to-video", {"track": [[{"x": 1, "y": 2}], [{"x": "left", "y": 1}]]},
         "/track/1/0/x"),
        ("sandbox/segment/image", {"prompts": [{"label": 2}]}, "/prompts/0/label"),
        ("sandbox/flux/lora", {"controlnet": {"path": "a"}}, "/controlnet/control_image_url"),
        ("sandbox/flux/dev", {"image_size": {"width": 0, "height": 8}}, "/image_size/width"),
        ("sandbox/structured-edit", {"structured_instruction": {"objects": [
            {"bounding_boxes": [{"x": 1, "y": 1, "w": 1, "h": 1}]}]}},
         "/structured_instruction/objects/0/bounding_boxes/0/label"),
        ("sandbox/upscale/image", {"noise_scale": 0.1005}, "/noise_scale"),
        ("sandbox/flux/ultra", {"safety_tolerance": 2}, "/safety_tolerance"),
        ("acme/courser/reference-to-video", {"duration": "5"}, "/duration"),
        ("acme/paint-over", {"styles": ["ink", "oil", "chalk"]}, "/styles"),
        ("acme/paint-over", {"labels": {"a": 1}}, "/labels/a"),
    ],
)  # fmt: skip
def test_a_wrong_value_deep_inside_is_found_at_its_place(http, endpoint_id, given, path):
    document = fetched(http, endpoint_id)
    problems = Validator(document).problems({**example(document), **given})
    assert {problem.path for problem in problems} == {path}
    reply = http.post(f"/run/{endpoint_id}", json={**example(document), **given})
    assert reply.status_code == 422


def field(http: httpx.Client, endpoint_id: str, path: str) -> Field:
    return next(f for f in walk(input_fields(fetched(http, endpoint_id))) if f.path == path)


def test_between_them_every_kind_of_field_occurs(http):
    found = {f.kind for name in ENDPOINTS for f in walk(input_fields(fetched(http, name)))}
    assert found == set(Kind)


@pytest.mark.parametrize(
    ("endpoint_id", "path", "expected"),
    [
        ("sandbox/flux/dev", "/image_size", {"kind": Kind.CHOICE_OR_OBJECT, "default": "landscape_4_3"}),
        ("sandbox/flux/dev", "/seed", {"kind": Kind.SEED, "nullable": True, "default": MISSING}),
        ("sandbox/flux/dev", "/guidance_scale", {"title": "Guidance scale (CFG)", "is_slider": True}),
        ("sandbox/flux/lora", "/seed", {"kind": Kind.SEED, "nullable": False}),
        ("sandbox/flux/lora", "/image_size", {"kind": Kind.CHOICE_OR_OBJECT, "default": MISSING}),
        ("sandbox/flux/lora", "/controlnet", {"kind": Kind.OBJECT, "required": False,
                                              "help": "A model that steers the shape."}),
        ("sandbox/flux/lora", "/loras/*/path", {"kind": Kind.TEXT, "required": True}),
        ("sandbox/flux/lora", "/ip_adapter/mask_image_url", {"kind": Kind.MASK}),
        ("sandbox/flux/ultra", "/aspect_ratio", {"kind": Kind.CHOICE_OR_TEXT, "default": "16:9"}),
        ("sandbox/flux/ultra", "/safety_tolerance", {"choices": ("1", "2", "3", "4", "5", "6")}),
        ("sandbox/dream/v4/text-to-image", "/image_size",
         {"default": {"width": 2048, "height": 2048}, "important": True, "example": "auto_2K"}),
        ("sandbox/flux/kontext", "/aspect_ratio", {"kind": Kind.CHOICE, "nullable": True}),
        ("sandbox/flux/kontext", "/image_url", {"kind": Kind.IMAGE, "required": True}),
        ("sandbox/vector/v3", "/colors/*", {"kind": Kind.COLOR}),
        ("acme/courser/reference-to-video", "/image_urls/*", {"kind": Kind.IMAGE}),
        ("acme/courser/reference-to-video", "/duration", {"choices": tuple(range(3, 16)), "default": 5}),
        ("sandbox/transcribe", "/num_speakers", {"kind": Kind.INTEGER, "nullable": True}),
        ("sandbox/lipsync/v2", "/sync_mode", {"kind": Kind.CHOICE, "default": "cut_off"}),
        ("sandbox/track/image-to-video", "/track/*/*/x", {"kind": Kind.NUMBER, "required": True}),
        ("sandbox/compose/video", "/tracks/*/keyframes/*/url", {"kind": Kind.FILE}),
        ("sandbox/structured-edit", "/structured_instruction/objects/*/colors/*/red",
         {"kind": Kind.INTEGER, "required": True}),
        ("sandbox/structured-edit", "/structured_instruction", {"kind": Kind.OBJECT, "nullable": True}),
        ("sandbox/voice/tts/v3", "/voice", {"kind": Kind.CHOICE_OR_TEXT, "required": True}),
        ("sandbox/mesh/multi-image-to-3d", "/texture_size", {"choices": (512, 1024, 2048)}),
        ("sandbox/flux/lora-training", "/images_data_url", {"kind": Kind.ARCHIVE}),
        ("acme/paint-over", "/debug", {"hidden": True}),
        ("acme/paint-over", "/build", {"frozen": True, "kind": Kind.TEXT}),
        ("acme/paint-over", "/notes", {"kind": Kind.LONG_TEXT, "hint": "Not sent to the model."}),
        ("acme/paint-over", "/background", {"kind": Kind.COLOR, "default": {"r": 255, "g": 255, "b": 255}}),
        ("acme/paint-over", "/clips/*", {"kind": Kind.VIDEO}),
        ("acme/router", "/request_id", {"kind": Kind.TEXT, "required": True}),
        ("acme/router", "/format", {"kind": Kind.CHOICE, "choices": ("json",)}),
    ],
)  # fmt: skip
def test_fields_are_what_their_authors_meant(http, endpoint_id, path, expected):
    found = field(http, endpoint_id, path)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_sizes_that_forms_must_cope_with_are_there(http):
    assert len(input_fields(fetched(http, "sandbox/post-processing"))) == 54
    assert len(field(http, "sandbox/template-to-video", "/template").choices) == 181
    assert input_fields(fetched(http, "sandbox/surprise")) == ()
    assert not any(f.required for f in input_fields(fetched(http, "sandbox/structured-edit")))
    limits = field(http, "acme/paint-over", "/clip_url").limits
    assert limits and limits["normalization"] == {"max_duration": 15}
    assert "| `clips` |" in fetched(http, "acme/paint-over").metadata["about"]


def test_a_picture_that_is_uploaded_is_what_is_worked_on(http):
    begun = http.post("/rest/storage/upload/initiate", json={"content_type": "image/png"}).json()
    data = http.get("/cdn/samples/mask.png").content
    assert http.put(begun["upload_url"], content=data).status_code == 200
    given = {"image_url": begun["file_url"], "upscale_factor": 1, "output_format": "png"}
    image = http.post("/run/sandbox/upscale/image", json=given).json()["image"]
    assert (image["width"], image["height"]) == (640, 420)
    broken = {**given, "image_url": "data:image/png;base64,AAAA"}
    reply = http.post("/run/sandbox/upscale/image", json=broken)
    assert [problem["type"] for problem in reply.json()["detail"]] == ["image_load_error"]


@pytest.mark.parametrize("size", [(1, 1), (14142, 1), (1, 14142), (14142, 14142), (33, 7)])
def test_every_size_the_schema_allows_is_painted(http, size):
    given = {"prompt": "x", "image_size": {"width": size[0], "height": size[1]},
             "num_inference_steps": 1}  # fmt: skip
    reply = http.post("/run/sandbox/flux/dev", content=json.dumps(given))
    assert reply.status_code == 200, reply.text
    assert max(reply.json()["images"][0][side] for side in ("width", "height")) <= 2048
