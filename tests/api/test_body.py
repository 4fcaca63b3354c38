from __future__ import annotations

import pytest
from django.test import Client

from requests_app.api.body import digest_of
from requests_app.models import FalRequest
from tests.api.conftest import Caller

GOOD = '{"endpoint_id": "acme/one", "input": {"a": 1}}'


def _with_input(text: str) -> str:
    return GOOD.replace('{"a": 1}', text)


BOMBS = {
    "empty": ("", 422),
    "not json": ("{", 400),
    "a list": ("[]", 422),
    "a string": ('"x"', 422),
    "null": ("null", 422),
    "latin-1": (b'{"endpoint_id": "caf\xe9"}', 400),
    "utf-16": (GOOD.encode("utf-16"), 400),
    "NUL byte": (b'{"\0": 1}', 400),
    "NaN": (_with_input('{"a": NaN}'), 400),
    "-Infinity": (_with_input('{"a": -Infinity}'), 400),
    "overflowing float": (_with_input('{"a": 1e999}'), 422),
    "huge integer": (_with_input('{"a": %s}' % ("9" * 100_000)), 400),
    "name twice": (_with_input('{"a": 1, "a": 2}'), 400),
    "field twice": (GOOD[:-1] + ', "endpoint_id": "acme/two"}', 400),
    "long name twice": ('{"' + '": 1, "'.join(["x" * 9999] * 2) + '": 1}', 400),
    "65 deep": (_with_input('{"a":' * 65 + "1" + "}" * 65), 422),
    "100k deep": (_with_input('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), 422),
    "100k open": ("[" * 100_000, 422),
    "a million members": (
        _with_input("{" + ",".join(f'"k{n}":0' for n in range(10**6)) + "}"),
        422,
    ),
    "a million values": (_with_input('{"a":[' + "0," * 10**6 + "0]}"), 422),
    "a million values elsewhere": (
        GOOD[:-1] + ', "headers": {"x-a": [' + "0," * 10**6 + "0]}}",
        422,
    ),
    "input is a list": (_with_input("[1]"), 422),
    "input is text": (_with_input('"{}"'), 422),
    "surrogate in the id": ('{"endpoint_id": "a/\\ud800", "input": {}}', 422),
    "NUL in the id": ('{"endpoint_id": "a/b\\u0000", "input": {}}', 422),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bad_body_is_refused_clearly_and_stores_nothing(owner: Caller, name: str) -> None:
    body, status = BOMBS[name]
    refused = owner.post(body=body)
    assert refused.status_code == status
    for problem in refused.json()["detail"]:
        assert set(problem) == {"loc", "msg", "type"}
        assert problem["loc"][0] == "body"
        assert 0 < len(problem["msg"]) <= 500
    assert not FalRequest.objects.exists()


def test_an_error_says_where(owner: Caller) -> None:
    [problem] = owner.post(body='{\n  "endpoint_id": acme\n}').json()["detail"]
    assert problem == {
        "loc": ["body"],
        "msg": "Not JSON: Expecting value, line 2, column 18.",
        "type": "json_invalid",
    }


@pytest.mark.slow
def test_a_million_names_are_taken_or_refused_but_never_an_error(owner: Caller) -> None:
    many = "{" + ",".join(f'"k{n}":0' for n in range(200_000)) + "}"
    assert owner.post(body=_with_input(many)).status_code == 201


def test_too_large_is_413(owner: Caller, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000  # type: ignore[attr-defined]
    refused = owner.post(body=_with_input('{"a": "%s"}' % ("x" * 1000)))
    assert (refused.status_code, refused.json()) == (
        413,
        {"detail": "The body is too large: this site takes 1,000 bytes."},
    )


def test_an_input_over_its_bytes_is_413_with_the_bound(owner: Caller) -> None:
    refused = owner.post(body=_with_input('{"a": "%s"}' % ("x" * 17 * 2**20)))
    assert (refused.status_code, refused.json()) == (
        413,
        {"detail": "The body is larger than 16 MB."},
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a million members", "65 deep", "100k deep"])
def test_a_bound_is_named_where_it_is_refused_and_where_the_api_describes_itself(
    owner: Caller, name: str
) -> None:
    [problem] = owner.post(body=BOMBS[name][0]).json()["detail"]
    assert "250,000 values" in problem["msg"] or "64 levels" in problem["msg"]
    schema = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]["NewRequest"]
    assert "16 MB, 250,000 values and 64 levels" in schema["properties"]["input"]["description"]


def test_a_compressed_body_is_refused(owner: Caller) -> None:
    refused = owner.post(body=GOOD, **{"Content-Encoding": "gzip"})
    assert refused.status_code == 400
    assert "compressed" in refused.json()["detail"][0]["msg"]


@pytest.mark.parametrize(
    "text", ['{"n": "\\u0000"}', '{"n": "\\ud800"}', '{"n": 123456789012345678901234567890}']
)
def test_odd_but_legal_input_is_kept_as_it_is(owner: Caller, text: str) -> None:
    import json

    made = owner.post(body=_with_input(text))
    assert made.status_code == 201
    shown = owner.get(f"{made.json()['id']}/")
    assert shown.status_code == 200
    assert shown.json()["input"] == json.loads(text)


def test_bodies_that_say_the_same_have_one_digest() -> None:
    assert digest_of({"a": 1, "b": {"c": 1, "d": 2}}) == digest_of({"b": {"d": 2, "c": 1}, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
