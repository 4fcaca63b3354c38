from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.headers import (
    InvalidHeader,
    build_headers,
    ensure_ours,
    keeps_input,
    platform_options,
)
from requests_app.fal.options import BY_NAME


def test_an_input_is_not_kept_when_the_caller_says_so() -> None:
    options = ({}, {"store_io": True}, {"store_io": False})
    assert [keeps_input(one) for one in options] == [True, True, False]


def test_options_left_open_send_nothing() -> None:
    assert build_headers(dict.fromkeys([*BY_NAME, "headers"])) == {}
    assert build_headers({"no_retry": False}) == {}
    assert build_headers({"store_io": True}) == {"X-Fal-Store-IO": "1"}


def test_a_session_keeps_other_things_beside_the_platforms_options() -> None:
    stored = {"path": "/realtime", "auth": "key", "tags": "a=b", "headers": {"x-a": "1"}}
    assert platform_options(stored) == {"tags": "a=b", "headers": {"x-a": "1"}}


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


NOT_THEIRS = [
    "Host", "Authorization", "Cookie", "Accept", "User-Agent", "Origin", "Referer", "Expect",
    "Content-Length", "Content-Type", "Content-Encoding", "If-Match", "Range", "Date",
    "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authorization",
    "Proxy-Connection", "Sec-WebSocket-Key", "Forwarded", "Via", "X-Forwarded-For", "X-Real-IP",
    "X-Auth-Token", "X-API-Key", "X-HTTP-Method-Override", "X-Original-URL",
    "x-fal-webhook-signature", "X-Fal-Webhook-Url", "X-Fal-Webhook", "fal_webhook",
    "X-Fal-Target-Url", "x-fal-cdn-token", "x-app-fal-can-disable-filter", "x-fal-request-id",
    "x-fal-no-such-thing", "x-app-fal-other",
]  # fmt: skip
NO_NAMES = [
    "x y",
    "",
    "x-",
    "-x",
    "x--y",
    "x-ü",
    "x-a:b",
    "x-a\r\n",
    "x_own",
    "x-" + "a" * 80,
    "\u212aey",
]


@pytest.mark.parametrize("name", [*NOT_THEIRS, *NO_NAMES])
def test_a_name_that_is_not_the_callers_is_refused_with_the_reason(name: str) -> None:
    spellings = {name, name.lower(), name.upper()} if name.isascii() else {name}
    for spelling in spellings:
        with pytest.raises(InvalidHeader, match="cannot be set"):
            build_headers({"headers": {spelling: "1"}})


def test_headers_of_ones_own_app_pass_in_lower_case() -> None:
    own = {"X-Trace": "abc", "traceparent": "00-1-2-01", "Accept-Language": "de", "a": "b"}
    own |= {"x-fal-client-proxy": "mine/1"}
    assert build_headers({"headers": own}) == {name.lower(): value for name, value in own.items()}


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
