"""An input schema as form fields: kinds, order, groups, defaults, bounds, and what cannot be understood."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from requests_app.catalogue.document import DocumentError, parse_document
from requests_app.catalogue.fields import MAX_FIELDS, MISSING, input_fields, walk
from requests_app.catalogue.kinds import Kind
from tests.catalogue.documents import COLOR, IMAGE_SIZE, document, only_field, ref, whole

TEXT = {"type": "string"}
SIZES = {"type": "string", "enum": ["square", "landscape_4_3"]}


# --- Order and groups ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (("c", "a", "b"), "cab"),
        (None, "bac"),  # required first, then as they stand
        (("gone", "c", "a"), "cab"),  # skips what is not there, appends what is missed
        (("c", "c", "a", "b"), "cab"),
        ((), "bac"),
    ],
)
def test_fields_come_in_the_authors_order(order: tuple[str, ...] | None, expected: str) -> None:
    made = document(dict.fromkeys("abc", TEXT), required=("b",), order=order)
    assert "".join(field.name for field in input_fields(made)) == expected


def test_required_and_important_fields_come_first_and_the_rest_is_folded_away() -> None:
    made = document(
        {"a": TEXT, "b": TEXT, "c": {**TEXT, "ui": {"important": True}}}, required=("a",)
    )
    assert [field.group for field in input_fields(made)] == ["main", "more", "main"]


# --- Kinds --------------------------------------------------------------------------------------

NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("title", TEXT, Kind.TEXT),
        ("prompt", TEXT, Kind.LONG_TEXT),
        ("negative_prompt", TEXT, Kind.LONG_TEXT),
        ("story", {**TEXT, "maxLength": 5000}, Kind.LONG_TEXT),
        ("notes", {**TEXT, "ui": {"field": "textarea"}}, Kind.LONG_TEXT),
        ("steps", {"type": "integer"}, Kind.INTEGER),
        ("scale", {"type": "number"}, Kind.NUMBER),
        ("scale", {"anyOf": [{"type": "integer"}, {"type": "number"}]}, Kind.NUMBER),
        ("seed", {"type": "integer"}, Kind.SEED),
        ("noise_seed", {"anyOf": [{"type": "integer"}, NULL]}, Kind.SEED),
        ("sync_mode", {"type": "boolean", "default": True}, Kind.BOOLEAN),
        ("sync_mode", {"enum": ["cut_off", "loop"], "type": "string"}, Kind.CHOICE),
        ("duration", {"type": "integer", "enum": [3, 4, 5]}, Kind.CHOICE),
        ("duration", {"type": "string", "enum": ["5", "10"]}, Kind.CHOICE),
        ("type", {"const": "video"}, Kind.CHOICE),
        ("aspect", {"anyOf": [SIZES, TEXT]}, Kind.CHOICE_OR_TEXT),
        ("aspect", {"anyOf": [SIZES, NULL]}, Kind.CHOICE),
        ("aspect", {"type": ["string", "null"], "enum": ["a", None]}, Kind.CHOICE),
        ("voice", {**TEXT, "examples": ["Ann", "Bob", None]}, Kind.CHOICE_OR_TEXT),
        ("voice", {**TEXT, "examples": ["Ann"]}, Kind.TEXT),
        ("image_size", {"anyOf": [ref("Size"), SIZES]}, Kind.CHOICE_OR_OBJECT),
        ("video_size", {"anyOf": [SIZES, ref("Size"), NULL]}, Kind.CHOICE_OR_OBJECT),
        ("size", ref("Size"), Kind.OBJECT),
        ("size", {"allOf": [ref("Size")], "title": "S"}, Kind.OBJECT),
        ("size", {"anyOf": [ref("Size"), NULL]}, Kind.OBJECT),
        ("color", ref("Color"), Kind.COLOR),
        ("styles", {"type": "array", "items": SIZES}, Kind.CHECKBOXES),
        ("sizes", {"type": "array", "items": ref("Size")}, Kind.LIST),
        ("words", {"type": "array", "items": TEXT}, Kind.LIST),
        ("labels", {"type": "object", "additionalProperties": TEXT}, Kind.MAP),
        ("free", {"type": "object", "additionalProperties": True}, Kind.JSON),
        ("free", {"type": "object"}, Kind.JSON),
        ("free", {}, Kind.JSON),
        ("free", True, Kind.JSON),
        ("free", {"type": "array", "items": {}}, Kind.JSON),
        ("pair", {"type": "array", "prefixItems": [TEXT, TEXT]}, Kind.JSON),
        ("either", {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, Kind.JSON),
        ("either", {"oneOf": [ref("Size"), ref("Color")]}, Kind.JSON),
        ("image_url", TEXT, Kind.IMAGE),
        ("end_image_url", {"anyOf": [TEXT, NULL]}, Kind.IMAGE),
        ("mask_url", TEXT, Kind.MASK),
        ("mask_image_url", TEXT, Kind.MASK),
        ("face_mask_url", TEXT, Kind.MASK),
        ("mask_url_back", TEXT, Kind.MASK),
        ("clip_video_url", TEXT, Kind.VIDEO),
        ("audio_url", TEXT, Kind.AUDIO),
        ("model_url", TEXT, Kind.MODEL_3D),
        ("images_data_url", TEXT, Kind.ARCHIVE),
        ("reference_url", TEXT, Kind.FILE),
        ("url", TEXT, Kind.FILE),
        ("curl", TEXT, Kind.TEXT),
        ("image_url", {**TEXT, "ui": {"field": "video"}}, Kind.VIDEO),
        ("start", {**TEXT, "_fal_ui_field": "image"}, Kind.IMAGE),
    ],
)  # fmt: skip
def test_the_kind_follows_type_name_and_hint(name: str, schema: Any, kind: Kind) -> None:
    assert only_field(schema, name, Size=IMAGE_SIZE, Color=COLOR).kind is kind


@pytest.mark.parametrize(
    ("name", "items", "kind"),
    [
        ("image_urls", TEXT, Kind.IMAGE),
        ("video_urls", TEXT, Kind.VIDEO),
        ("frames", {**TEXT, "_fal_ui_field": "image"}, Kind.IMAGE),
        ("words", TEXT, Kind.TEXT),
        ("points", {"type": "array", "items": {"type": "number"}}, Kind.LIST),
        ("colors", ref("Color"), Kind.COLOR),
    ],
)
def test_a_list_says_what_it_holds(name: str, items: Any, kind: Kind) -> None:
    field = only_field({"type": "array", "items": items}, name, Color=COLOR)
    assert field.item is not None
    assert (field.item.kind, field.item.path) == (kind, f"/{name}/*")


def test_nested_fields_have_pointers_into_the_input() -> None:
    lora = {
        "type": "object",
        "properties": {"a/b": TEXT, "scale": {"type": "number"}},
        "required": ["a/b"],
    }
    field = only_field({"type": "array", "items": ref("Lora")}, "loras", Lora=lora)
    assert [inner.path for inner in walk((field,))] == [
        "/loras", "/loras/*", "/loras/*/a~1b", "/loras/*/scale",
    ]  # fmt: skip


# --- Values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "default"),
    [
        (TEXT, MISSING),
        ({**TEXT, "default": ""}, ""),
        ({"type": "boolean", "default": False}, False),
        ({"anyOf": [TEXT, NULL], "default": None}, None),
        (
            {"anyOf": [ref("Size"), SIZES], "default": {"width": 7, "height": 8}},
            {"width": 7, "height": 8},
        ),
    ],
)
def test_a_default_is_kept_and_none_is_no_null(schema: Any, default: Any) -> None:
    assert only_field(schema, Size=IMAGE_SIZE).default == default


def test_the_default_of_an_object_overrides_those_of_its_members() -> None:
    field = only_field({"anyOf": [ref("Size"), SIZES], "default": {"width": 7}}, Size=IMAGE_SIZE)
    assert [(inner.name, inner.default) for inner in field.fields] == [
        ("width", 7),
        ("height", 512),
    ]


@pytest.mark.parametrize(
    ("schema", "choices"),
    [
        ({"type": "integer", "enum": [1, 2, 1]}, (1, 2)),
        ({"enum": ["5", "10"]}, ("5", "10")),
        ({"enum": ["None", None]}, ("None",)),
        ({"const": 3}, (3,)),
        ({"anyOf": [SIZES, TEXT]}, ("square", "landscape_4_3")),
        ({"enum": [True, 1, 1.0]}, (True, 1, 1.0)),
        ({"type": "array", "items": SIZES}, ("square", "landscape_4_3")),
    ],
)
def test_choices_keep_type_and_order(schema: Any, choices: tuple[Any, ...]) -> None:
    found = only_field(schema).choices
    assert [(type(value), value) for value in found] == [(type(value), value) for value in choices]


def test_bounds_are_told_with_whether_they_are_allowed_themselves() -> None:
    bounds = only_field(
        {"type": "integer", "exclusiveMinimum": 0, "maximum": 9, "multipleOf": 3}
    ).bounds
    assert (bounds.minimum, bounds.exclusive_minimum, bounds.maximum, bounds.step) == (
        0,
        True,
        9,
        3,
    )


@pytest.mark.parametrize(
    ("schema", "is_slider"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 4}, True),
        ({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, NULL]}, True),
        ({"type": "integer", "minimum": 1}, False),
        ({"type": "string", "minLength": 1, "maxLength": 4}, False),
    ],
)
def test_a_slider_needs_two_bounds(schema: Any, is_slider: bool) -> None:
    assert only_field(schema).is_slider is is_slider


def test_texts_for_people_are_kept_without_their_indentation() -> None:
    field = only_field(
        {"description": "\n            First.\n            Second.\n        ", "type": "string"}
    )
    assert field.help == "First.\nSecond."


# --- What cannot be understood ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        (ref("Gone"), "Gone is missing from the schema"),
        ({"$ref": "other.json"}, "other.json is missing"),
        ({"$ref": 7}, "is missing"),
        ({"allOf": [ref("Loop")]}, "contains itself"),
        ({"anyOf": [ref("Loop"), NULL]}, "contains itself"),
    ],
)
def test_one_field_is_json_when_its_reference_leads_nowhere(schema: Any, note: str) -> None:
    loop = {"allOf": [ref("Loop")]}
    fields = input_fields(document({"a": TEXT, "b": schema, "c": TEXT}, Loop=loop))
    assert [field.kind for field in fields] == [Kind.TEXT, Kind.JSON, Kind.TEXT]
    assert note in fields[1].note


def test_a_schema_that_contains_itself_stops_at_the_second_time() -> None:
    node = {"type": "object", "properties": {"name": TEXT, "next": ref("Node")}}
    [name, following] = only_field(ref("Node"), Node=node).fields
    assert (name.kind, following.kind) == (Kind.TEXT, Kind.JSON)


def test_objects_inside_objects_without_end_become_json() -> None:
    schema: dict[str, Any] = TEXT
    for _ in range(50):
        schema = {"type": "object", "properties": {"in": schema}}
    kinds = [field.kind for field in walk((only_field(schema),))]
    assert kinds[-1] is Kind.JSON
    assert len(kinds) < 10


def test_a_huge_schema_ends_in_json_fields() -> None:
    made = document({f"f{n}": TEXT for n in range(MAX_FIELDS + 10)})
    kinds = [field.kind for field in input_fields(made)]
    assert kinds.count(Kind.TEXT) == MAX_FIELDS
    assert kinds.count(Kind.JSON) == 10


def test_an_input_without_properties_has_no_fields() -> None:
    assert input_fields(document({})) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3)
    ),
    max_leaves=8,
)
KEYWORDS = st.sampled_from(
    ["type", "enum", "anyOf", "oneOf", "allOf", "items", "properties", "required", "default", "examples", "title",
     "description", "minimum", "maximum", "ui", "x-fal", "const", "$ref", "additionalProperties", "multipleOf"]
)  # fmt: skip


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYWORDS, JSON, max_size=6), st.text(max_size=8))
def test_no_schema_makes_it_fail(schema: Any, name: str) -> None:
    root = whole({"In": {"type": "object", "properties": {name: schema, "prompt": TEXT}}})
    fields = input_fields(parse_document(json.dumps(root).encode()))
    assert "prompt" in [field.name for field in fields]


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_no_damage_to_a_document_makes_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    properties = {
        "prompt": TEXT, "size": {"anyOf": [ref("Size"), SIZES]}, "colors": {"type": "array", "items": ref("Color")},
    }  # fmt: skip
    root = whole(
        {"In": {"type": "object", "properties": properties}, "Size": IMAGE_SIZE, "Color": COLOR}
    )
    root = copy.deepcopy(root)
    damage(root, chance)
    try:
        input_fields(parse_document(json.dumps(root).encode()))
    except DocumentError:
        assert not isinstance(root.get("paths"), dict)


def damage(node: Any, chance: random.Random) -> None:
    """Drop or retype some of it."""
    entries = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
    for key, value in entries:
        if chance.random() < 0.06:
            node[key] = chance.choice([None, 7, "text", [], {}, [node.__class__()]])
        elif isinstance(value, dict | list):
            damage(value, chance)
