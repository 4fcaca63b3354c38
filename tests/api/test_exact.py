"""JSON texts in a reply stand there as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory

from requests_app.api.exact import ExactRenderer, JsonText


def rendered(data: object) -> str:
    request = RequestFactory().get("/")
    return str(ExactRenderer().render(request, data, response_status=200))


@pytest.mark.parametrize(
    "text", ['{"a": 7.50}', "1E2", '{"a":1,\n "a":2}', '"\\u00e9"', "9007199254740993", "[]"]
)
def test_a_text_is_put_in_unchanged(text: str) -> None:
    assert f'"input": {text}}}' in rendered({"x": 1, "input": JsonText(text)})
    assert rendered([JsonText(text), {"deep": [JsonText(text)]}]).count(text) == 2


def test_other_values_are_written_as_before() -> None:
    data = {"at": datetime(2026, 1, 1, tzinfo=UTC), "text": "{}", "none": None, "list": [1, "ü"]}
    assert json.loads(rendered(data)) == {**data, "at": "2026-01-01T00:00:00Z"}
