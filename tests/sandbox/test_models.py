"""What the models answer, good and bad."""

from __future__ import annotations

import base64
import io
from importlib import import_module

import pytest
from PIL import Image

from requests_app.sandbox import models
from requests_app.sandbox.models import APPS, ENDPOINTS, MODULES
from tests.sandbox.calls import ended, submit


def problems(http, endpoint_id: str, **request) -> dict[str, str]:
    """Type of each problem by its place."""
    reply = http.post(f"/run/{endpoint_id}", **request)
    assert reply.status_code == 422, reply.text
    return {".".join(map(str, p["loc"])): p["type"] for p in reply.json()["detail"]}


def picture(http, given: dict) -> tuple[Image.Image, bytes]:
    reply = http.post("/run/sandbox/image", json={"num_inference_steps": 1, **given})
    assert reply.status_code == 200, reply.text
    (image,) = reply.json()["images"]
    data = http.get(image["url"])
    assert data.headers["content-type"] == image["content_type"] == "image/png"
    opened = Image.open(io.BytesIO(data.content))
    opened.load()
    assert opened.size == (image["width"], image["height"])
    return opened, data.content


SMALL = {"image_size": {"width": 96, "height": 64}}


def test_an_image_is_a_real_png_of_the_size_asked_for(http):
    image, _ = picture(http, {"prompt": "a harbour", **SMALL})
    assert (image.format, image.size) == ("PNG", (96, 64))
    assert len(set(image.getdata() if not hasattr(image, "get_flattened_data")
                   else image.get_flattened_data())) > 100  # fmt: skip


@pytest.mark.slow
def test_prompt_and_seed_decide_the_image_and_nothing_else_does(http):
    sea = picture(http, {"prompt": "sea", "seed": 1, **SMALL})[1]
    again = picture(http, {"prompt": "sea", "seed": 1, **SMALL})[1]
    other_seed = picture(http, {"prompt": "sea", "seed": 2, **SMALL})[1]
    other_prompt = picture(http, {"prompt": "night", "seed": 1, **SMALL})[1]
    assert sea == again
    assert len({sea, other_seed, other_prompt}) == 3


def test_every_mood_size_and_chance_can_be_painted():
    from requests_app.sandbox.models.landscape import MOODS, png

    for number in range(24):
        mood = sorted(MOODS)[number % len(MOODS)]
        assert png(mood, (64 + number, 64), number).startswith(b"\x89PNG")


def test_several_images_have_their_own_files(http):
    given = {"prompt": "a hill", "num_images": 2, "num_inference_steps": 1, "seed": 5, **SMALL}
    output = http.post("/run/sandbox/image", json=given).json()
    assert len({image["url"] for image in output["images"]}) == 2
    assert (output["seed"], output["prompt"]) == (5, "a hill")
    assert output["timings"]["inference"] > 0


def test_image_to_image_keeps_the_size_of_an_inline_image(http):
    data = io.BytesIO()
    Image.new("RGB", (80, 48)).save(data, "PNG")
    url = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    given = {"image_url": url, "prompt": "a cat", "seed": 3}
    output = http.post("/run/fal-ai/fast-sdxl/image-to-image", json=given).json()
    assert (output["images"][0]["width"], output["images"][0]["height"]) == (80, 48)
    assert output["seed"] == 3


@pytest.mark.parametrize("data", ["AAAA", "A", "%%%"])
def test_an_inline_image_that_is_none_is_422(http, data):
    given = {"image_url": f"data:image/png;base64,{data}", "prompt": "a cat"}
    found = problems(http, "fal-ai/fast-sdxl/image-to-image", json=given)
    assert found == {"body.image_url": "image_load_error"}


def test_every_wrong_field_is_named_with_its_kind(http):
    given = {"prompt": "x", "num_images": 9, "style": "cubist", "guidance_scale": "much",
             "image_size": {"width": 3, "height": 512}, "typo": 1}  # fmt: skip
    found = problems(http, "sandbox/strict", json=given)
    assert found == {
        "body.prompt": "string_too_short",
        "body.num_images": "less_than_equal",
        "body.style": "literal_error",
        "body.guidance_scale": "float_parsing",
        "body.image_size.ImageSize.width": "multiple_of",
        "body.image_size.literal['square','landscape']": "literal_error",
        "body.typo": "extra_forbidden",
    }


def test_a_problem_tells_message_context_and_input(http):
    reply = http.post("/run/sandbox/strict", json={"prompt": "fine", "num_images": 9})
    (problem,) = reply.json()["detail"]
    assert (problem["input"], problem["ctx"]) == (9, {"le": 4})
    assert problem["msg"] == "Input should be less than or equal to 4"
    assert reply.headers["x-fal-billable-units"] == "0"


def test_a_models_own_objections_look_the_same(http):
    assert problems(http, "sandbox/strict", json={"prompt": "forbidden fruit"}) == {
        "body.prompt": "content_policy_violation"
    }
    assert problems(http, "sandbox/strict", json={"prompt": "fine", "image_url": "C:/a"}) == {
        "body.image_url": "image_load_error"
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", {"body": "missing"}), (b'{"a":', {"body.5": "json_invalid"}),
     (b"[1]", {"body": "model_type"}), (b"\xff\xfe", {"body.0": "json_invalid"}),
     (b"[" * 200_000, {"body.0": "json_invalid"}),
     (b'{"number":1e999}', {"body.0": "json_invalid"}),
     (b'{"number":NaN}', {"body.0": "json_invalid"}),
     (b'{"number":1' + b"0" * 9000 + b"}", {"body.0": "json_invalid"})],
)  # fmt: skip
def test_a_body_that_is_no_object_is_422(http, content, expected):
    assert problems(http, "sandbox/echo", content=content) == expected


def test_a_crash_is_a_500_without_its_reason(http):
    reply = http.post("/run/sandbox/crash", json={"after_s": 0, "message": "secret"})
    assert (reply.status_code, reply.json()) == (500, {"detail": "Internal Server Error"})


def test_a_large_output_has_the_size_asked_for(http):
    receipt = submit(http, "sandbox/large", kilobytes=300)
    ended(http, receipt)
    assert len(http.get(receipt["response_url"]).json()["text"]) == 300_000


def test_the_table_of_modules_names_all_that_the_modules_have():
    loaded = {name: import_module(f"{models.__name__}.{name}") for name in set(MODULES.values())}
    found = {e.id: name for name, module in loaded.items() for e in module.ENDPOINTS}
    assert found == MODULES


def test_every_endpoint_describes_itself_to_people():
    assert [e.id for e in ENDPOINTS.values() if not (e.title and e.description)] == []
    assert {"sandbox/image", "fal-ai/fast-sdxl", "fal-ai/any-llm"} <= APPS


def test_a_lone_surrogate_comes_back_as_it_went(http):
    reply = http.post("/run/sandbox/echo", content=b'{"message":"\\ud800"}')
    assert (reply.status_code, reply.content[:19]) == (200, b'{"message":"\\ud800"')
    found = problems(http, "sandbox/strict", content=b'{"prompt":"\\ud800"}')
    assert found == {"body.prompt": "string_unicode"}
