from __future__ import annotations

import pytest

from requests_app.fal.option_kinds import (
    BadValue,
    Choice,
    Count,
    Lifecycle,
    OnOff,
    OptionKind,
    Retries,
    Seconds,
    Switch,
    Tags,
    Text,
)

CHOICE = Choice({"a": "A", "b": "B"}, usual="a")
SECONDS, COUNT = Seconds(above=0.1), Count(0, 10)
SWITCH, ON_OFF = Switch(("1", "yes")), OnOff("Yes", "No")
LIFE, RETRIES = Lifecycle("{}"), Retries("{}")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text(), 7), (Text(), ""), (Text(), "x" * 1025), (Text(), "a\r\nb"),
        (CHOICE, "c"), (CHOICE, ["a"]), (CHOICE, None), (CHOICE, "A"),
        (SECONDS, 0.1), (SECONDS, 0.1004), (SECONDS, -1), (SECONDS, True), (SECONDS, "30"),
        (SECONDS, float("nan")), (SECONDS, float("inf")), (SECONDS, 1e8),
        (COUNT, -1), (COUNT, 11), (COUNT, 1.0), (COUNT, True), (COUNT, "1"),
        (SWITCH, 1), (SWITCH, "1"), (ON_OFF, 0), (ON_OFF, "0"),
        (LIFE, 3600), (LIFE, []), (LIFE, {"a": float("nan")}), (LIFE, '{"a": "ü"}'), (LIFE, "x" * 5000),
        (LIFE, {"a": object()}), (LIFE, {"expiration_duration_seconds": True}),
        (RETRIES, {"timeout": {"retries": -1}}), (RETRIES, {"timeout": {"retries": True}}),
        (RETRIES, {"timeout": {"retries": 1.5}}), (RETRIES, {"timeout": []}),
        (Tags(), {"team": 1}), (Tags(), {"team": "a,b=c"}), (Tags(), []), (Tags(), {"a,b": "c"}),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_sent_is_refused_in_words(kind: OptionKind, value: object) -> None:
    with pytest.raises(BadValue) as caught:
        kind.check(value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (SECONDS, 0.5, "0.5"), (SECONDS, 1.25, "1.25"), (SECONDS, 100, "100"), (SECONDS, 1e6, "1000000"),
        (SECONDS, 0.101, "0.101"), (COUNT, 0, "0"), (SWITCH, True, "1"), (SWITCH, False, None),
        (ON_OFF, True, "1"), (ON_OFF, False, "0"), (CHOICE, "b", "b"),
        (LIFE, {"expiration_duration_seconds": 60}, '{"expiration_duration_seconds":60}'),
        (LIFE, ' { "a" :1}'.strip(), '{ "a" :1}'), (LIFE, {"a": "ü"}, '{"a":"\\u00fc"}'),
        (Tags(), {"team": "a", "env": "b c"}, "team=a,env=b c"), (Tags(), "team=a", "team=a"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_fal_reads_it(
    kind: OptionKind, value: object, text: str | None
) -> None:
    assert kind.write(kind.check(value)) == text


@pytest.mark.parametrize("kind", [LIFE, Tags()])
def test_an_object_is_stored_as_the_text_that_is_sent(kind: OptionKind) -> None:
    stored = kind.check({"team": "a"})
    assert isinstance(stored, str)
    assert kind.check(stored) == stored


def test_two_spellings_of_one_object_mean_the_same() -> None:
    assert LIFE.same('{"a": 1, "b": 2}', '{"b":2,"a":1}')
    assert not LIFE.same('{"a": 1}', '{"a": 2}')
