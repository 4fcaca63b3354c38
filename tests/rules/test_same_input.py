"""Which inputs are the same call."""

from __future__ import annotations

import pytest

from requests_app.rules.same_input import same_input_digest


def digest(text: str) -> str:
    return same_input_digest("acme/img", "queue", text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ('{"a":{"x":1,"y":[2]}}', '{ "a" : {"y": [2],\n"x":1} }'),
        ('{"a":1}', '{"a":1.0}'),
        ('{"a":1.0}', '{"a":1.00}'),
        ('{"a":1}', '{"a":1e0}'),
        ('{"a":100}', '{"a":1E+2}'),
        ('{"a":100}', '{"a":1000e-1}'),
        ('{"a":7.50}', '{"a":7.5}'),
        ('{"a":0.0015}', '{"a":15e-4}'),
        ('{"a":0}', '{"a":-0.0}'),
        ('{"a":-1.5}', '{"a":-15e-1}'),
        ('{"a":1e300}', '{"a":10e299}'),
        ('{"a":' + "9" * 5000 + "}", '{"a":' + "9" * 5000 + ".0}"),
        ('{"a":"é"}', '{"a":"\\u00e9"}'),
        ('{"a":"😀"}', '{"a":"\\ud83d\\ude00"}'),
        ('{"a":"/"}', '{"a":"\\/"}'),
        ('{"é":1}', '{"\\u00e9":1}'),
    ],
)
def test_the_same_value_in_another_text_is_the_same_input(one: str, other: str) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1}', '{"a":2}'),
        ('{"a":1}', '{"a":"1"}'),
        ('{"a":1}', '{"a":true}'),
        ('{"a":0}', '{"a":false}'),
        ('{"a":0}', '{"a":null}'),
        ('{"a":null}', "{}"),
        ('{"a":[]}', '{"a":{}}'),
        ('{"a":""}', '{"a":null}'),
        ('{"a":[1,2]}', '{"a":[2,1]}'),
        ('{"a":9007199254740993}', '{"a":9007199254740992}'),
        ('{"a":0.1}', '{"a":0.1000000000000000000001}'),
        ('{"a":1e300}', '{"a":1e299}'),
        ('{"a":1e-400}', '{"a":0}'),
        ('{"a":1.5}', '{"a":-1.5}'),
        ('{"a":1.5}', '{"a":{"number":"15e-1"}}'),
        ('{"a":{"number":1.5}}', '{"a":{"number":[1.5]}}'),
        ('{"a":' + "9" * 5000 + "}", '{"a":' + "9" * 4999 + "8}"),
        ('{"a":"x"}', '{"a":"x "}'),
        ('{"a":"é"}', '{"a":"e\\u0301"}'),
        ('{"a":"\\ud83d"}', '{"a":"\\ude00"}'),
        ('{"a":1}', '{"A":1}'),
    ],
)
def test_another_value_is_another_input(one: str, other: str) -> None:
    assert digest(one) != digest(other)


def test_another_endpoint_or_mode_is_another_call() -> None:
    calls = [("acme/img", "queue"), ("acme/img", "run"), ("acme/img/fast", "queue")]
    assert len({same_input_digest(*call, "{}") for call in calls}) == 3
