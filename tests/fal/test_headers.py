from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.headers import (
    PLATFORM_HEADERS,
    InvalidHeader,
    build_headers,
    ensure_ours,
    keeps_input,
)


def test_an_input_is_not_kept_when_the_caller_says_so() -> None:
    options = ({}, {"store_io": True}, {"store_io": False})
    assert [keeps_input(one) for one in options] == [True, True, False]


def test_every_option_becomes_its_header() -> None:
    assert build_headers(
        {
            "priority": "low",
            "start_timeout": 30,
            "no_retry": True,
            "store_io": False,
            "runner_hint": "warm a",
        }
    ) == {
        "X-Fal-Queue-Priority": "low",
        "X-Fal-Request-Start-Timeout": "30",
        "X-Fal-Request-Timeout": "30",
        "X-Fal-No-Retry": "1",
        "X-Fal-Store-IO": "0",
        "X-Fal-Runner-Hint": "warm a",
    }


def test_options_left_open_send_nothing() -> None:
    assert build_headers(dict.fromkeys([*PLATFORM_HEADERS, "headers"])) == {}
    assert build_headers({"no_retry": False}) == {}
    assert build_headers({"store_io": True}) == {"X-Fal-Store-IO": "1"}


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (1.25, "1.25"), (100, "100"), (1e6, "1000000")]
)
def test_a_start_timeout_is_written_without_exponent(value: float, text: str) -> None:
    assert build_headers({"start_timeout": value})["X-Fal-Request-Start-Timeout"] == text


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"priority": "high"}, "priority"),
        ({"priority": ["low"]}, "priority"),
        ({"start_timeout": 0.1}, "start_timeout"),
        ({"start_timeout": -1}, "start_timeout"),
        ({"start_timeout": float("nan")}, "start_timeout"),
        ({"start_timeout": float("inf")}, "start_timeout"),
        ({"start_timeout": True}, "start_timeout"),
        ({"start_timeout": "30"}, "start_timeout"),
        ({"no_retry": "yes"}, "no_retry"),
        ({"store_io": 0}, "store_io"),
        ({"runner_hint": ""}, "runner_hint"),
        ({"runner_hint": 7}, "runner_hint"),
        ({"speed": "fast"}, "speed"),
        ({"headers": "X-A: b"}, "headers"),
    ],
)
def test_a_wrong_value_is_refused_by_field_with_a_sentence(
    options: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidHeader) as caught:
        build_headers(options)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")


BAD_VALUES = [
    "a\r\nX-Evil: 1",
    "a\nb",
    "\0",
    "a\x0bb",
    "a\u2028b",
    "é",
    " a",
    "a ",
    "a\tb",
    "x" * 1025,
    "",
]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_only_short_visible_ascii_is_sent(value: str) -> None:
    for options in ({"runner_hint": value}, {"headers": {"X-Own": value}}):
        with pytest.raises(InvalidHeader):
            build_headers(options)


FORBIDDEN = [
    "Host",
    "Authorization",
    "Cookie",
    "Transfer-Encoding",
    "Content-Length",
    "Content-Type",
    "Connection",
    "Keep-Alive",
    "TE",
    "Upgrade",
    "Proxy-Authorization",
    "Accept",
    "x-fal-webhook-signature",
    "X-Fal-Target-Url",
    "x-fal-queue-priority",
    "x-fal-store-io",
    "x-fal-cdn-token",
    "x-app-fal-can-disable-filter",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Auth-Token",
    "X-API-Key",
    "x y",
    "",
    "x-",
    "x-ü",
    "x-a:b",
    "x-a\r\n",
    "x_own",
    "x-" + "a" * 80,
]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_name_that_is_not_the_callers_is_refused(name: str) -> None:
    with pytest.raises(InvalidHeader):
        build_headers({"headers": {name: "1"}})


def test_own_names_and_the_four_listed_ones_pass_in_lower_case() -> None:
    own = {
        "X-Trace": "abc",
        "X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": 3600}),
        "X-Fal-Retry-Config": '{"timeout":{"retries":2}}',
        "X-Fal-Tags": "team=a,env=prod.1",
        "X-App-Fal-Disable-Fallback": "true",
    }
    assert build_headers({"headers": own}) == {name.lower(): value for name, value in own.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-fal-object-lifecycle-preference", "3600"),
        ("x-fal-retry-config", "{not json"),
        ("x-app-fal-disable-fallback", "no"),
        ("x-fal-tags", "team"),
        ("x-fal-tags", "Team=a"),
        ("x-fal-tags", "fal.team=a"),
        ("x-fal-tags", "team="),
        ("x-fal-tags", "a=b,"),
        ("x-fal-tags", "a=" + "b" * 257),
        ("x-fal-tags", ",".join(f"k{n}=v" for n in range(11))),
    ],
)
def test_what_fal_would_drop_in_silence_is_refused_aloud(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        build_headers({"headers": {name: value}})
    assert caught.value.field == name


def test_one_name_in_two_spellings_is_refused() -> None:
    with pytest.raises(InvalidHeader, match="twice"):
        build_headers({"headers": {"X-A": "1", "x-a": "2"}})


def test_all_headers_together_are_capped() -> None:
    with pytest.raises(InvalidHeader, match="together"):
        build_headers({"headers": {f"x-n{n}": "v" * 1000 for n in range(9)}})


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_whatever_passes_is_safe_to_put_on_the_wire(headers: dict[str, str]) -> None:
    try:
        built = build_headers({"headers": headers})
    except InvalidHeader:
        return
    ensure_ours(built)
    for name, value in built.items():
        assert f"{name}: {value}".isascii() and f"{name}: {value}".isprintable()


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Key x"}, {"x-a": "1\r\n"}, {"host": "evil"}]
)
def test_the_last_gate_lets_nothing_through_that_is_not_ours(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidHeader):
        ensure_ours(headers)
