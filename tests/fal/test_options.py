"""The table of platform options: a new option is one entry there and one row here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from requests_app.fal.headers import InvalidHeader, build_headers, build_query, understand
from requests_app.fal.options import BY_HEADER, BY_NAME, EVERYWHERE, OPTIONS

LIFE = '{"expiration_duration_seconds": 3600}'
RETRIES = '{"timeout":{"retries":2}}'


@dataclasses.dataclass(frozen=True)
class Row:
    """A value, what goes on the wire for it, header texts that mean it, and texts that mean nothing."""

    value: Any
    wire: Mapping[str, str]
    texts: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    other: Any = None  # another value


TABLE: dict[str, Row] = {
    "priority": Row("low", {"X-Fal-Queue-Priority": "low"}, ("low", "LOW"), ("high", "0"), "normal"),
    "start_timeout": Row(
        2.5,
        {"X-Fal-Request-Start-Timeout": "2.5", "X-Fal-Request-Timeout": "2.5"},
        ("2.5", "2.50", "25e-1"),
        ("0.1", "0.1004", "-1", "soon", "nan", "1_0", "0x9", "inf", "1e99"),
        30,
    ),
    "max_queue_length": Row(5, {"fal_max_queue_length": "5"}, other=0),
    "runner_hint": Row("warm a", {"X-Fal-Runner-Hint": "warm a"}, ("warm a",), ("ü", " a"), "b"),
    "tags": Row(
        "team=a,env=prod.1",
        {"X-Fal-Tags": "team=a,env=prod.1"},
        ("team=a,env=prod.1",),
        ("team", "Team=a", "fal.team=a", "team=", "a=b,", "a=" + "b" * 257,
         ",".join(f"k{n}=v" for n in range(11))),
        "team=b",
    ),
    "store_io": Row(False, {"X-Fal-Store-IO": "0"}, ("0",), ("no", "false", "2"), True),
    "object_lifecycle_preference": Row(
        LIFE,
        {"X-Fal-Object-Lifecycle-Preference": LIFE},
        (LIFE, '{"expiration_duration_seconds":3600}'),
        ("3600", "[]", "{", '{"expiration_duration_seconds": -1}',
         '{"expiration_duration_seconds": "1h"}'),
        '{"expiration_duration_seconds": null}',
    ),
    "retry_config": Row(
        RETRIES,
        {"X-Fal-Retry-Config": RETRIES},
        (RETRIES,),
        ("{not json", "2", '{"timeout": 2}', '{"timeout": {"retries": 11}}'),
        "{}",
    ),
    "no_retry": Row(True, {"X-Fal-No-Retry": "1"}, ("1", "true", "yes", "Yes"), ("0", "no", "2"), False),
    "disable_fallback": Row(
        True, {"X-App-Fal-Disable-Fallback": "true"}, ("true", "1", "TRUE"), ("no", "yes", "0"), False
    ),
}  # fmt: skip

HEADERS = [(header, option.name) for header, option in BY_HEADER.items()]
READ = [(header, name, text) for header, name in HEADERS for text in TABLE[name].texts]
WRONG = [(header, text) for header, name in HEADERS for text in TABLE[name].wrong]


def test_every_option_has_its_row() -> None:
    assert list(TABLE) == list(BY_NAME)


@pytest.mark.parametrize("name", TABLE)
def test_an_option_becomes_its_header_or_its_query(name: str) -> None:
    row = TABLE[name]
    assert build_headers({name: row.value}) | build_query({name: row.value}) == row.wire
    assert understand({name: row.value}) == {name: row.value}


@pytest.mark.parametrize(("header", "name", "text"), READ)
def test_a_platform_header_is_the_option_of_its_meaning(header: str, name: str, text: str) -> None:
    for spelling in (header, header.upper(), header.title()):
        understood = understand({"headers": {spelling: text, "x-own": "1"}})
        assert understood.pop("headers") == {"x-own": "1"}
        [(found, value)] = understood.items()
        assert found == name
        assert BY_NAME[name].kind.same(value, TABLE[name].value)


@pytest.mark.parametrize(("header", "text"), WRONG)
def test_what_fal_would_pass_over_in_silence_is_refused_aloud(header: str, text: str) -> None:
    with pytest.raises(InvalidHeader) as caught:
        understand({"headers": {header: text}})
    assert caught.value.field == header
    assert str(caught.value).startswith(header)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("header", "name", "text"), READ)
def test_a_header_and_an_option_that_contradict_each_other_are_both_named(
    header: str, name: str, text: str
) -> None:
    with pytest.raises(InvalidHeader) as caught:
        understand({name: TABLE[name].other, "headers": {header: text}})
    assert header in str(caught.value)
    assert f"option {name} " in str(caught.value)


@pytest.mark.parametrize(("header", "name", "text"), READ)
def test_a_header_that_repeats_its_option_is_no_contradiction(
    header: str, name: str, text: str
) -> None:
    value = TABLE[name].value
    assert understand({name: value, "headers": {header: text}}) == {name: value}


def test_of_two_names_for_one_option_the_one_that_fal_lets_win_counts() -> None:
    both = {"x-fal-request-timeout": "5", "X-Fal-Request-Start-Timeout": "30"}
    for headers in (both, dict(reversed(both.items()))):
        assert understand({"headers": headers}) == {"start_timeout": 30}


def test_a_query_parameter_given_as_a_header_is_sent_to_its_option() -> None:
    with pytest.raises(InvalidHeader, match="option max_queue_length"):
        understand({"headers": {"fal_max_queue_length": "5"}})


def test_every_option_says_what_it_is_and_where_it_is_heeded() -> None:
    for option in OPTIONS:
        assert option.label
        assert set(option.modes) <= set(EVERYWHERE)
        assert bool(option.headers) != bool(option.query)


def test_no_two_options_share_a_header_or_a_name() -> None:
    headers = [header.lower() for one in OPTIONS for header in (*one.headers, *one.also)]
    assert len(headers) == len(set(headers)) == len(BY_HEADER)
    assert len(OPTIONS) == len(BY_NAME)
