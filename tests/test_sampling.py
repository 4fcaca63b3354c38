"""Nine of ten slow tests are left out on purpose, and never by accident."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.sampling import count, runs_all, sample


def command(*arguments: str, keyword: str = "") -> Any:
    return SimpleNamespace(args=arguments, option=SimpleNamespace(keyword=keyword))


@pytest.mark.parametrize(
    ("arguments", "keyword", "environment", "is_whole"),
    [
        (["tests"], "", {}, False),
        (["tests/browser"], "", {}, False),
        (["tests"], "", {"CI": "true"}, True),
        (["tests"], "", {"SLOW": "all"}, True),
        (["tests"], "", {"SLOW": "tenth", "CI": "true"}, False),
        (["tests/browser/test_list.py"], "", {}, True),
        (["tests/browser/test_list.py::test_x"], "", {}, True),
        (["tests/browser/test_list.py"], "", {"SLOW": "tenth"}, False),
        (["tests"], "webhook", {}, True),
    ],
)
def test_all_run_where_all_are_wanted_or_one_is_looked_for(
    arguments: list[str], keyword: str, environment: dict[str, str], is_whole: bool
) -> None:
    assert runs_all(command(*arguments, keyword=keyword), environment) == is_whole


def test_another_word_than_these_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match='not "some"'):
        runs_all(command("tests"), {"SLOW": "some"})


def item(number: int, *markers: str, fixtures: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(
        name=number,
        fixturenames=fixtures,
        get_closest_marker=lambda name: name if name in markers else None,
    )


@pytest.mark.parametrize(
    "slow",
    [
        {"markers": ["slow"]},
        {"markers": ["slow", "browser"], "fixtures": ("installation",)},
        {"fixtures": ("db", "installation")},
        {"fixtures": ("serving",)},
    ],
)
def test_every_tenth_slow_test_is_kept_and_every_quick_one(slow: dict[str, Any]) -> None:
    markers, fixtures = slow.get("markers", []), slow.get("fixtures", ())
    items = [
        item(number, *markers, fixtures=fixtures) if number % 2 else item(number, "browser")
        for number in range(60)
    ]
    kept, left_out = sample(items)
    assert [each.name for each in kept if each.name % 2] == [1, 21, 41]
    assert [each.name for each in kept if not each.name % 2] == list(range(0, 60, 2))
    assert len(kept) + len(left_out) == 60


def test_of_the_long_ones_none_is_kept() -> None:
    items = [
        item(number, *(["process", "long"] if number % 2 else ["process"])) for number in range(62)
    ]
    kept, left_out = sample(items)
    assert [each.name for each in kept] == [0, 60]
    assert len(kept) + len(left_out) == 62


@pytest.mark.parametrize(
    "own", [{"markers": ["process"]}, {"markers": ["browser"], "fixtures": ("serving",)}]
)
def test_of_those_with_an_installation_of_their_own_every_thirtieth_is_kept(
    own: dict[str, Any],
) -> None:
    items = [
        item(number, *own["markers"], fixtures=own.get("fixtures", ()))
        if number % 2
        else item(number, "slow")
        for number in range(140)
    ]
    kept, left_out = sample(items)
    assert [each.name for each in kept if each.name % 2] == [1, 61, 121]
    assert [each.name for each in kept if each.name % 2 == 0] == list(range(0, 140, 20))
    assert len(kept) + len(left_out) == 140


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, 50),
        ({"CI": "true"}, 500),
        ({"SLOW": "all"}, 500),
        ({"CI": "true", "SLOW": "tenth"}, 50),
        ({"RACES": "10000"}, 10_000),
        ({"RACES": "7", "SLOW": "all"}, 7),
    ],
)
def test_a_race_plays_a_tenth_all_or_the_number_that_is_named(
    environment: dict[str, str], number: int
) -> None:
    assert count("RACES", 500, environment) == number
