"""Fields as widgets: which control, what it shows, what it sends."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.catalogue.fields import input_fields
from requests_app.forms.schema_form import Widget, groups, widgets
from tests.catalogue.documents import COLOR, IMAGE_SIZE, document, only_field, ref

TEXT = {"type": "string"}


def only_widget(schema: Any, name: str = "thing") -> Widget:
    [widget] = widgets([only_field(schema, name, Size=IMAGE_SIZE, Color=COLOR)])
    return widget


@pytest.mark.parametrize(
    ("name", "schema", "control"),
    [
        ("a", TEXT, "text"),
        ("prompt", TEXT, "long_text"),
        ("a", {"type": "integer"}, "number"),
        ("seed", {"type": "integer"}, "seed"),
        ("a", {"type": "boolean"}, "switch"),
        ("a", {"enum": ["jpeg", "png"]}, "buttons"),
        ("a", {"enum": ["a long choice of words", "another long choice of words"]}, "select"),
        ("a", {"enum": list(range(9))}, "select"),
        ("a", {"enum": [f"v{n}" for n in range(181)]}, "filter"),
        ("a", {"anyOf": [{"enum": ["1:1"]}, TEXT]}, "combobox"),
        ("a", {"anyOf": [{"enum": ["square"]}, ref("Size")]}, "size"),
        ("a", {"type": "array", "items": {"enum": ["x", "y"]}}, "checkboxes"),
        ("a", ref("Color"), "color"),
        ("a", ref("Size"), "object"),
        ("a", {"type": "array", "items": TEXT}, "list"),
        ("image_url", TEXT, "media"),
        ("a", {"type": "object", "additionalProperties": TEXT}, "json"),
        ("a", {}, "json"),
    ],
)
def test_each_kind_has_its_control(name: str, schema: Any, control: str) -> None:
    assert only_widget(schema, name).control == control


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["5", "10"], [("5", '"5"'), ("10", '"10"')]),
        ([5, 10], [("5", "5"), ("10", "10")]),
        ([True, "true"], [("true", "true"), ("true", '"true"')]),
        (['é "q"'], [('é "q"', '"é \\"q\\""')]),
    ],
)
def test_choices_travel_as_json_so_that_types_stay(values: Any, expected: Any) -> None:
    assert [(o.text, o.json) for o in only_widget({"enum": values}).options] == expected


@pytest.mark.parametrize(
    ("schema", "default", "text"),
    [
        (TEXT, "", ""),
        ({**TEXT, "default": ""}, '""', ""),
        ({"type": "integer", "default": 28}, "28", "28"),
        ({"type": "boolean", "default": False}, "false", "false"),
        ({**TEXT, "default": "x" * 100}, f'"{"x" * 100}"', ""),
    ],
)
def test_a_default_is_shown_and_no_default_is_nothing(schema: Any, default: str, text: str) -> None:
    widget = only_widget(schema)
    assert (widget.default_json, widget.default_text) == (default, text)


@pytest.mark.parametrize(
    ("schema", "has_slider", "step"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 50}, True, "1"),
        ({"type": "number", "minimum": 0, "maximum": 1}, True, "0.01"),
        ({"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.001}, True, "0.001"),
        ({"type": "integer", "minimum": 0, "maximum": 2**31}, False, "1"),
        ({"type": "integer", "minimum": 5, "maximum": 5}, False, "1"),
        ({"type": "integer", "minimum": 1}, False, "1"),
    ],
)
def test_a_slider_is_there_when_it_can_be_set(schema: Any, has_slider: bool, step: str) -> None:
    widget = only_widget(schema)
    assert (widget.has_slider, widget.step) == (has_slider, step)


@pytest.mark.parametrize(
    ("schema", "limits"),
    [
        ({**TEXT, "maxLength": 4000}, "at most 4,000 characters"),
        ({"type": "integer", "minimum": 1}, "at least 1"),
        ({"type": "number", "exclusiveMinimum": 0}, "more than 0"),
        ({"type": "array", "items": TEXT, "minItems": 1, "maxItems": 4}, "1 to 4 items"),
        ({**TEXT, "x-fal": {"max_width": 4096, "odd": "x"}}, "at most 4,096 px wide"),
        (TEXT, ""),
    ],
)
def test_limits_are_told_in_short_words(schema: Any, limits: str) -> None:
    assert only_widget(schema).limits == limits


def test_nothing_is_folded_away_when_nothing_is_required() -> None:
    main, more = groups(input_fields(document({"a": TEXT, "b": TEXT})))
    assert (len(main), len(more)) == (2, 0)


def test_hidden_fields_are_not_drawn() -> None:
    fields = input_fields(document({"a": TEXT, "b": {**TEXT, "ui": {"hidden": True}}}))
    assert [widget.field.name for widget in widgets(fields)] == ["a"]


@pytest.mark.parametrize(
    ("title", "shows"), [("Image Size", False), ("image_size", False), ("CFG", True)]
)
def test_the_name_is_shown_when_the_title_says_something_else(title: str, shows: bool) -> None:
    assert only_widget({**TEXT, "title": title}, "image_size").shows_name is shows
