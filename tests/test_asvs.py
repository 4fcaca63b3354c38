"""docs/asvs.md names tests that exist, judges each item once, and lists in short what is not met."""

from __future__ import annotations

import re

from tests.source import ROOT, text_of
from tests.test_architecture import none_of

VERDICTS = {"met", "partly", "not met", "does not apply"}
Item = tuple[int, ...]


def rows() -> list[tuple[list[Item], str, str]]:
    """(items, verdict, what it is judged by) of each row."""
    found = re.findall(r"^\| ([\d., to]+) \| ([^|]+) \| (.+) \|$", text_of("docs/asvs.md"), re.M)
    return [(items_in(items), verdict, by) for items, verdict, by in found]


def items_in(text: str) -> list[Item]:
    return [tuple(map(int, item.split("."))) for item in re.findall(r"\d+\.\d+\.\d+", text)]


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", text_of("docs/asvs.md") + text_of("SECURITY.md")))
    assert len(named) > 80
    none_of(f"{path} does not exist" for path in named if not (ROOT / path).exists())


def test_every_item_is_judged_once_and_in_order() -> None:
    items = [items[0] for items, _, _ in rows()]
    assert items == sorted(items)
    every = [item for items, _, _ in rows() for item in items]
    assert len(every) == len(set(every))
    assert {item[0] for item in every} == set(range(1, 17))


def test_every_verdict_is_one_of_four_and_has_its_reason() -> None:
    for items, verdict, by in rows():
        assert verdict in VERDICTS, items
        assert len(by) > 10, items


def test_what_is_not_met_is_told_in_short_too() -> None:
    told = text_of("docs/asvs.md").partition("in short\n")[2].partition("\n## V1")[0]
    summary = set(items_in(told))
    unmet = {item for items, verdict, _ in rows() if verdict == "not met" for item in items[:1]}
    assert unmet <= summary
    met = {item for items, verdict, _ in rows() if verdict == "met" for item in items}
    assert not summary & met
